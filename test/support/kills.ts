/** Kills a host at each of its storage operations, and lets another host continue. */
import { BlobServiceClient } from '@azure/storage-blob';
import { inject } from 'vitest';
import { faultyStorage } from '../../emulator/test/support/faulty-storage.js';
import { TestApp, type TestAppOptions } from '../../emulator/src/testing.js';
import { theApp } from './app.js';
import { disabled } from './disabled.js';

/**
 * Starts the app, with its task hub and its tables in one account.
 *
 * @param time what its clock shows: for a host that continues where the clock of another has skipped ahead
 */
export async function startOn(
  connection: string,
  settings?: TestAppOptions['settings'],
  time?: Date,
): Promise<TestApp> {
  return TestApp.start({
    app: theApp,
    storage: connection,
    settings: {
      ...settings,
      AppStorage: connection,
      ...disabled('SendHeartbeat', 'Purge', 'DeliverNotification'),
    },
    verifyReplay: false,
    ...(time && { time }),
  });
}

/** What a host does in its life. */
export interface Life {
  app: TestApp;
  /** Begins to count storage operations, and runs `task` until it ends or the host dies. */
  live: (task: () => Promise<unknown>) => Promise<void>;
}

/**
 * Runs a host that dies after so many storage operations. When this returns, it is dead, and its lease is
 * free.
 *
 * @returns how many operations there were
 */
export async function untilKilled(
  connection: string,
  kill: number,
  life: (life: Life) => Promise<void>,
  settings?: TestAppOptions['settings'],
): Promise<number> {
  const storage = await faultyStorage(connection, ['Table', 'Blob', 'Queue']);
  const app = await startOn(storage.connection, settings);
  let operations = 0;
  await life({
    app,
    live: async (task) => {
      const dead = new Promise<void>((resolve) => {
        storage.fault = () => {
          if (operations++ < kill) return undefined;
          storage.stop();
          resolve();
          return 'request lost';
        };
      });
      await Promise.race([dead, task()]);
    },
  });
  const counted = operations;
  storage.stop();
  void app.stop().catch(() => {});
  await breakLeases(connection);
  return counted;
}

/** The lease of a dead process is taken over at once. Here dead hosts and living ones share a process. */
async function breakLeases(connection: string): Promise<void> {
  const service = BlobServiceClient.fromConnectionString(connection);
  for await (const { name } of service.listContainers()) {
    if (!name.endsWith('-applease')) continue;
    const container = service.getContainerClient(name);
    for await (const blob of container.listBlobsFlat())
      await container
        .getBlobClient(blob.name)
        .getBlobLeaseClient()
        .breakLease(0)
        .catch(() => {});
  }
}

/** How many hosts run at once: they wait for storage most of the time. */
const TOGETHER = 4;

/**
 * Runs `trial` for kills at storage operations: at all of them in the long form (`npm run test:long`), else
 * at `few` of them, evenly spaced.
 *
 * @param trial gets whether the caller, who got no answer, sends the request again: so in every second trial
 */
export async function forKills(
  operations: number,
  few: number,
  trial: (kill: number, again: boolean) => Promise<unknown>,
): Promise<void> {
  const step = inject('long') ? 1 : operations / few;
  const points = Array.from({ length: Math.floor(operations / step) }, (_, index) => ({
    kill: Math.floor((index + 0.5) * step),
    again: index % 2 === 0,
  }));
  await Promise.all(
    Array.from({ length: TOGETHER }, async () => {
      for (let point = points.shift(); point !== undefined; point = points.shift()) {
        try {
          await trial(point.kill, point.again);
        } catch (error) {
          throw new Error(`Killed at operation ${point.kill} of ${operations}`, { cause: error });
        }
      }
    }),
  );
}
