import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import { QueueClient } from '@azure/storage-queue';
import { describe, expect, it, onTestFinished } from 'vitest';
import { faultyStorage, healthy } from '../../emulator/test/support/faulty-storage.js';
import { startApp } from '../support/app.js';
import { account } from '../support/azurite.js';
import {
  blobsIn,
  containerOf,
  enqueue,
  plainly,
  put,
  rejectsOf,
  resultsOf,
  sample,
  see,
  send,
  SMALL_CHUNKS,
} from './support.js';

const ndjson = sample(40);
const csv = sample(40, 'csv');
const expected = plainly(ndjson);
const json = 'application/json';

describe('a file', () => {
  it('that the README gives as a sample has the lines that the README says', async () => {
    const { app } = await startApp();
    const file = await readFile(new URL('../../src/ingestion/sample.csv', import.meta.url));
    const location = await send(app, file, { type: 'text/csv' });
    await app.quiet();
    expect(await see(app, location)).toMatchObject({ state: 'completed', linesRead: 200, rejected: 4 });
  });

  it.each([
    ['NDJSON', ndjson, 'application/x-ndjson', {}],
    ['CSV', csv, 'text/csv; charset=utf-8', {}],
    ['NDJSON packed with gzip', gzipSync(ndjson), 'application/x-ndjson', { 'content-encoding': 'gzip' }],
    ['CSV packed with gzip', gzipSync(csv), 'text/csv', { 'content-encoding': 'gzip' }],
  ])('of %s is read in chunks, to the totals that a plain program has', async (_, body, type, headers) => {
    const { app, storage } = await startApp({ settings: SMALL_CHUNKS });
    const location = await send(app, body, { type, headers });
    await app.quiet();
    const seen = await see(app, location);
    expect(seen).toMatchObject({ state: 'completed', linesRead: 40, rejected: 4 });
    expect(seen.chunks).toBeGreaterThan(2);
    expect(seen.chunksDone).toBe(seen.chunks);
    expect(await resultsOf(app, location)).toMatchObject(expected);
    const first = type.startsWith('text/csv') ? 1 : 0;
    expect((await rejectsOf(app, location)).map(({ line, field }) => [line - first, field])).toEqual([
      [10, 'amount'],
      [20, 'quantity'],
      [30, 'store'],
      [40, 'date'],
    ]);
    expect((await blobsIn(storage, 'ingestions')).filter((name) => name.includes('/wave-'))).toEqual([]);
  });

  it.each([
    ['november.ndjson', ndjson, undefined],
    ['2026/november sales.csv', csv, undefined],
    ['november.csv.gz', gzipSync(csv), undefined],
    ['november', ndjson, 'application/x-ndjson'],
  ])('that lies in the container incoming as %s is read', async (blob, content, type) => {
    const { app, storage } = await startApp();
    await put(storage, blob, content, type);
    const location = await send(app, JSON.stringify({ blob }), { type: json });
    await app.quiet();
    expect(await resultsOf(app, location)).toMatchObject(expected);
  });

  it('that a message on the queue ingest names is read, and is the same as one that was sent', async () => {
    const { app, storage } = await startApp({ ingestQueue: true });
    await put(storage, 'november.csv', csv);
    await enqueue(storage, 'ingest', { blob: 'november.csv', maxParallel: 3 });
    await app.quiet();
    const location = await send(app, csv, { type: 'text/csv' });
    expect(await see(app, location)).toMatchObject({ state: 'completed', maxParallel: 3 });
    expect(await resultsOf(app, location)).toMatchObject(expected);
  });

  it('that is larger than an upload is read where it lies, and again when it has changed', async () => {
    const { app, storage } = await startApp();
    const good = '{"date":"2026-11-27","store":"Berlin","sku":"A","quantity":1,"amount":5}\n';
    const large = Buffer.concat([
      Buffer.from(good),
      Buffer.alloc(100 * 1024 * 1024, 'x'),
      Buffer.from(`\n${good}`),
    ]);
    const blob = 'large.ndjson';
    await put(storage, blob, large);
    const ask = (): Promise<string> => send(app, JSON.stringify({ blob }), { type: json });
    const location = await ask();
    expect(await ask()).toBe(location);
    await app.quiet();
    expect(await see(app, location)).toMatchObject({
      state: 'completed',
      linesRead: 3,
      rejected: 1,
      bytes: large.length,
    });
    expect(await rejectsOf(app, location)).toEqual([
      { line: 2, field: 'line', reason: 'It has more than 65536 bytes' },
    ]);
    expect((await blobsIn(storage, 'ingestions')).filter((name) => name.endsWith('/content'))).toEqual([]);

    app.replace('SplitIngestion', async (run: { id: string; files: string }) => {
      await put(storage, blob, good);
      const { splitIngestion } = await import('../../src/ingestion/activities.js');
      return splitIngestion.handler(run, undefined!);
    });
    await containerOf(storage, 'incoming').getBlobClient(blob).setMetadata({ touched: 'yes' });
    const second = await ask();
    expect(second).not.toBe(location);
    await app.quiet();
    expect(await see(app, second)).toMatchObject({
      state: 'failed',
      failure: { reason: 'The blob large.ndjson is gone, or has changed' },
    });
  });

  it('without lines has no totals', async () => {
    const { app } = await startApp();
    for (const [body, type] of [
      ['', 'application/x-ndjson'],
      ['\n\n', 'application/x-ndjson'],
      ['date,store,sku,quantity,amount', 'text/csv'],
    ] as const) {
      const location = await send(app, body, { type });
      await app.quiet();
      expect(await see(app, location)).toMatchObject({ state: 'completed', linesRead: 0 });
      expect(await resultsOf(app, location)).toMatchObject({ byStore: [], bySku: [] });
      expect(await rejectsOf(app, location)).toEqual([]);
    }
  });
});

