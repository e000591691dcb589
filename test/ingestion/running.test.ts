import { describe, expect, it } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import { faultyStorage, healthy } from '../../emulator/test/support/faulty-storage.js';
import type { Run } from '../../src/ingestion/model.js';
import type { Chunk } from '../../src/sales/index.js';
import { AppStorage, startApp } from '../support/app.js';
import { account } from '../support/azurite.js';
import { blobsIn, plainly, rejectsOf, resultsOf, sample, see, send, SMALL_CHUNKS } from './support.js';

type Input = Run & { wave: number; from: number; chunks: Chunk[] };

const ndjson = sample(60);
const expected = plainly(ndjson);

/** Runs something before each batch of chunks is read. */
async function beforeEachBatch(app: TestApp, before: (input: Input) => Promise<void> | void): Promise<void> {
  const { ingestChunks } = await import('../../src/ingestion/activities.js');
  app.replace('IngestChunks', async (input: Input) => {
    await before(input);
    return ingestChunks.handler(input, undefined!);
  });
}

/** Runs something when a chunk is read: if it throws, the chunk cannot be read. */
const beforeEachChunk = (app: TestApp, before: (number: number) => void): Promise<void> =>
  beforeEachBatch(app, (input) => {
    input.chunks = input.chunks.map((chunk, index) => ({
      ...chunk,
      get from() {
        before(input.from + index);
        return chunk.from;
      },
    }));
  });

