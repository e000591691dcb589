/**
 * Files of sales lines, and jobs about them, by HTTP alone, at `E2E_BASE_URL`. Each run uploads files that no
 * other run has, and removes them.
 */
import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test, type TestContext } from 'vitest';
import { plainly, sample } from '../ingestion/support.js';
import { useBaseUrl } from '../support/base-url.js';
import { call, PATIENCE, until, type Answer } from './http.js';

const NDJSON = { 'content-type': 'application/x-ndjson' };

/** A line in a store that no other file names. */
const ownLine = (): string =>
  `${JSON.stringify({ date: '2026-11-27', store: randomUUID(), sku: 'SKU-1', quantity: 2, amount: 1990 })}\n`;

describe('Ingestion and jobs, by HTTP', { timeout: 4 * PATIENCE }, () => {
  const origin = useBaseUrl();

  test('a file of several chunks is read, reported on, and removed', async (context) => {
    await needKey(context);
    const file = sample(30_000) + ownLine();
    const ingestion = await ingest(file, NDJSON, '?maxParallel=3');
    expect(await ingest(file, NDJSON)).toBe(ingestion);
    const { json } = await completed(ingestion);
    const expected = plainly(file);
    expect(json).toMatchObject({
      format: 'ndjson',
      bytes: Buffer.byteLength(file),
      linesRead: 30_001,
      rejected: 3000,
      chunksDone: json?.['chunks'],
    });
    expect(json?.['chunks']).toBeGreaterThan(1);
    expect((await call('GET', `${ingestion}/results`)).json).toMatchObject(expected);
    const rejects = (await call('GET', `${ingestion}/rejects`)).text.split('\n').filter(Boolean);
    expect(rejects).toHaveLength(3000);
    expect(JSON.parse(rejects[0]!)).toMatchObject({ line: 10, reason: expect.any(String) as string });
    const list = await call('GET', `${origin()}/api/ingestions?top=100`);
    expect(list.text).toContain(json!['id']);

    const ask = { kind: 'sales-report', ingestion: json!['id'], top: 2, percentiles: [50] };
    const key = { 'idempotency-key': randomUUID() };
    const started = await call('POST', `${origin()}/api/jobs`, ask, key);
    expect([started.status, started.headers.has('retry-after')]).toEqual([202, true]);
    const job = at(started);
    expect(at(await call('POST', `${origin()}/api/jobs`, ask, key))).toBe(job);
    expect((await call('POST', `${origin()}/api/jobs`, { ...ask, top: 3 }, key)).status).toBe(422);
    const done = await until(
      () => call('GET', job),
      ({ status }) => status !== 202,
    );
    expect([done.status, at(done)]).toEqual([303, `${job}/result`]);
    const [best] = expected.byStore.toSorted((a, b) => b.amount - a.amount);
    expect((await call('GET', `${job}/result`)).json).toMatchObject({
      total: { lines: 27_001 },
      topStores: [{ name: best!.store, amount: best!.amount }, {}],
      percentiles: [{ percentile: 50, amount: expect.any(Number) as number }],
    });
    const csv = await call('GET', `${job}/result`, undefined, { accept: 'text/csv' });
    expect(csv.headers.get('content-type')).toMatch(/^text\/csv/);
    expect(csv.text.split('\r\n')[0]).toBe('section,rank,name,lines,quantity,amount');
    expect((await call('DELETE', job)).status).toBe(409);

    expect((await call('DELETE', ingestion)).status).toBe(204);
    expect((await call('GET', ingestion)).status).toBe(404);
    expect((await call('GET', `${ingestion}/results`)).status).toBe(404);
  });

  test('CSV, packed or not, is the same ingestion', async (context) => {
    await needKey(context);
    const store = `Lyon, "Gare" ${randomUUID()}`;
    const file = `sku,date,amount,quantity,store\r\nA,2026-11-27,500,1,"${store.replaceAll('"', '""')}"\r\nB,27.11.2026,1,1,x\r\n`;
    const ingestion = await ingest(file, { 'content-type': 'text/csv' });
    const packed = { 'content-type': 'text/csv', 'content-encoding': 'gzip' };
    expect(await ingest(gzipSync(file), packed)).toBe(ingestion);
    await completed(ingestion);
    expect((await call('GET', `${ingestion}/results`)).json).toMatchObject({
      byStore: [{ store, lines: 1, quantity: 1, amount: 500 }],
      bySku: [{ sku: 'A', amount: 500 }],
    });
    expect(JSON.parse((await call('GET', `${ingestion}/rejects`)).text)).toMatchObject({
      line: 3,
      field: 'date',
    });
    expect((await call('DELETE', ingestion)).status).toBe(204);
  });

  test('the same file from several callers at once is one ingestion, and a cancelled one begins again', async (context) => {
    await needKey(context);
    const file = sample(5000) + ownLine();
    const all = await Promise.all([1, 2, 3, 4].map(() => ingest(file, NDJSON)));
    expect(new Set(all).size).toBe(1);
    const ingestion = all[0]!;
    // 202 if it was still running, and 204 if it had ended.
    const { status } = await call('DELETE', ingestion);
    expect([202, 204]).toContain(status);
    const seen = await call('GET', ingestion);
    expect([seen.status, seen.json?.['state']]).toEqual(
      status === 202 ? [200, 'cancelled'] : [404, undefined],
    );
    expect(await ingest(file, NDJSON)).toBe(ingestion);
    await completed(ingestion);
    expect((await call('GET', `${ingestion}/results`)).json).toMatchObject(plainly(file));
    expect((await call('DELETE', ingestion)).status).toBe(204);
  });

  test('a job about an ingestion that does not exist fails, and its problem gives the reason', async (context) => {
    await needKey(context);
    const ask = { kind: 'sales-report', ingestion: `ingestion-${'0'.repeat(64)}` };
    const job = at(await call('POST', `${origin()}/api/jobs`, ask));
    const ended = await until(
      () => call('GET', job),
      ({ status }) => status !== 202,
    );
    expect([ended.status, ended.json]).toMatchObject([
      200,
      { state: 'failed', problem: { title: 'There is no such ingestion' } },
    ]);
    expect((await call('GET', `${job}/result`)).status).toBe(409);
  });

  test.for<[string, string, unknown, Record<string, string>, number]>([
    ['POST', '/api/ingestions', 'text', { 'content-type': 'text/plain' }, 415],
    ['POST', '/api/ingestions', 'date;store\n', { 'content-type': 'text/csv' }, 400],
    ['POST', '/api/ingestions', 'text', { ...NDJSON, 'content-encoding': 'gzip' }, 400],
    ['POST', '/api/ingestions?maxParallel=65', '{}\n', NDJSON, 400],
    ['POST', '/api/ingestions', { blob: '../secret' }, {}, 400],
    ['POST', '/api/ingestions', { blob: 'nothing.csv' }, {}, 404],
    ['GET', '/api/ingestions?top=0', undefined, {}, 400],
    ['GET', '/api/ingestions/ingestion-1', undefined, {}, 404],
    ['GET', '/api/ingestions/ingestion-1/rejects', undefined, {}, 404],
    ['POST', '/api/jobs', { kind: 'other' }, {}, 400],
    ['GET', '/api/jobs/job-none', undefined, {}, 404],
    ['DELETE', '/api/jobs/job-none', undefined, {}, 404],
  ])('%s %s with %j and %j is answered %i', async ([method, path, body, headers, status], context) => {
    await needKey(context);
    const answer = await call(method, origin() + path, body, headers);
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining('urn:problem:')]);
  });

  /** Uploads a file. @returns the address of its ingestion */
  async function ingest(
    file: string | Uint8Array,
    headers: Record<string, string>,
    query = '',
  ): Promise<string> {
    const answer = await call('POST', `${origin()}/api/ingestions${query}`, file, headers);
    expect([answer.status, answer.status === 202 ? '' : answer.text]).toEqual([202, '']);
    return at(answer);
  }

  async function completed(ingestion: string): Promise<Answer> {
    return until(
      () => call('GET', ingestion),
      ({ json }) => json?.['state'] === 'completed',
    );
  }

  function at(answer: Answer): string {
    return new URL(answer.headers.get('location')!, origin()).href;
  }

  async function needKey({ skip }: TestContext): Promise<void> {
    const { status } = await call('GET', `${origin()}/api/ingestions`);
    if (status === 401) skip('The app needs a function key: set E2E_FUNCTION_KEY.');
  }
});
