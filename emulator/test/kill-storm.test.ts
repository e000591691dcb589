/**
 * The emulator is killed between any two storage operations. Nothing is lost, no recorded step runs again,
 * and all ends as without a kill.
 */
import { BlobServiceClient } from '@azure/storage-blob';
import { expect, inject, test } from 'vitest';
import { account } from './support/azurite.js';
import { faultyStorage } from './support/faulty-storage.js';
import { ending, Life, loadScenario, play, type Ending } from './support/scenario.js';

const worker = await loadScenario();

/**
 * Breaks the lease. In this test all hosts live in one process, so a new host cannot see that the old one is
 * dead.
 */
async function giveUpLease(connection: string): Promise<void> {
  const blob = BlobServiceClient.fromConnectionString(connection)
    .getContainerClient('hub-applease')
    .getBlobClient('hub-appleaseinfo');
  await blob
    .getBlobLeaseClient()
    .breakLease(0)
    .catch(() => {});
}

/** Plays the scenario on hosts. Each dies after its number of storage operations; the last one lives. */
async function playKilled(name: string, ...kills: number[]): Promise<Ending & { operations: number }> {
  const connection = await account();
  const said: string[] = [];
  let operations = 0;
  let over = false;
  let life: Life;
  const storages = await Promise.all(
    [...kills, Infinity].map(async (kill) => ({ kill, storage: await faultyStorage(connection) })),
  );
  void (async () => {
    for (const { kill, storage } of storages) {
      const mine = (life = new Life(storage.connection, worker, (level, _category, message) => {
        if (level !== 'information') said.push(message);
      }));
      operations = 0;
      await new Promise<void>((resolve) => {
        storage.fault = () => {
          if (over || operations++ < kill) return undefined;
          mine.die();
          storage.stop();
          resolve();
          return 'request lost';
        };
      });
      await giveUpLease(connection);
    }
  })();
  await play(name, () => life);
  over = true;
  const end = await ending(name, life!);
  await life!.engine.stop();
  for (const { storage } of storages) storage.stop();
  return { ...end, wrong: [...end.wrong, ...said], operations };
}

/** How many scenarios run at the same time: most of their time they wait for storage. */
const TOGETHER = 4;
/** The long form kills at every point. The short one kills at few of them, from a random first point. */
const EVERY = inject('long') ? 1 : 160;
const FIRST = Math.floor(Math.random() * EVERY);

async function storm(kills: readonly number[][], undisturbed: Ending): Promise<void> {
  const left = [...kills];
  await Promise.all(
    Array.from({ length: TOGETHER }, async () => {
      for (let points = left.shift(); points !== undefined; points = left.shift()) {
        const { operations: _, ...end } = await playKilled(`kill-${points.join('-')}`, ...points);
        expect(end, `killed after ${points.join(' and ')} operations`).toEqual(undisturbed);
      }
    }),
  );
}

test(
  'killed between any two storage operations, it loses nothing and repeats no recorded step',
  { timeout: 1_200_000 },
  async () => {
    const { operations, ...undisturbed } = await playKilled('calm');
    expect(undisturbed.wrong).toEqual([]);
    const points = Array.from({ length: operations }, (_, point) => point).filter(
      (point) => point % EVERY === FIRST,
    );
    await storm(
      points.map((point) => [point]),
      undisturbed,
    );
    // The next host is killed, too: while it takes the hub, and while it reads and continues the instances.
    const middle = Math.floor(operations / 2);
    await storm(
      points.filter((point) => point < middle).map((point) => [middle, point]),
      undisturbed,
    );
  },
);
