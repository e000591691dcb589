/** The host killed at each storage operation of a checkout: the order is bought once, or there was none. */
import { BlobServiceClient } from '@azure/storage-blob';
import { expect, inject, it } from 'vitest';
import { faultyStorage } from '../../emulator/test/support/faulty-storage.js';
import { TestApp } from '../../emulator/src/testing.js';
import { account } from '../support/azurite.js';
import { AppStorage } from '../support/app.js';
import { Shop } from './shop.js';

/** A life of the app, with its task hub and its tables in one account. */
async function start(connection: string): Promise<Shop> {
  const app = await TestApp.start({
    app: () => import('../../src/index.js'),
    storage: connection,
    settings: { AppStorage: connection, 'AzureWebJobs.SendHeartbeat.Disabled': 'true' },
    verifyReplay: false,
  });
  return new Shop(app, new AppStorage(connection));
}

/** The lease of a dead process is taken over at once. Here the dead live in the process of the living. */
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

/**
 * Checks a cart out on a host that dies after so many storage operations, and lets another go on.
 *
 * @param again whether the caller, who got no answer, sends the request again
 * @returns how many operations there were, and whether there is an order
 */
async function buy(kill: number, again: boolean): Promise<{ operations: number; bought: boolean }> {
  const connection = await account();
  const storage = await faultyStorage(connection, ['Table', 'Blob', 'Queue']);
  const first = await start(storage.connection);
  await first.stocked({ hammer: 10, nails: 100 });
  await first.put('ana', 'hammer', 2);
  await first.put('ana', 'nails', 3);
  await first.app.quiet();

  let operations = 0;
  const dead = new Promise<void>((resolve) => {
    storage.fault = () => {
      if (operations++ < kill) return undefined;
      storage.stop();
      resolve();
      return 'request lost';
    };
  });
  const key = { key: 'ana-1' };
  const checkOut = async (): Promise<void> => {
    await first.checkOut('ana', 'pays', key);
    await first.app.quiet();
  };
  await Promise.race([dead, checkOut()]);
  const counted = operations;
  storage.stop();
  void first.app.stop().catch(() => {});
  await breakLeases(connection);

  const shop = await start(connection);
  try {
    if (again) expect((await shop.checkOut('ana', 'pays', key)).status).toBe(202);
    await shop.app.skip({ minutes: 25 });
    const payments = [...(await shop.payments()).values()];
    const bought = payments.length > 0;
    expect(again && !bought).toBe(false);
    expect(payments).toEqual(bought ? [{ state: 'captured', amount: 5647 }] : []);
    expect([await shop.stock('hammer'), await shop.stock('nails'), await shop.lines('ana')]).toEqual(
      bought
        ? [[8, 0, 2], [97, 0, 3], []]
        : [
            [10, 0, 0],
            [100, 0, 0],
            ['2 hammer', '3 nails'],
          ],
    );
    const ended = (await shop.storage.notifications()).filter(({ to }) => to === 'ana');
    expect(new Set(ended.map(({ key: each }) => each)).size).toBe(bought ? 1 : 0);
    return { operations: counted, bought };
  } finally {
    await shop.app.stop();
  }
}

/** How many play at once: most of what they do is to wait for storage. */
const TOGETHER = 4;
/** The long form kills at every operation, the short one at some. */
const EVERY = inject('long') ? 1 : 60;

it(
  'killed at any storage operation, an order is bought once, or there was none',
  { timeout: 1_200_000 },
  async () => {
    const { operations, bought } = await buy(Infinity, false);
    expect(bought).toBe(true);
    const points = Array.from({ length: operations }, (_, point) => point).filter(
      (point) => point % EVERY === 0,
    );
    await Promise.all(
      Array.from({ length: TOGETHER }, async () => {
        for (let point = points.shift(); point !== undefined; point = points.shift()) {
          try {
            await buy(point, point % 2 === 0);
          } catch (error) {
            throw new Error(`Killed at operation ${point} of ${operations}`, { cause: error });
          }
        }
      }),
    );
  },
);
