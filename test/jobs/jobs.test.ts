import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import type { Job, SalesReport } from '../../src/jobs/model.js';
import { startApp } from '../support/app.js';
import { blobsIn, plainly, sample, send } from '../ingestion/support.js';

const file = sample(60);
const plain = plainly(file);
/** The amounts of the lines that are not rejected, in ascending order. */
const amounts = file
  .split('\n')
  .filter((_, index) => index < 60 && index % 10 !== 9)
  .map((line) => (JSON.parse(line) as { amount: number }).amount)
  .toSorted((a, b) => a - b);
const largest = (sums: typeof plain.byStore): string[] =>
  sums.toSorted((a, b) => b.amount - a.amount).map(({ store, sku }) => store ?? sku!);

/** Ingests the file. @returns the id of its ingestion */
async function ingested(app: TestApp): Promise<string> {
  const location = await send(app, file);
  await app.quiet();
  return location.split('/').at(-1)!;
}

const post = (app: TestApp, ingestion: string, more: object = {}, key?: string): Promise<Response> =>
  app.post(
    '/api/jobs',
    { kind: 'sales-report', ingestion, ...more },
    key === undefined ? {} : { 'idempotency-key': key },
  );

/** Starts a job. @returns where it is */
async function start(app: TestApp, ingestion: string, more: object = {}): Promise<string> {
  const response = await post(app, ingestion, more);
  expect(response.status).toBe(202);
  return response.headers.get('location')!;
}

const job = async (response: Response): Promise<Job> => (await response.json()) as Job;