describe('an ingestion that runs', () => {
  it('reads no more chunks at once than it may, and shows how far it is', async () => {
    const { app } = await startApp({ time: '2030-01-01T00:00:00Z', settings: SMALL_CHUNKS });
    let [running, most] = [0, 0];
    const held = Promise.withResolvers<void>();
    const halfWay = Promise.withResolvers<void>();
    let begun = 0;
    const { ingestChunks } = await import('../../src/ingestion/activities.js');
    app.replace('IngestChunks', async (input: Input) => {
      most = Math.max(most, ++running);
      if (++begun > 6) {
        halfWay.resolve();
        await held.promise;
      }
      const result = await ingestChunks.handler(input, undefined!);
      running--;
      return result;
    });
    const location = await send(app, sample(200), { query: '?maxParallel=3' });
    await halfWay.promise;
    const seen = await see(app, location);
    expect(seen).toMatchObject({
      state: 'running',
      startedAt: '2030-01-01T00:00:00.000Z',
      estimatedEnd: expect.any(String) as string,
    });
    expect(seen.chunksDone).toBeGreaterThanOrEqual(4);
    expect(seen.chunksDone).toBeLessThan(seen.chunks!);
    expect(seen.linesRead).toBeGreaterThan(0);
    expect((await app.get(`${location}/results`)).status).toBe(409);
    expect((await app.get(`${location}/rejects`)).status).toBe(409);
    held.resolve();
    await app.quiet();
    expect(await resultsOf(app, location)).toMatchObject(plainly(sample(200)));
    expect(most).toBe(3);
  });

  it('has histories of the same length for every length of the file', async () => {
    const longest = async (lines: number): Promise<number> => {
      const { app } = await startApp({ settings: { INGESTION_CHUNK_BYTES: '1' }, verifyReplay: false });
      const location = await send(app, sample(lines), { query: '?maxParallel=1' });
      await app.quiet();
      expect((await see(app, location)).chunks).toBe(lines);
      const histories = await Promise.all(
        (await app.instances()).map(async ({ instanceId }) => (await app.history(instanceId)).length),
      );
      return Math.max(...histories);
    };
    expect(await longest(33)).toBe(await longest(20));
  });

  it('stops when it is cancelled, within one chunk for each worker, and removes what was made', async () => {
    const storage = await faultyStorage(await account(), ['Blob']);
    const { connection } = storage;
    const { app } = await startApp({ settings: { ...SMALL_CHUNKS, AppStorage: connection } });
    const held = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    let read = 0;
    storage.fault = async ({ method, path }) => {
      if (method !== 'GET' || !path.endsWith('/content')) return undefined;
      if (++read === 5) begun.resolve();
      if (read >= 5) await held.promise;
      return undefined;
    };
    const location = await send(app, ndjson, { query: '?maxParallel=2' });
    await begun.promise;
    const answer = await app.delete(location);
    expect([answer.status, await answer.json()]).toMatchObject([202, { state: 'cancelled' }]);
    expect((await app.delete(location)).status).toBe(202);
    held.resolve();
    await app.quiet();
    expect(read).toBeLessThanOrEqual(6);
    expect(await see(app, location)).toMatchObject({ state: 'cancelled' });
    expect(await blobsIn(new AppStorage(connection), 'ingestions')).toEqual([]);
    expect((await app.get(`${location}/results`)).status).toBe(409);

    storage.fault = healthy;
    expect(await send(app, ndjson)).toBe(location);
    await app.quiet();
    expect(await resultsOf(app, location)).toMatchObject(expected);
    storage.stop();
  });

  it('tries a chunk again that failed', async () => {
    const { app } = await startApp({ settings: SMALL_CHUNKS });
    const failed = new Set<number>();
    await beforeEachChunk(app, (number) => {
      if (!failed.has(number) && failed.add(number)) throw new Error('The network is down');
    });
    const location = await send(app, ndjson);
    await app.skip({ minutes: 2 });
    expect(failed.size).toBeGreaterThan(5);
    expect(await resultsOf(app, location)).toMatchObject(expected);
  });

  it('fails when a chunk fails every time, and says which and why; the same file begins it again', async () => {
    const { app, storage } = await startApp({ settings: SMALL_CHUNKS });
    await beforeEachChunk(app, (number) => {
      if (number === 7) throw new Error('The disk is full');
    });
    const location = await send(app, ndjson);
    await app.skip({ minutes: 2 });
    const { failure, state } = await see(app, location);
    expect([state, failure?.reason, failure?.chunk?.number]).toEqual(['failed', 'The disk is full', 7]);
    const { from, to, line } = failure!.chunk!;
    expect(ndjson.slice(0, from).split('\n').length).toBe(line);
    expect(ndjson.slice(from, to).endsWith('\n')).toBe(true);
    expect(await blobsIn(storage, 'ingestions')).toEqual([]);

    app.restore('IngestChunks');
    expect(await send(app, ndjson)).toBe(location);
    await app.quiet();
    expect(await see(app, location)).toMatchObject({ state: 'completed' });
    expect(await resultsOf(app, location)).toMatchObject(expected);
  });

  it('keeps the totals of at most a few thousand names in memory', async () => {
    const { app } = await startApp({ settings: { INGESTION_CHUNK_BYTES: '150000' } });
    const lines = Array.from({ length: 30_000 }, (_, line) => `2026-11-28,Berlin,${line},1,5\n`);
    const location = await send(app, `date,store,sku,quantity,amount\n${lines.join('')}`, {
      type: 'text/csv',
      query: '?maxParallel=1',
    });
    await app.quiet();
    const inputs = app.calls('IngestChunks').map(({ input }) => input as Input);
    // A chunk has about 5,600 names.
    expect(inputs.map(({ from }) => from)).toEqual([0, 3, 5]);
    expect((await resultsOf(app, location)).byStore).toEqual([
      { store: 'Berlin', lines: 30_000, quantity: 30_000, amount: 150_000 },
    ]);
  });

  it('counts every line once when each activity runs twice, and reads fewer chunks at the second time', async () => {
    const { app } = await startApp({ settings: SMALL_CHUNKS });
    const activities = await import('../../src/ingestion/activities.js');
    for (const { activityName, handler } of [
      activities.splitIngestion,
      activities.findNextWave,
      activities.ingestChunks,
      activities.mergeGroup,
      activities.mergeWave,
      activities.completeIngestion,
      activities.removeFiles,
    ] as { activityName: string; handler: (input: never, context: never) => unknown }[]) {
      app.replace(activityName, async (input: never) => {
        const first = await handler(input, undefined!);
        if (activityName !== 'IngestChunks') {
          await handler(input, undefined!);
          return first;
        }
        const { chunks } = input as Input;
        return handler({ ...(input as Input), chunks: chunks.slice(0, 2) } as never, undefined!);
      });
    }
    const location = await send(app, ndjson, { query: '?maxParallel=2' });
    await app.quiet();
    expect(await resultsOf(app, location)).toMatchObject(expected);
    expect(await rejectsOf(app, location)).toHaveLength(expected.rejected);
  });

  it('goes on after its workflow was terminated, from the wave that was not done', async () => {
    const { app } = await startApp({ sweep: true, settings: SMALL_CHUNKS });
    const held = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    await beforeEachBatch(app, async ({ wave }) => {
      if (wave !== 1) return;
      begun.resolve();
      await held.promise;
    });
    const location = await send(app, sample(200), { query: '?maxParallel=1' });
    await begun.promise;
    const root = (await app.instances()).find(({ name }) => name === 'IngestionOrchestrator')!;
    const terminated = app.terminate(root.instanceId);
    app.restore('IngestChunks');
    held.resolve();
    await terminated;
    expect(await app.instance(root.instanceId)).toMatchObject({ runtimeStatus: 'Terminated' });
    expect(await see(app, location)).toMatchObject({ state: 'running' });
    await app.skip({ minutes: 10 });
    expect(await resultsOf(app, location)).toMatchObject(plainly(sample(200)));
    const inputs = app.calls('IngestChunks').map(({ input }) => input as Input);
    expect(inputs.filter(({ wave }) => wave === 0).flatMap(({ chunks }) => chunks)).toHaveLength(16);
  });
});

