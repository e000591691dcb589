import { odata, TableClient } from '@azure/data-tables';
import { QueueClient } from '@azure/storage-queue';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { TestApp, type TestAppOptions } from '../../emulator/src/testing.js';
import type { Notification } from '../../src/notifications/message.js';
import { NOTIFICATIONS } from '../../src/notifications/queues.js';
import { account } from './azurite.js';
import { disabled } from './disabled.js';
import { SecretScan } from './secrets.js';
import type * as sweptApp from './swept-app.js';

/**
 * Imports the app that tests use. It is loaded once in a process, by a test environment, so tests import late what is
 * in it.
 */
export const theApp = (): Promise<typeof sweptApp> => import('./swept-app.js');

/** Imports the app without the functions that tests have beside it, for tests about its functions. */
export const theAppAlone = (): Promise<unknown> => import('../../src/index.js');

/** Sweeps once, and waits until nothing runs. */
export const sweepOnce = async (app: TestApp): Promise<void> => (await theApp()).sweep(app);
/** Lets some minutes pass, with a sweep after every second one. */
export const pass = async (app: TestApp, minutes: number): Promise<void> =>
  (await theApp()).pass(app, minutes);
/** Purges once, and waits until nothing runs. @returns the status of the answer */
export const purgeOnce = async (app: TestApp): Promise<number> => (await theApp()).purge(app);

/** The options of {@link startApp}. */
export type AppOptions = TestAppOptions &
  Partial<
    Record<
      | 'sweep'
      | 'purge'
      | 'heartbeat'
      | 'deliver'
      | 'dispatchQueue'
      | 'dispatchPoison'
      | 'ingestQueue'
      | 'telemetryQueue'
      | 'reportQueue',
      boolean
    >
  >;

/**
 * The app on a clock that skips, with storage of its own, until the test has finished. No key and no link may be in
 * what it logs and answers.
 *
 * @param options.sweep whether the sweep runs every minute: 1,440 times for each day that is skipped. Default: false
 * @param options.purge whether the purge runs every hour. Default: false
 * @param options.heartbeat whether the hub gets a message every minute. Default: false
 * @param options.deliver whether messages leave the queue `notifications`, in which tests otherwise count them. Default: false
 * @param options.ingestQueue whether the app reads the queue `ingest`, a request to storage at each jump of the clock. Default: false
 * @param options.dispatchQueue the same for the queue `dispatch`
 * @param options.dispatchPoison the same for its poison queue
 * @param options.telemetryQueue the same for the queue `telemetry`
 * @param options.reportQueue the same for the queue `update-reports`
 */
export async function startApp(options: AppOptions = {}): Promise<{ app: TestApp; storage: AppStorage }> {
  const { stop, ...started } = await launch(options);
  onTestFinished(stop);
  return started;
}

/**
 * One app for all tests of a `describe`, for tests that leave nothing behind which another of them would see.
 * Otherwise as {@link startApp}.
 *
 * @returns a function that gives tests the app
 */
export function useApp(options: AppOptions = {}): () => { app: TestApp; storage: AppStorage } {
  let started: Awaited<ReturnType<typeof launch>>;
  beforeAll(async () => {
    started = await launch(options);
  });
  afterAll(() => started.stop());
  return () => started;
}

async function launch({
  sweep = false,
  purge = false,
  heartbeat = false,
  ingestQueue = false,
  telemetryQueue = false,
  reportQueue = false,
  dispatchQueue = false,
  dispatchPoison = false,
  deliver = false,
  ...options
}: AppOptions): Promise<{ app: TestApp; storage: AppStorage; stop: () => Promise<void> }> {
  const connectionString = options.settings?.['AppStorage'] ?? (await account());
  const secrets = new SecretScan();
  const app = await TestApp.start({
    app: theApp,
    ...options,
    log: secrets.log(options.log),
    settings: {
      ...options.settings,
      AppStorage: connectionString,
      ...(!sweep && disabled('Sweep')),
      ...(!purge && disabled('Purge')),
      ...(!heartbeat && disabled('SendHeartbeat')),
      ...(!deliver && disabled('DeliverNotification')),
      ...(!dispatchQueue && disabled('Dispatch')),
      ...(!dispatchPoison && disabled('DispatchPoison')),
      ...(!ingestQueue && disabled('IngestFromQueue')),
      ...(!telemetryQueue && disabled('TelemetryFromQueue')),
      ...(!reportQueue && disabled('UpdateReportFromQueue')),
    },
  });
  secrets.watch(app);
  const stop = async (): Promise<void> => {
    await app.stop();
    expect(await secrets.found()).toEqual([]);
  };
  return { app, storage: new AppStorage(connectionString), stop };
}

/** Reads the storage of an app under test. */
export class AppStorage {
  constructor(readonly connectionString: string) {}

  /** The notifications that have been queued, oldest first. They stay in the queue. */
  async notifications(): Promise<Notification[]> {
    const { peekedMessageItems } = await new QueueClient(this.connectionString, NOTIFICATIONS).peekMessages({
      numberOfMessages: 32,
    });
    return peekedMessageItems.map(
      ({ messageText }) => JSON.parse(Buffer.from(messageText, 'base64').toString()) as Notification,
    );
  }

  /** The lines in the console's queue, oldest first. They are removed from it. */
  async console(): Promise<string[]> {
    const lines: string[] = [];
    const queue = new QueueClient(this.connectionString, 'console');
    for (;;) {
      const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
      if (receivedMessageItems.length === 0) return lines;
      for (const { messageText, messageId, popReceipt } of receivedMessageItems) {
        lines.push(Buffer.from(messageText, 'base64').toString());
        await queue.deleteMessage(messageId, popReceipt);
      }
    }
  }

  /** Deletes a row behind the app's back. */
  async deleteRow(tableName: string, partitionKey: string, rowKey: string): Promise<void> {
    await this.#table(tableName).deleteEntity(partitionKey, rowKey);
  }

  /** The row keys of a table, without those of the dungeon's story. */
  async rowKeys(tableName: string): Promise<string[]> {
    return (await this.allRowKeys(tableName)).filter((key) => !key.startsWith('story'));
  }

  /** The row keys of a table. */
  async allRowKeys(tableName: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const { rowKey } of this.#table(tableName).listEntities()) keys.push(rowKey!);
    return keys;
  }

  /** The due entries of all features. */
  async dueEntries(): Promise<string[]> {
    const isDue = odata`PartitionKey eq ${'due'}`;
    const keys: string[] = [];
    for await (const { rowKey } of this.#table('Due').listEntities({ queryOptions: { filter: isDue } }))
      keys.push(rowKey!);
    return keys;
  }

  #table(name: string): TableClient {
    return TableClient.fromConnectionString(this.connectionString, name, { allowInsecureConnection: true });
  }
}
