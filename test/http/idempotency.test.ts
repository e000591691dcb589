import { expect, it } from 'vitest';
import { idempotencyKey } from '../../src/http/index.js';
import { request } from '../support/request.js';

const keyed = (key: string) => request({ headers: { 'idempotency-key': key } });

it('a request may have no idempotency key', () => {
  expect(idempotencyKey(request())).toBeUndefined();
});

it('an idempotency key is any visible ASCII', () => {
  expect(idempotencyKey(keyed('a/b#c?%20"'))).toBe('a/b#c?%20"');
});

it.each(['é', 'a b', 'x'.repeat(65)])('an idempotency key is not %j', (key) => {
  expect(() => idempotencyKey(keyed(key))).toThrow('Idempotency-Key');
});
