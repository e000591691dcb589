import { describe, expect, it } from 'vitest';
import { routes } from '../../src/http/index.js';
import { startApp } from '../support/app.js';

const rows = Object.entries(routes).flatMap(([name, { methods, route, authLevel }]) =>
  methods.map((method) => ({
    name,
    method,
    path: `/${route.replace('{ignored:maxlength(0)?}', '').replaceAll(/\{\*?\w+\}/g, 'some')}`,
    authLevel,
  })),
);

describe('with keys enforced', () => {
  it.each(rows)(
    '$method $path asks for a key as its level ($authLevel) says',
    async ({ method, path, authLevel }) => {
      const { app } = await startApp({ enforceKeys: true });
      const without = await app.request(method, path, { body: method === 'GET' ? undefined : {} });
      const wrong = await app.request(method, path, {
        headers: { 'x-functions-key': 'guess' },
        body: method === 'GET' ? undefined : {},
      });
      const right = await app.request(method, path, {
        headers: { 'x-functions-key': app.keys.host },
        body: method === 'GET' ? undefined : {},
      });
      expect([without.status === 401, wrong.status === 401, right.status === 401]).toEqual(
        authLevel === 'function' ? [true, true, false] : [false, false, false],
      );
      expect(right.status).not.toBe(500);
    },
  );

  it('no function answers HTTP that the table does not name', async () => {
    const { app } = await startApp();
    expect(app.httpFunctions.map(({ name }) => name).toSorted()).toEqual(Object.keys(routes).toSorted());
  });
});

it.each(rows)('nothing sent to $method $path makes it fail', async ({ method, path }) => {
  const { app } = await startApp();
  const deep = '['.repeat(30_000) + ']'.repeat(30_000);
  for (const body of [
    '',
    'null',
    '"',
    '[]',
    '{}',
    '1e999',
    deep,
    '{"__proto__":{"a":1}}',
    '{"constructor":null}',
    '\uFEFF{}',
    'x'.repeat(70_000),
  ]) {
    for (const headers of [
      {},
      { 'idempotency-key': '../%00' },
      { 'x-ms-client-principal': '////' },
    ] as Record<string, string>[]) {
      const answer = await app.request(method, path, { headers, body: method === 'GET' ? undefined : body });
      // 503 is the pages' word for not having been built.
      expect(answer.status === 503 ? 200 : answer.status).toBeLessThan(500);
    }
  }
});