describe('a job', () => {
  it('is answered with 202 while it runs, then with 303 to its result', async () => {
    const { app } = await startApp();
    const ingestion = await ingested(app);
    const held = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { collectAmounts } = await import('../../src/jobs/activities.js');
    app.replace('CollectAmounts', async (input: Parameters<typeof collectAmounts.handler>[0]) => {
      begun.resolve();
      await held.promise;
      return collectAmounts.handler(input, undefined!);
    });
    const started = await post(app, ingestion, { top: 2, percentiles: [99, 50, 100, 0.1] });
    expect(started.status).toBe(202);
    expect(Number(started.headers.get('retry-after'))).toBeGreaterThan(0);
    const location = started.headers.get('location')!;
    await begun.promise;
    const running = await app.get(location);
    expect([running.status, running.headers.get('location'), await running.json()]).toMatchObject([
      202,
      location,
      { state: 'running', progress: { step: 'reading the lines', done: 0, of: 1 } },
    ]);
    expect((await app.get(`${location}/result`)).status).toBe(409);
    held.resolve();
    await app.quiet();

    const done = await app.get(location);
    expect([done.status, done.headers.get('location')]).toEqual([303, `${location}/result`]);
    const report = (await (await app.get(`${location}/result`)).json()) as SalesReport;
    expect(report).toMatchObject({
      ingestion,
      total: { lines: 54, amount: amounts.reduce((a, b) => a + b) },
    });
    expect(report.topStores.map(({ name }) => name)).toEqual(largest(plain.byStore).slice(0, 2));
    expect(report.topSkus.map(({ name }) => name)).toEqual(largest(plain.bySku).slice(0, 2));
    expect(report.percentiles).toEqual([
      { percentile: 0.1, amount: amounts[0] },
      { percentile: 50, amount: amounts[26] },
      { percentile: 99, amount: amounts[53] },
      { percentile: 100, amount: amounts[53] },
    ]);
  });

  it('gives its result as JSON or CSV, by Accept', async () => {
    const { app } = await startApp();
    const location = await start(app, await ingested(app));
    await app.quiet();
    const get = (accept: string): Promise<Response> => app.get(`${location}/result`, { accept });
    for (const accept of ['*/*', 'application/json', 'text/csv;q=0.5, application/*', 'text/html, */*;q=0.1'])
      expect((await get(accept)).headers.get('content-type'), accept).toBe('application/json');
    for (const accept of [
      'text/csv',
      'TEXT/CSV; q=0.9, application/json;q=0.8',
      'text/*',
      'application/json;q=0, */*',
    ])
      expect((await get(accept)).headers.get('content-type'), accept).toMatch(/^text\/csv/);
    expect((await get('image/png')).status).toBe(406);

    const report = (await (await get('application/json')).json()) as SalesReport;
    const rows = parse(await (await get('text/csv')).text(), { columns: true });
    expect(rows).toHaveLength(
      1 + report.topStores.length + report.topSkus.length + report.percentiles.length,
    );
    expect(rows[1]).toEqual({
      section: 'store',
      rank: '1',
      name: report.topStores[0]!.name,
      lines: String(report.topStores[0]!.lines),
      quantity: String(report.topStores[0]!.quantity),
      amount: String(report.topStores[0]!.amount),
    });
  });

  it('is started once for each key', async () => {
    const { app } = await startApp();
    const ingestion = await ingested(app);
    const answers = await Promise.all([1, 2, 3].map(() => post(app, ingestion, {}, 'key-1')));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(new Set(answers.map(({ headers }) => headers.get('location'))).size).toBe(1);
    await app.quiet();
    expect((await post(app, ingestion, {}, 'key-1')).headers.get('location')).toBe(
      answers[0]!.headers.get('location'),
    );
    await app.quiet();
    expect(app.calls('CompleteJob')).toHaveLength(1);
    expect((await post(app, ingestion, { top: 3 }, 'key-1')).status).toBe(422);
  });

  it.each([
    ['that is not there', `ingestion-${'0'.repeat(64)}`, 'There is no such ingestion'],
    ['that was cancelled', undefined, 'The ingestion is cancelled'],
  ])('about an ingestion %s fails, and says so', async (_, known, title) => {
    const { app } = await startApp();
    let ingestion = known;
    if (ingestion === undefined) {
      const location = await send(app, file);
      await app.delete(location);
      await app.quiet();
      ingestion = location.split('/').at(-1)!;
    }
    const location = await start(app, ingestion);
    await app.quiet();
    const answer = await app.get(location);
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { state: 'failed', problem: { type: 'urn:problem:no-results', title } },
    ]);
    expect((await app.get(`${location}/result`)).status).toBe(409);
    expect((await app.delete(location)).status).toBe(409);
  });

  it('fails when a step fails at every attempt, and when the ingestion is removed meanwhile', async () => {
    const { app, storage } = await startApp();
    const ingestion = await ingested(app);
    app.replace('CollectAmounts', () => {
      throw new Error('The network is down');
    });
    const first = await start(app, ingestion);
    await app.skip({ hours: 1 });
    expect(await job(await app.get(first))).toMatchObject({
      state: 'failed',
      problem: { type: 'urn:problem:job-failed' },
    });

    app.restore('CollectAmounts');
    const { rankSales } = await import('../../src/jobs/activities.js');
    app.replace('RankSales', async (input: Parameters<typeof rankSales.handler>[0]) => {
      await app.delete(`/api/ingestions/${ingestion}`);
      for (const name of await blobsIn(storage, 'ingestions')) expect(name).toContain('/');
      const { deleteBlobs, container } = await import('../../src/storage/index.js');
      await deleteBlobs(await container('ingestions'), '');
      return rankSales.handler(input, undefined!);
    });
    const second = await start(app, ingestion);
    await app.quiet();
    expect(await job(await app.get(second))).toMatchObject({
      state: 'failed',
      problem: { type: 'urn:problem:ingestion-gone' },
    });
    expect(await blobsIn(storage, 'jobs')).toEqual([]);
  });

  it('stops when it is cancelled, and leaves nothing', async () => {
    const { app, storage } = await startApp();
    const ingestion = await ingested(app);
    const held = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { rankSales } = await import('../../src/jobs/activities.js');
    app.replace('RankSales', async (input: Parameters<typeof rankSales.handler>[0]) => {
      const result = await rankSales.handler(input, undefined!);
      begun.resolve();
      await held.promise;
      return result;
    });
    const location = await start(app, ingestion);
    await begun.promise;
    for (const _ of [1, 2]) {
      const answer = await app.delete(location);
      expect([answer.status, await answer.json()]).toMatchObject([200, { state: 'cancelled' }]);
    }
    held.resolve();
    await app.quiet();
    const answer = await app.get(location);
    expect([answer.status, await answer.json()]).toMatchObject([200, { state: 'cancelled' }]);
    expect(app.calls('CompleteJob')).toEqual([]);
    expect(await blobsIn(storage, 'jobs')).toEqual([]);
  });

  it('has a result for as long as the setting says; then it is gone, and removed by the next sweeps', async () => {
    const { app, storage } = await startApp({ sweep: true, settings: { JOB_RESULTS_EXPIRE_AFTER: 'PT20M' } });
    const location = await start(app, await ingested(app));
    await app.skip({ minutes: 19 });
    expect((await app.get(location)).status).toBe(303);
    expect(await blobsIn(storage, 'jobs')).toHaveLength(1);
    await app.skip({ minutes: 1 });
    for (const path of [location, `${location}/result`]) {
      const answer = await app.get(path);
      expect([answer.status, await answer.json()]).toMatchObject([410, { type: 'urn:problem:expired' }]);
    }
    expect((await app.delete(location)).status).toBe(409);
    await app.skip({ minutes: 3 });
    expect(await blobsIn(storage, 'jobs')).toEqual([]);
    expect((await app.get(location)).status).toBe(410);
  });

  it('is not started while the setting is no duration; one that was started before is not affected', async () => {
    for (const setting of ['a week', '7', '-P7D', 'PT0S']) {
      const logged: string[] = [];
      const { app } = await startApp({
        settings: { JOB_RESULTS_EXPIRE_AFTER: setting },
        log: (_level, _category, message) => logged.push(message),
      });
      const refused = await post(app, `ingestion-${'0'.repeat(64)}`);
      expect([refused.status, refused.headers.get('content-type')]).toEqual([
        500,
        'application/problem+json',
      ]);
      expect(logged.join('\n')).toContain(`The setting JOB_RESULTS_EXPIRE_AFTER is ${setting}: it must be`);
    }
  });

  it('goes on after its workflow was terminated', async () => {
    const { app } = await startApp({ sweep: true });
    const ingestion = await ingested(app);
    const held = Promise.withResolvers<void>();
    app.replace('RankSales', () => held.promise);
    const location = await start(app, ingestion);
    const terminated = app.terminate(location.split('/').at(-1)!);
    app.restore('RankSales');
    held.resolve();
    await terminated;
    await app.skip({ minutes: 8 });
    expect((await app.get(location)).status).toBe(303);
  });

  it.each([
    [{ kind: 'weather' }, 'kind'],
    [{ ingestion: 'x' }, 'ingestion'],
    [{ top: 0 }, 'top'],
    [{ percentiles: [101] }, 'percentiles.0'],
    [{ format: 'pdf' }, 'format'],
  ])('asked for with %j is refused', async (wrong, field) => {
    const { app } = await startApp();
    const response = await post(app, `ingestion-${'0'.repeat(64)}`, wrong);
    expect([response.status, await response.json()]).toMatchObject([400, { errors: [{ field }] }]);
  });

  it('that is not there is not found', async () => {
    const { app } = await startApp();
    expect((await app.get('/api/jobs/job-x')).status).toBe(404);
    expect((await app.get('/api/jobs/x/result')).status).toBe(404);
    expect((await app.delete('/api/jobs/job-x')).status).toBe(404);
  });
});
