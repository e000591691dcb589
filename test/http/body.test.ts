import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  BODY_LIMIT,
  check,
  duration,
  line,
  personName,
  Problem,
  queryOf,
  readJson,
  text,
} from '../../src/http/index.js';
import { request } from '../support/request.js';

function problemOf(act: () => unknown): Problem {
  try {
    act();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('There was no problem');
}

const ofBytes = (bytes: number): string => `"${'é'.repeat(bytes / 2 - 1)}"`;

describe('a body', () => {
  it('is read as JSON, whatever its content type', async () => {
    expect(await readJson(request({ body: '{"a":"Łódź"}' }))).toEqual({ a: 'Łódź' });
  });

  it('may be left out', async () => {
    expect(await readJson(request())).toBeUndefined();
    expect(await readJson(request({ body: '' }))).toBeUndefined();
  });

  it.each([
    ['text', 'hello'],
    ['half an object', '{"a":'],
    ['two values', '1 2'],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
  ])('that is %s is 400', async (_, body) => {
    await expect(readJson(request({ body }))).rejects.toMatchObject({ status: 400, type: 'not-json' });
  });

  it('may be as long as the limit in bytes, and no longer', async () => {
    expect(await readJson(request({ body: ofBytes(BODY_LIMIT) }))).toHaveLength(BODY_LIMIT / 2 - 1);
    await expect(readJson(request({ body: ofBytes(BODY_LIMIT + 2) }))).rejects.toMatchObject({ status: 413 });
  });

  it('that says that it is too long is not read into memory', async () => {
    const headers = { 'content-length': String(BODY_LIMIT + 1) };
    await expect(readJson(request({ body: '{}', headers }))).rejects.toMatchObject({ status: 413 });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''])(
    'of type "%s" from a page of another site is 415',
    async (type) => {
      const headers = { 'content-type': type, origin: 'https://evil.example' };
      await expect(readJson(request({ body: '{}', headers }))).rejects.toMatchObject({ status: 415 });
      expect(
        await readJson(request({ body: '{}', headers: { ...headers, origin: 'http://localhost' } })),
      ).toEqual({});
      expect(await readJson(request({ body: '{}', headers: { 'content-type': type } }))).toEqual({});
      expect(
        await readJson(request({ body: '{}', headers: { ...headers, 'content-type': 'application/json' } })),
      ).toEqual({});
    },
  );
});

describe('the name of a person', () => {
  it('is composed, so that two forms of one name are one name', () => {
    expect(personName.parse('Zoe\u0308')).toBe('Zo\u00eb');
  });

  it.each(['\u3164', 'pat\u200b', '\u202epat', 'pa\u00adt', '\u2066pat\u2069'])(
    'has no characters that nobody sees: %j',
    (name) => {
      expect(personName.safeParse(name).success).toBe(false);
    },
  );
});

describe('an error in a request', () => {
  const schema = z.strictObject({ name: line(5), players: z.array(z.strictObject({ age: z.number() })) });

  it('is reported field by field', () => {
    const problem = problemOf(() =>
      check(schema, { name: 'too long', players: [{ age: 1 }, { age: 'old', hair: 1 }], extra: 1 }),
    );
    expect(problem.status).toBe(400);
    expect(problem.details.errors?.map(({ field }) => field)).toEqual([
      'name',
      'players.1.age',
      'players.1.hair',
      'extra',
    ]);
    expect(problem.details.detail).toContain('extra: There is no such field');
  });

  it('belongs to the body itself when that is not an object', () => {
    expect(problemOf(() => check(schema, undefined)).details.errors).toMatchObject([{ field: 'body' }]);
  });
});

describe('a line of text', () => {
  it.each(['', '   ', 'two\nlines', 'bell\u0007', 'half \ud83d', 'x'.repeat(11), 5])('is not %j', (value) => {
    expect(line(10).safeParse(value).success).toBe(false);
  });

  it('loses the blanks around it', () => {
    expect(line(10).parse('  Łódź 😀 ')).toBe('Łódź 😀');
  });
});

describe('a text', () => {
  it('is measured in bytes', () => {
    expect(text(4).safeParse('éé').success).toBe(true);
    expect(text(4).safeParse('ééx').success).toBe(false);
  });

  it('may have lines and tabs, but no other control characters', () => {
    expect(text(100).safeParse('one\r\n\ttwo').success).toBe(true);
    expect(text(100).safeParse('nul \0').success).toBe(false);
  });
});

describe('a duration', () => {
  const aDayOrLess = duration('PT1S', 'P1D');

  it.each(['PT1S', 'PT20S', 'PT1M30S', 'PT1.5S', 'P1D', 'PT24H'])('may be %s', (value) => {
    expect(aDayOrLess.parse(value)).toBe(value);
  });

  it.each([
    '',
    'P',
    'PT',
    'P1DT',
    '20S',
    'PT0S',
    'PT0.9S',
    'P2D',
    'PT24H1S',
    '-PT5S',
    'PT-5S',
    'P1Y',
    'pt5s',
    'P9999999999999999999999D',
    20,
  ])('may not be %j', (value) => {
    expect(aDayOrLess.safeParse(value).success).toBe(false);
  });
});

it('a query parameter without a value counts as left out', () => {
  expect(queryOf(request({ query: { state: '', approver: 'kim' } }))).toEqual({ approver: 'kim' });
});
