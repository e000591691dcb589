/** The host killed at each storage operation of an ingestion: every line counts once, or there is no ingestion. */
import { expect, it } from 'vitest';
import { account } from '../support/azurite.js';
import { AppStorage } from '../support/app.js';
import { disabled, QUEUE_FUNCTIONS } from '../support/disabled.js';
import { forKills, startOn, untilKilled } from '../support/kills.js';
import { blobsIn, plainly, rejectsOf, resultsOf, sample, see, send } from './support.js';

/** A chunk for each line, two groups at a time, and two waves. */
const file = sample(34);
const settings = { INGESTION_CHUNK_BYTES: '1', ...disabled(...QUEUE_FUNCTIONS) };
const query = '?maxParallel=2';
const expected = plainly(file);

/**
 * Uploads a file to a host that dies after so many storage operations, and lets another continue.
 *
 * @param again whether the caller, who got no answer, sends the file again
 * @returns how many operations there were
 */
async function ingest(kill: number, again: boolean): Promise<number> {
  const connection = await account();
  const operations = await untilKilled(
    connection,
    kill,
    ({ app, live }) =>
      live(async () => {
        await send(app, file, { query });
        await app.quiet();
      }),
    settings,
  );

  const app = await startOn(connection, settings);
  try {
    if (again) await send(app, file, { query });
    await app.skip({ minutes: 25 });
    const { value: found } = (await (await app.get('/api/ingestions')).json()) as {
      value: { id: string }[];
    };
    expect(found.length).toBeLessThanOrEqual(1);
    if (again || kill === Infinity) expect(found).toHaveLength(1);
    for (const { id } of found) {
      const location = `/api/ingestions/${id}`;
      expect(await see(app, location)).toMatchObject({
        state: 'completed',
        linesRead: 34,
        rejected: 3,
        chunks: 34,
        chunksDone: 34,
      });
      expect(await resultsOf(app, location)).toMatchObject(expected);
      expect((await rejectsOf(app, location)).map(({ line }) => line)).toEqual([10, 20, 30]);
      const blobs = await blobsIn(new AppStorage(connection), 'ingestions');
      expect(blobs.filter((name) => name.includes('/wave-'))).toEqual([]);
      expect(blobs.filter((name) => name.endsWith('/results.json'))).toHaveLength(1);
    }
    return operations;
  } finally {
    await app.stop();
  }
}

it(
  'killed at any storage operation, an ingestion counts every line once, or there is none',
  { timeout: 3_600_000 },
  async () => {
    const operations = await ingest(Infinity, false);
    await forKills(operations, 2, ingest);
  },
);
