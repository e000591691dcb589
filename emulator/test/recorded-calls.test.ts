/**
 * A session with a real host, once more: the same calls of the app and of the management API in the same order, each
 * answered as it was, up to ids, times and stack traces. Calls that the recording leaves out but whose effects it shows are
 * in the fixture without an answer, and what this version does not do is there with the reason.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestApp } from '../src/testing.js';

interface Call {
  name: string;
  exempt?: string;
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
  response?: { status: number; headers: Record<string, string>; body: unknown };
}

const fixtures = path.join(import.meta.dirname, 'fixtures');
const calls = (JSON.parse(readFileSync(path.join(fixtures, 'http/calls.json'), 'utf8')) as Call[])
  .map((call, index) => ({ ...call, title: `${index + 1} ${call.name}` }));

/** Answers whose items are in an order that made-up ids or chance decide. */
const UNORDERED = new Set(['get-final-fan', 'get-final-early', 'query-all', 'query-badstatus', 'noauth-list', 'sdk-all-none', 'sdk-by-none']);
/** Made while what the call before it started is still under way. */
const AT_ONCE = new Set(['raise-early']);

let app: TestApp;
beforeAll(async () => { app = await TestApp.start({ directory: path.join(fixtures, 'recorded-app'), verifyReplay: false, strict: false }); });
afterAll(() => app.stop());

describe('In a session with a real host', () => {
  test.for(calls.filter(({ exempt }) => exempt === undefined))('$title', async ({ name, method, path: url, headers, body, response }) => {
    if (!AT_ONCE.has(name)) await app.quiet();
    // As long as whoever recorded it waited, and longer than anything but the timer of anyRace takes.
    if (/^get-(final|running-waiting)/.test(name)) await app.skip({ seconds: 5 });
    const answer = await app.request(method, url, { ...(headers !== undefined && { headers }), ...(body !== undefined && { body }) });
    if (response === undefined) {
      expect(answer.ok).toBe(true);
      return;
    }
    const text = await answer.text();
    expect({
      status: answer.status,
      headers: comparable(Object.fromEntries(Object.keys(response.headers).map((header) => [header, answer.headers.get(header)])), name),
      body: comparable(answer.headers.get('content-type')?.startsWith('application/json') === true ? JSON.parse(text) as unknown : text, name),
    }).toEqual({ status: response.status, headers: comparable(response.headers, name), body: comparable(response.body, name) });
  });
});

/** The same for both hosts: without ids that a host makes up, times, addresses, stack traces, and what the app had at that time. */
function comparable(value: unknown, name: string): unknown {
  if (typeof value === 'string') {
    return withoutStacks(value).replace(/(known orchestrator functions: ).*/, '$1')
      .replaceAll(/http:\/\/(localhost|127\.0\.0\.1):\d+/g, 'http://host').replaceAll(/code=[^&\s]+/g, 'code=key')
      .replaceAll(/[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/g, 'id')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)/g, 'time');
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => comparable(item, name));
    return UNORDERED.has(name) ? items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, comparable(inner, name)]));
}

/** An exception that .NET has written into a text, without its stack traces. */
function withoutStacks(text: string): string {
  const start = text.indexOf('{"$type":"System.Exception');
  if (start < 0) return text.replace(/(StackTrace: )[\s\S]*/, '$1');
  const blank = (key: string, value: unknown): unknown => (
    key.endsWith('StackTrace') ? '' : key === 'Message' && typeof value === 'string' ? value.replace(/\nStack:[\s\S]*/, '') : value);
  return text.slice(0, start) + JSON.stringify(JSON.parse(text.slice(start), blank));
}