describe('a request', () => {
  it.each([
    ['of another type', '<sales/>', { 'content-type': 'application/xml' }, 415, 'unsupported-type'],
    ['of no type', 'x', {}, 415, 'unsupported-type'],
    [
      'in another encoding',
      'x',
      { 'content-type': 'text/csv', 'content-encoding': 'br' },
      415,
      'unsupported-type',
    ],
    ['without a header', '2026-11-27,Berlin,A,1,5\n', { 'content-type': 'text/csv' }, 400, 'invalid-header'],
    ['that is no gzip', csv, { 'content-type': 'text/csv', 'content-encoding': 'gzip' }, 400, 'not-gzip'],
    [
      'with half a gzip',
      gzipSync(csv).subarray(0, 90),
      { 'content-type': 'text/csv', 'content-encoding': 'gzip' },
      400,
      'not-gzip',
    ],
    [
      'that unpacks to more than 100 MB',
      gzipSync(Buffer.alloc(100 * 1024 * 1024 + 1, '\n')),
      { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' },
      413,
      'too-large',
    ],
    ['for a blob that is not there', '{"blob":"nothing.csv"}', { 'content-type': json }, 404, 'not-found'],
    ['for a blob elsewhere', '{"blob":"../secrets/a.csv"}', { 'content-type': json }, 400, 'invalid-request'],
    ['for no blob', '{}', { 'content-type': json }, 400, 'invalid-request'],
  ])('%s is refused, and leaves nothing', async (_, body, headers, status, type) => {
    const { app, storage } = await startApp();
    const response = await app.post('/api/ingestions', body, headers);
    expect([response.status, ((await response.json()) as { type: string }).type]).toEqual([
      status,
      `urn:problem:${type}`,
    ]);
    expect(await blobsIn(storage, 'ingestions')).toEqual([]);
    expect(await (await app.get('/api/ingestions')).json()).toEqual({ value: [] });
  });

  it.each(['0', '65', '1.5', 'many'])('for %s chunks at once is refused', async (maxParallel) => {
    const { app } = await startApp();
    const response = await app.post(`/api/ingestions?maxParallel=${maxParallel}`, ndjson, {
      'content-type': 'application/x-ndjson',
    });
    expect(response.status).toBe(400);
  });

  it('that is cut short leaves nothing, and a line at debug level', async () => {
    const logged: string[] = [];
    const { app, storage } = await startApp({
      log: (level, _category, message) => logged.push(`${level} ${message}`),
    });
    for (const [path, type, framing] of [
      ['/api/ingestions', 'application/x-ndjson', { 'content-length': '1000000' }],
      ['/api/ingestions', 'application/x-ndjson', { 'transfer-encoding': 'chunked' }],
      ['/api/approvals', 'application/json', { 'content-length': '1000000' }],
      ['/api/approvals', 'application/json', { 'content-length': '10000' }],
      ['/api/NewUser', 'application/json', { 'transfer-encoding': 'chunked' }],
    ] as const) {
      const sent = httpRequest(`${app.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': type, ...framing },
      });
      const broken = new Promise((resolve) => sent.once('error', resolve));
      // The host passes each request on to a server of the app.
      const received = Promise.withResolvers<void>();
      const listen = (message: unknown): void => {
        const { request } = message as { request: IncomingMessage };
        if (request.headers['x-ms-invocation-id'] !== undefined) received.resolve();
      };
      subscribe('http.server.request.start', listen);
      sent.write(type === 'application/json' ? '{' : ndjson);
      await received.promise;
      unsubscribe('http.server.request.start', listen);
      sent.destroy();
      await broken;
    }
    await app.quiet();
    await expect
      .poll(() => logged.filter((line) => line.startsWith('debug The caller broke off POST')).length)
      .toBe(5);
    expect(logged.filter((line) => /^(error|warning|critical)|\n +at /.test(line))).toEqual([]);
    expect(await blobsIn(storage, 'ingestions')).toEqual([]);
    expect(await (await app.get('/api/ingestions')).json()).toEqual({ value: [] });
  });

  it('for a blob of an impossible name is 404, for one that changes or is archived 409, for results that are removed 404, and without storage 503', async () => {
    const blobs = await faultyStorage(await account(), ['Blob']);
    onTestFinished(() => {
      blobs.stop();
    });
    const { app, storage } = await startApp({ settings: { AppStorage: blobs.connection } });
    await put(storage, 'november.csv', csv);
    await put(storage, 'archived.csv', csv);
    await containerOf(storage, 'incoming').getBlobClient('archived.csv').setAccessTier('Archive');
    const location = await send(app, csv, { type: 'text/csv' });
    await app.quiet();
    const ask = (blob: string): Promise<Response> => app.post('/api/ingestions', { blob });
    // Azure answers so to a name of more than 254 segments, which Azurite takes.
    blobs.fault = ({ path }) => (path.includes('a/a/') ? { status: 400, code: 'InvalidUri' } : undefined);
    expect((await ask(`${'a/'.repeat(300)}a.csv`)).status).toBe(404);
    expect([(await ask('archived.csv')).status, (await ask('november.csv')).status]).toEqual([409, 202]);
    blobs.fault = ({ method, path }) =>
      method === 'GET' && path.includes('/incoming/') ? { status: 412, code: 'ConditionNotMet' } : undefined;
    const changed = await ask('november.csv');
    expect([changed.status, await changed.json()]).toMatchObject([409, { type: 'urn:problem:conflict' }]);
    blobs.fault = ({ path }) =>
      path.includes('results.json') ? { status: 404, code: 'BlobNotFound' } : undefined;
    expect((await app.get(`${location}/results`)).status).toBe(404);
    // The connection to storage breaks, not that of the caller.
    blobs.fault = ({ method }) => (method === 'PUT' ? 'request lost' : undefined);
    const failed = await app.post('/api/ingestions', `${csv}\n`, { 'content-type': 'text/csv' });
    expect([failed.status, failed.headers.get('retry-after')]).toEqual([503, '10']);
    blobs.fault = healthy;
    expect(await resultsOf(app, location)).toMatchObject(expected);
  });

  it('that is refused early is answered, although its caller still sends', async () => {
    const { app, storage } = await startApp();
    const sent = httpRequest(`${app.url}/api/ingestions`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
    });
    const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
    const part = Buffer.alloc(1024 * 1024, 'no,header\n');
    for (let written = 0; written < 6; written++) if (!sent.write(part)) await once(sent, 'drain');
    sent.end();
    const [{ statusCode }] = await answered;
    expect(statusCode).toBe(400);
    expect(await blobsIn(storage, 'ingestions')).toEqual([]);
  });

  it('on the queue that cannot be done goes to the poison queue', async () => {
    const { app, storage } = await startApp({ ingestQueue: true });
    await enqueue(storage, 'ingest', { blob: 'nothing.csv' });
    await app.quiet();
    const poison = new QueueClient(storage.connectionString, 'ingest-poison');
    expect((await poison.peekMessages()).peekedMessageItems).toHaveLength(1);
  });
});
