/** The inputs and the responses of HTTP functions, compared with a recording of a real host. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { HttpRequestLike } from '../src/http-message.js';
import { httpInput, httpOutput } from '../src/triggers/http.js';

interface Recorded {
  name: string;
  http: {
    method: string;
    url: string;
    nullableHeaders: Record<string, { value: string }>;
    nullableParams: Record<string, { value: string }>;
    body?: { bytes: string };
  };
}

const recorded = JSON.parse(
  await readFile(path.join(import.meta.dirname, 'fixtures/http-requests.json'), 'utf8'),
) as Recorded[];

function values(of: Record<string, { value: string }>): Record<string, string> {
  return Object.fromEntries(Object.entries(of).map(([name, { value }]) => [name, value]));
}

test.each(recorded)('the request $name reaches its function as it did from the real host', ({ http }) => {
  const { method, url, nullableHeaders, nullableParams, body } = http;
  const request: HttpRequestLike = {
    method,
    url,
    headers: values(nullableHeaders),
    ...(body !== undefined && { body: Buffer.from(body.bytes) }),
  };
  expect(httpInput(request, values(nullableParams)).http).toEqual({
    ...http,
    ...(body !== undefined && { body: { bytes: Buffer.from(body.bytes) } }),
  });
});

test('query names that differ in case are one, and its values are joined by commas', () => {
  const input = httpInput(
    { method: 'GET', url: 'http://localhost/api/x?Tag=a&tag=b%2Cc&empty=&tag=d', headers: {} },
    {},
  );
  expect(input.http!['nullableQuery']).toEqual({ tag: { value: 'a,b,c,d' }, empty: { value: '' } });
});

test.each([
  ['a=&a=1&a=', { a: '1' }],
  ['a&a', { a: '' }],
  ['b=0&a=1&A=2&a=3', { b: '0', A: '1,2,3' }],
  ['x=%2B+%20&y=%FC&z=%C3%28', { x: '+  ', y: '%FC', z: '%C3(' }],
])('the query %s gives %o', (query, seen) => {
  const { http } = httpInput({ method: 'GET', url: `http://localhost/api/x?${query}`, headers: {} }, {});
  expect(http!['nullableQuery']).toEqual(
    Object.fromEntries(Object.entries(seen).map(([name, value]) => [name, { value }])),
  );
});

test.each([
  ['/api/a%2Bb?c=%2B', '/api/a+b?c=%2B'],
  ['/api/%61%C3%BC%20', '/api/a%C3%BC%20'],
  ['/api/a%252Fb%2Fc', '/api/a%2Fb%2Fc'],
  ['/api/%zz%', '/api/%25zz%25'],
  ['/api/%FC%C3%28', '/api/%FC%C3('],
  ['/api/a|b%5Cc', '/api/a%7Cb%5Cc'],
])('the URL %s of a request is %s for its function', (sent, seen) => {
  const { http } = httpInput({ method: 'GET', url: `http://localhost${sent}`, headers: {} }, {});
  expect(http!['url']).toBe(`http://localhost${seen}`);
});

test('no result is 204', () => {
  expect(httpOutput(undefined)).toEqual({ status: 204, headers: [], body: new Uint8Array() });
  expect(httpOutput(null).status).toBe(204);
});

test('status, headers and the bytes of the body stay unchanged', () => {
  const body = Uint8Array.from({ length: 256 }, (_, index) => index);
  const answer = httpOutput({
    http: {
      statusCode: '418',
      headers: { 'content-type': 'image/png', 'x-a': '1' },
      cookies: [],
      body: { bytes: body },
    },
  });
  expect(answer).toEqual({
    status: 418,
    headers: [
      ['content-type', 'image/png'],
      ['x-a', '1'],
    ],
    body,
  });
});

test('each cookie is a header of its own, with all its attributes', () => {
  const { headers } = httpOutput({
    http: {
      statusCode: '200',
      headers: {},
      cookies: [
        { name: 'plain', value: "a b;'", sameSite: 'none' },
        {
          name: 'full',
          value: '1',
          domain: { value: 'example.com' },
          path: { value: '/x' },
          expires: { value: { seconds: 1767323045 } },
          maxAge: { value: 60 },
          secure: { value: true },
          httpOnly: { value: true },
          sameSite: 'strict',
        },
        { name: 'open', value: '', secure: { value: false }, sameSite: 'explicitNone' },
      ],
    },
  });
  expect(headers).toEqual([
    ['set-cookie', 'plain=a%20b%3B%27; path=/'],
    [
      'set-cookie',
      'full=1; expires=Fri, 02 Jan 2026 03:04:05 GMT; max-age=60; domain=example.com; path=/x; secure; samesite=strict; httponly',
    ],
    ['set-cookie', 'open=; path=/; samesite=none'],
  ]);
});
