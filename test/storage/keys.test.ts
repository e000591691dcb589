import { assert, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyFor } from '../../src/storage/index.js';

const anyText = string({ unit: 'binary' });

const decode = (key: string): string => (key === '_' ? '' : decodeURIComponent(key.replaceAll('_', '%')));

describe('a key made of outside text', () => {
  it('holds letters, digits, - and _ only, and is never empty', () => {
    assert(
      property(anyText, (text) => {
        expect(keyFor(text)).toMatch(/^[A-Za-z0-9_-]+$/);
      }),
    );
  });

  it('gives the text back, so that different texts have different keys', () => {
    assert(
      property(anyText, (text) => {
        expect(decode(keyFor(text))).toBe(text);
      }),
    );
  });

  it.each([
    ['Kim-2', 'Kim-2'],
    ['kim', 'kim'],
    ['a_b', 'a_5fb'],
    ['a/b?c#d%', 'a_2fb_3fc_23d_25'],
    ['é', '_c3_a9'],
    ['😀', '_f0_9f_98_80'],
    ['', '_'],
  ])('is for %j %j', (text, key) => {
    expect(keyFor(text)).toBe(key);
  });

  it('is refused to half a character, which no key could tell from another', () => {
    expect(() => keyFor('\ud800')).toThrow(RangeError);
  });
});