describe('the same file', () => {
  it('twice is one ingestion, and its second copy is dropped', async () => {
    const { app, storage } = await startApp();
    const location = await send(app, ndjson);
    expect(await send(app, ndjson, { headers: {} })).toBe(location);
    await app.quiet();
    expect(await send(app, ndjson)).toBe(location);
    await app.quiet();
    expect(app.calls('CompleteIngestion')).toHaveLength(1);
    expect((await blobsIn(storage, 'ingestions')).filter((name) => name.endsWith('/content'))).toHaveLength(
      1,
    );
  });

  it('from several callers at once is one ingestion; other files are others', async () => {
    const { app, storage } = await startApp();
    const locations = await Promise.all([1, 2, 3, 4].map(() => send(app, ndjson)));
    const others = await Promise.all([11, 12, 13].map((lines) => send(app, sample(lines))));
    expect(new Set(locations).size).toBe(1);
    expect(new Set([...locations, ...others]).size).toBe(4);
    await app.quiet();
    expect(await resultsOf(app, locations[0]!)).toMatchObject(expected);
    for (const [index, lines] of [11, 12, 13].entries()) {
      expect(await resultsOf(app, others[index]!)).toMatchObject(plainly(sample(lines)));
    }
    expect((await blobsIn(storage, 'ingestions')).filter((name) => name.endsWith('/content'))).toHaveLength(
      4,
    );
  });

  it('is a new ingestion after it was removed', async () => {
    const { app, storage } = await startApp();
    const location = await send(app, ndjson);
    await app.quiet();
    expect((await app.delete(location)).status).toBe(204);
    expect((await app.delete(location)).status).toBe(204);
    await app.quiet();
    expect((await app.get(location)).status).toBe(404);
    expect(await blobsIn(storage, 'ingestions')).toEqual([]);
    expect(await send(app, ndjson)).toBe(location);
    await app.quiet();
    expect(await resultsOf(app, location)).toMatchObject(expected);
  });
});

it('ingestions are listed a page at a time, the newest first', async () => {
  const { app } = await startApp({ time: '2030-01-01T00:00:00Z' });
  const ids: string[] = [];
  for (const lines of [1, 2, 3, 4, 5]) {
    ids.unshift((await send(app, sample(lines))).split('/').at(-1)!);
    await app.skip({ seconds: 1 });
  }
  const seen: string[] = [];
  for (let next: string | undefined = '/api/ingestions?top=2'; next !== undefined;) {
    const page = (await (await app.get(next)).json()) as { value: { id: string }[]; nextLink?: string };
    expect(page.value.length).toBeLessThanOrEqual(2);
    seen.push(...page.value.map(({ id }) => id));
    next = page.nextLink;
  }
  expect(seen).toEqual(ids);
  expect((await app.get('/api/ingestions?continuation=%27')).status).toBe(400);
});
