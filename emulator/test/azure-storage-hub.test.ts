/**
 * The hub in Azure Storage beyond the interface of hubs: crashes, the owner, the maker, and the number of
 * requests.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TableClient, TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { AzureStorageHub } from '../src/durable/azure-storage/hub.js';
import { CommitConflictError, HubUnavailableError, type Hint } from '../src/durable/task-hub.js';
import type { Log } from '../src/log.js';
import { account } from './support/azurite.js';
import { collect } from './support/collect.js';
import { afterTransactions, faultyStorage, healthy, type FaultyStorage } from './support/faulty-storage.js';
import { commitOf, message, raised, recordOf, running, started } from './support/histories.js';

const LONG = JSON.stringify('x'.repeat(50_000));
const open: AzureStorageHub[] = [];
const faulty: FaultyStorage[] = [];
let connection: string;

beforeEach(async () => {
  connection = await account();
});
afterEach(async () => {
  vi.useRealTimers();
  for (const storage of faulty) storage.fault = healthy;
  await Promise.all(open.splice(0).map((hub) => hub.close()));
  for (const storage of faulty.splice(0)) storage.stop();
});

function hubOn(over: Partial<ConstructorParameters<typeof AzureStorageHub>[0]> = {}): AzureStorageHub {
  return new AzureStorageHub({ connection, name: 'Hub', ...over });
}

async function opened(
  over: Partial<ConstructorParameters<typeof AzureStorageHub>[0]> = {},
  lost: (reason: Error) => void = () => {},
): Promise<AzureStorageHub> {
  const hub = hubOn(over);
  await hub.open(lost);
  open.push(hub);
  return hub;
}

async function faultyOne(): Promise<FaultyStorage> {
  const storage = await faultyStorage(connection);
  faulty.push(storage);
  return storage;
}

async function hintsOf(hub: AzureStorageHub): Promise<Hint[]> {
  return (await collect(hub.hints())).flat();
}

async function blobs(): Promise<string[]> {
  const container =
    BlobServiceClient.fromConnectionString(connection).getContainerClient('hub-largemessages');
  return (await collect(container.listBlobsFlat())).map(({ name }) => name);
}

/** A process that owns the hub. */
async function otherProcess(): Promise<{ pid: number; kill(): Promise<void> }> {
  const child = fork(path.join(import.meta.dirname, 'fixtures/storage/owner.mjs'), [connection, 'Hub'], {
    execArgv: [],
  });
  const exit = once(child, 'exit');
  await once(child, 'message');
  return {
    pid: child.pid!,
    async kill() {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** Lets faked seconds pass, with real time between them for the requests. */
async function pass(seconds: number): Promise<void> {
  for (let quarter = 0; quarter < seconds * 4; quarter++) {
    await vi.advanceTimersByTimeAsync(250);
    await sleep(5);
  }
}

describe('a crash', () => {
  let storage: FaultyStorage;
  let hub: AzureStorageHub;

  beforeEach(async () => {
    storage = await faultyOne();
    hub = await opened({ connection: storage.connection });
  });

  test.each([0, 1, 2, 5, 9, 10])(
    'after %i of the transactions of a large commit leaves the state before it, and the next commit counts',
    async (transactions) => {
      await hub.post('one', message('m'));
      const token = await hub.commit(commitOf('one', hub.fresh().token));
      storage.fault = afterTransactions(transactions, 'request lost');
      await expect(
        hub.commit(commitOf('one', token, { append: running('one', 1000).slice(2), consumed: ['m'] })),
      ).rejects.toThrow('socket hang up');
      storage.fault = healthy;

      const loaded = await hub.load('one');
      expect(loaded).toMatchObject({
        history: running('one', 1),
        record: recordOf('one'),
        inbox: [message('m')],
      });
      await hub.commit(commitOf('one', loaded.token, { append: [raised('x')] }));
      expect((await hub.load('one')).history).toEqual([...running('one', 1), raised('x')]);
    },
  );

  test.each([0, 1, 5, 10])(
    'after %i of the transactions of a large first commit leaves no instance',
    async (transactions) => {
      await hub.post('one', message('m'));
      storage.fault = afterTransactions(transactions, 'request lost');
      await expect(
        hub.commit(commitOf('one', hub.fresh().token, { append: running('one', 1000), consumed: ['m'] })),
      ).rejects.toThrow('socket hang up');
      storage.fault = healthy;

      const loaded = await hub.load('one');
      expect(loaded).toMatchObject({ history: [], record: undefined, inbox: [message('m')], stale: false });
      await hub.commit(commitOf('one', loaded.token));
      expect((await hub.load('one')).history).toEqual(running('one', 1));
    },
  );

  test.each([0, 1, 5, 10])(
    'after %i of the transactions that replace an execution leaves the old one whole',
    async (transactions) => {
      const token = await hub.commit(commitOf('one', hub.fresh().token, { append: running('one', 300) }));
      const next = {
        append: running('one', 1000, 'e2'),
        replace: true,
        record: recordOf('one', { executionId: 'e2' }),
      };
      storage.fault = afterTransactions(transactions, 'request lost');
      await expect(hub.commit(commitOf('one', token, next))).rejects.toThrow('socket hang up');
      storage.fault = healthy;

      const loaded = await hub.load('one');
      expect(loaded).toMatchObject({ history: running('one', 300), record: recordOf('one') });
      await hub.commit(commitOf('one', loaded.token, next));
      expect(await hub.load('one')).toMatchObject({ history: next.append, record: next.record });
    },
  );

  test('during the clean-up after a commit leaves the commit valid', async () => {
    const token = await hub.commit(commitOf('one', hub.fresh().token, { append: running('one', 300) }));
    storage.fault = afterTransactions(1, 'request lost');
    await hub.commit(
      commitOf('one', token, {
        append: running('one', 1, 'e2'),
        replace: true,
        record: recordOf('one', { executionId: 'e2' }),
      }),
    );
    storage.fault = healthy;
    const loaded = await hub.load('one');
    expect(loaded.history).toEqual(running('one', 1, 'e2'));
    await hub.commit(commitOf('one', loaded.token, { append: [raised('x')] }));
    expect((await hub.load('one')).history).toEqual([...running('one', 1, 'e2'), raised('x')]);
  });

  test('before the response to a commit leaves the commit valid', async () => {
    await hub.post('one', message('m'));
    const { token } = await hub.load('one');
    storage.fault = afterTransactions(0, 'answer lost');
    await expect(hub.commit(commitOf('one', token, { consumed: ['m'] }))).rejects.toThrow('socket hang up');
    storage.fault = healthy;
    expect(await hub.load('one')).toMatchObject({ history: running('one', 1), inbox: [] });
    await expect(hub.commit(commitOf('one', token))).rejects.toThrow(CommitConflictError);
  });

  test('before the projection shows on the next load, until it is written', async () => {
    await hub.commit(commitOf('one', hub.fresh().token));
    expect((await hub.load('one')).stale).toBe(true);
    await hub.project(recordOf('one'));
    const { token, stale } = await hub.load('one');
    expect(stale).toBe(false);
    for (const record of [
      recordOf('one', { customStatus: '1', generation: 0 }),
      recordOf('one', { runtimeStatus: 'Suspended', output: 'why' }),
    ]) {
      await hub.commit(commitOf('one', (await hub.load('one')).token, { append: [], record }));
      expect((await hub.load('one')).stale).toBe(true);
    }
    expect(token).toBeDefined();
  });
});

test('the order of messages survives a restart, even when the clock was set back', async () => {
  const first = await opened();
  await first.post('one', message('z'));
  await first.post('one', message('y'));
  await first.close();
  const second = await opened();
  vi.setSystemTime(Date.now() - 3_600_000);
  await second.load('one');
  await second.post('one', message('x'));
  expect((await second.load('one')).inbox.map(({ id }) => id)).toEqual(['z', 'y', 'x']);
});

describe('hints', () => {
  test('are read in the order of their times, also after a restart', async () => {
    const hub = await opened();
    const hints = [30_000_000_000_000, 2, 1, 10, Date.now()].map((due) => ({ instanceId: `of/${due}`, due }));
    for (const add of hints) await hub.hint({ add });
    await hub.close();
    expect(await hintsOf(await opened())).toEqual(hints.toSorted((a, b) => a.due - b.due));
  });

  test('are replaced in one step, whatever was there before', async () => {
    const hub = await opened();
    const [a, b] = [
      { instanceId: 'a', due: 1 },
      { instanceId: 'a', due: 2 },
    ];
    await hub.hint({ add: a });
    await hub.hint({ add: a });
    await hub.hint({ add: a, remove: a });
    expect(await hintsOf(hub)).toEqual([a]);
    await hub.hint({ add: b, remove: a });
    expect(await hintsOf(hub)).toEqual([b]);
    await hub.hint({ add: a, remove: { instanceId: 'a', due: 7 } });
    expect(await hintsOf(hub)).toEqual([a, b]);
    await hub.hint({ remove: b });
    await hub.hint({ remove: b });
    await hub.hint({});
    expect(await hintsOf(hub)).toEqual([a]);
  });

  test('come in pages', async () => {
    const hub = await opened();
    const table = TableClient.fromConnectionString(connection, 'HubHints', { allowInsecureConnection: true });
    await hub.hint({ add: { instanceId: 'i0', due: 0 } });
    const [sample] = await collect(table.listEntities());
    for (let start = 1; start < 1101; start += 100) {
      await table.submitTransaction(
        Array.from({ length: 100 }, (_, index) => {
          const number = start + index;
          return [
            'create',
            {
              partitionKey: sample!.partitionKey!,
              rowKey: sample!
                .rowKey!.replace('0-i0', `-i${number}`)
                .replace(/^\d+/, String(number).padStart(15, '0')),
            },
          ];
        }),
      );
    }
    const pages = await collect(hub.hints());
    expect(pages.map(({ length }) => length)).toEqual([1000, 101]);
    expect(pages.flat().map(({ due }) => due)).toEqual(Array.from({ length: 1101 }, (_, due) => due));
  });
});

test('a few requests are under way in storage at once, and the lease does not wait for them', async () => {
  const storage = await faultyOne();
  const hub = await opened({ connection: storage.connection, underWay: 3 });
  // All places are taken by requests that get no answer.
  let held = 0;
  const isFull = Promise.withResolvers<void>();
  storage.fault = (asked) => {
    if (asked.path.includes('comp=lease')) return undefined;
    if (++held === 3) isFull.resolve();
    return 'silence';
  };
  const reads = Array.from({ length: 5 }, () => hub.getRecord('nobody').catch(() => 'failed'));
  await isFull.promise;
  await hub.close();
  await (await opened({ name: 'Hub' })).close();
  expect(held).toBe(3);
  storage.stop();
  await Promise.all(reads);
});

test('storage that has gone back in time is logged once, while the hub is open and at its next start', async () => {
  const marks = await mkdtemp(path.join(tmpdir(), 'marks-'));
  onTestFinished(() => rm(marks, { recursive: true }));
  const said: string[] = [];
  const log: Log = (level, _category, line) => {
    said.push(`${level}: ${line}`);
  };
  const table = TableClient.fromConnectionString(connection, 'HubHints', { allowInsecureConnection: true });
  const mark = async (): Promise<Record<string, unknown>> => table.getEntity('mark', '');
  const live = async (goBack = async (): Promise<void> => {}): Promise<void> => {
    const hub = await opened({ log, marks });
    await goBack();
    await hub.post('b', message('m', '1'));
    await hub.close();
  };
  await live();
  const old = await mark();
  await live();
  await live();
  expect(said).toEqual([]);
  const restore = async (): Promise<void> => {
    await table.upsertEntity({ ...old, partitionKey: 'mark', rowKey: '' }, 'Replace');
  };
  await restore();
  await live();
  const line = expect.stringMatching(
    /^error: Task hub 'Hub': storage has gone back in time: it had the changes until \S+, and now has those until \S+\./,
  ) as string;
  expect(said).toEqual([line]);
  await live();
  await live(restore);
  expect(said).toEqual([line, line]);
  await live();
  expect(said).toHaveLength(2);
  // Somebody has deleted the hub, and begins anew.
  await table.deleteEntity('mark', '');
  await live();
  expect(said).toHaveLength(2);
});

describe('payloads', () => {
  test('are in blobs, and are deleted when nothing refers to them', async () => {
    const hub = await opened();
    await hub.post('a/b', message('m', LONG));
    expect(await blobs()).toHaveLength(1);
    let { token } = await hub.load('a/b');
    for (const executionId of ['e1', 'e2', 'e3']) {
      const record = recordOf('a/b', { executionId, input: LONG, customStatus: LONG });
      token = await hub.commit(
        commitOf('a/b', token, {
          append: [started('a/b', executionId, { Input: LONG })],
          consumed: executionId === 'e1' ? ['m'] : [],
          record,
          replace: executionId !== 'e1',
        }),
      );
      await hub.project(record);
      // The event's input, the sentinel's custom status, and both again for the Instances row.
      expect(await blobs()).toHaveLength(4);
    }
    expect((await blobs()).every((name) => name.startsWith('a^0b/'))).toBe(true);
    await hub.purge('a/b');
    expect(await blobs()).toEqual([]);
  });

  test('that another hub object wrote are found and deleted', async () => {
    const first = await opened();
    await first.post('one', message('m', LONG));
    await first.commit(
      commitOf('one', first.fresh().token, {
        append: [started('one', 'e1', { Input: LONG })],
        record: recordOf('one', { input: LONG }),
      }),
    );
    await first.project(recordOf('one', { input: LONG }));
    await first.close();

    const second = await opened();
    const { token, inbox } = await second.load('one');
    expect(inbox).toEqual([message('m', LONG)]);
    const record = recordOf('one', { executionId: 'e2' });
    await second.commit(
      commitOf('one', token, { append: [started('one', 'e2')], replace: true, consumed: ['m'], record }),
    );
    await second.project(record);
    expect(await blobs()).toEqual([]);
  });

  test('of a message that exists already are deleted', async () => {
    const hub = await opened();
    await hub.post('one', message('m', '1'));
    await hub.post('one', message('m', LONG));
    expect(await blobs()).toEqual([]);
    expect((await hub.load('one')).inbox).toEqual([message('m', '1')]);
  });
});

test('each step is one storage request', async () => {
  const hub = await opened();
  const cost = async (step: Promise<unknown>): Promise<number> => {
    const before = hub.requests;
    await step;
    return hub.requests - before;
  };
  expect(await cost(hub.hint({ add: { instanceId: 'one', due: 1 } }))).toBe(1);
  expect(await cost(hub.post('one', message('m')))).toBe(1);
  expect(await cost(hub.load('one'))).toBe(1);
  expect(await cost(hub.commit(commitOf('one', hub.fresh().token, { consumed: ['m'] })))).toBe(1);
  expect(await cost(hub.project(recordOf('one')))).toBe(1);
  expect(await cost(hub.getRecord('one'))).toBe(1);
  expect(await cost(hub.query({ top: 10 }))).toBe(1);
  expect(
    await cost(hub.hint({ add: { instanceId: 'one', due: 2 }, remove: { instanceId: 'one', due: 1 } })),
  ).toBe(1);
  const { token } = await hub.load('one');
  expect(
    await cost(
      hub.commit(
        commitOf('one', token, {
          replace: true,
          append: running('one', 2, 'e2'),
          record: recordOf('one', { executionId: 'e2' }),
        }),
      ),
    ),
  ).toBe(1);
  // Its partition, and its Instances row to see whether that is behind.
  expect(await cost(hub.load('one'))).toBe(2);
  // The engine looks later, and only at the row of an instance for which nothing else is to do.
  expect(await cost(hub.load('one', true))).toBe(1);
  const { record, stale } = await hub.load('one', true);
  expect(stale).toBeUndefined();
  await hub.project(record!, true);
  expect((await hub.load('one')).stale).toBe(false);
  expect(await cost(hub.project(record!, true))).toBe(1);
});

describe('the owner', () => {
  test('is the only one: a second hub is refused in one line that names the owner', async () => {
    await opened();
    const refused = hubOn().open(() => {});
    await expect(refused).rejects.toThrow(HubUnavailableError);
    await expect(refused).rejects.toThrow(
      `Task hub 'Hub' is in use by process ${process.pid} on ${hostname()}.`,
    );
  });

  test('gives the hub back when it closes', async () => {
    await (await opened()).close();
    await expect(opened()).resolves.toBeDefined();
  });

  test('is waited for, with patience', async () => {
    const first = await opened();
    const second = opened({ patience: 10_000 });
    await first.close();
    await expect(second).resolves.toBeDefined();
  });

  test('keeps the hub while its process lives, and loses it at once when its process was killed', async () => {
    const other = await otherProcess();
    await expect(hubOn().open(() => {})).rejects.toThrow(`in use by process ${other.pid} on`);
    await other.kill();
    // Without patience, an emulator waits for no lease.
    await opened({ patience: 0 });
  });

  test('keeps the hub while it may live in another process namespace with the same host name', async () => {
    const hub = await opened();
    await hub.close();
    const blob = BlobServiceClient.fromConnectionString(connection)
      .getContainerClient('hub-applease')
      .getBlobClient('hub-appleaseinfo');
    const lease = blob.getBlobLeaseClient();
    await lease.acquireLease(15);
    const { metadata } = await blob.getProperties();
    // A container writes such metadata. This machine has no process with that id.
    await blob.setMetadata(
      { ...metadata, processes: encodeURIComponent('boot pid:[1]'), pid: '4194305' },
      { conditions: { leaseId: lease.leaseId } },
    );
    await expect(hubOn().open(() => {})).rejects.toThrow(
      `Task hub 'Hub' is in use by process 4194305 on ${hostname()}. If that process has ended, the hub is free within 30 seconds.`,
    );
    await lease.renewLease();
  });

  test('is one of six that start at once after a kill', async () => {
    await (await otherProcess()).kill();
    const tries = await Promise.allSettled(Array.from({ length: 6 }, () => opened()));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('is notified when another process has taken the hub', async () => {
    const lost = Promise.withResolvers<Error>();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await opened({}, lost.resolve);
    const blob = BlobServiceClient.fromConnectionString(connection)
      .getContainerClient('hub-applease')
      .getBlobClient('hub-appleaseinfo');
    await blob.getBlobLeaseClient().breakLease(0);
    await blob.getBlobLeaseClient().acquireLease(15);
    vi.advanceTimersByTime(5_000);
    expect((await lost.promise).message).toContain('was taken');
  });

  describe('when storage stops answering', () => {
    let storage: FaultyStorage;
    let hub: AzureStorageHub;
    let lost: ReturnType<typeof vi.fn<(reason: Error) => void>>;

    beforeEach(async () => {
      storage = await faultyOne();
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
      lost = vi.fn<(reason: Error) => void>();
      hub = await opened({ connection: storage.connection }, lost);
    });

    test('continues when storage answers again in time', async () => {
      await pass(6);
      storage.fault = () => 'request lost';
      await pass(9);
      storage.fault = healthy;
      await pass(30);
      expect(lost).not.toHaveBeenCalled();
    });

    test('writes nothing from the moment its lease may have run out, and goes on when it could be renewed', async () => {
      storage.fault = () => 'request lost';
      await pass(31);
      storage.fault = (request) => (request.path.includes('comp=lease') ? 'request lost' : undefined);
      for (const write of [
        hub.post('one', message('m')),
        hub.commit(commitOf('one', hub.fresh().token)),
        hub.project(recordOf('one')),
        hub.purge('one'),
        hub.hint({}),
      ]) {
        await expect(write).rejects.toThrow(
          "Task hub 'Hub' may be somebody else's by now: its lease could not be renewed in time.",
        );
      }
      storage.fault = healthy;
      await pass(3);
      await hub.post('one', message('m'));
      expect((await hub.load('one')).inbox).toEqual([message('m')]);
      expect(lost).not.toHaveBeenCalled();
    });

    test('counts the age of its lease from the request for it, even when its metadata takes long to write', async () => {
      await hub.close();
      let leaseRequests = 0;
      storage.fault = ({ path: url }) => {
        if (url.includes('comp=metadata')) vi.setSystemTime(Date.now() + 12_000);
        return url.includes('comp=lease') && leaseRequests++ > 0 ? 'request lost' : undefined;
      };
      hub = await opened({ connection: storage.connection }, lost);
      await pass(17);
      await hub.post('one', message('m'));
      await pass(2);
      await expect(hub.post('one', message('m'))).rejects.toThrow("may be somebody else's");
    });

    test('is notified when another process has taken the hub meanwhile', async () => {
      storage.fault = () => 'request lost';
      await pass(31);
      const blob = BlobServiceClient.fromConnectionString(connection)
        .getContainerClient('hub-applease')
        .getBlobClient('hub-appleaseinfo');
      await blob.getBlobLeaseClient().breakLease(0);
      await blob.getBlobLeaseClient().acquireLease(15);
      storage.fault = healthy;
      await pass(3);
      expect(lost.mock.calls).toEqual([
        [expect.objectContaining({ message: expect.stringContaining('was taken') as string })],
      ]);
      await expect(hub.post('one', message('m'))).rejects.toThrow("may be somebody else's");
    });
  });
});

describe('the maker', () => {
  const another = /^Task hub 'Hub' was made by another Functions host/;

  test('of a hub with a Partitions table is a real host: the emulator leaves the hub alone', async () => {
    await TableServiceClient.fromConnectionString(connection, { allowInsecureConnection: true }).createTable(
      'HubPartitions',
    );
    await expect(hubOn().open(() => {})).rejects.toThrow(another);
    expect(await collect(BlobServiceClient.fromConnectionString(connection).listContainers())).toEqual([]);
  });

  test('of a hub with control queues is a real host', async () => {
    await QueueServiceClient.fromConnectionString(connection).createQueue('hub-control-00');
    await expect(hubOn().open(() => {})).rejects.toThrow(another);
  });

  test('of a hub whose lease container lacks the mark is a real host', async () => {
    await BlobServiceClient.fromConnectionString(connection).createContainer('hub-applease');
    await expect(hubOn().open(() => {})).rejects.toThrow(another);
  });

  test('of another hub in the account does not matter', async () => {
    await TableServiceClient.fromConnectionString(connection, { allowInsecureConnection: true }).createTable(
      'OtherPartitions',
    );
    await QueueServiceClient.fromConnectionString(connection).createQueue('hub2-control-00');
    await expect(opened()).resolves.toBeDefined();
    await expect(opened({ name: 'Hub2b' })).resolves.toBeDefined();
  });

  test('is the emulator when the mark is there', async () => {
    await (await opened()).close();
    await TableServiceClient.fromConnectionString(connection, { allowInsecureConnection: true }).createTable(
      'HubPartitions',
    );
    await expect(opened()).resolves.toBeDefined();
  });
});

test.each(['', 'ab', '1abc', 'a-b-c', 'über', 'x'.repeat(46)])('a hub is not named %j', async (name) => {
  await expect(hubOn({ name }).open(() => {})).rejects.toThrow(/^'.*' cannot name a task hub/);
});

test('storage that does not answer is reported in one line, with its URL', async () => {
  const nowhere = connection.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:9');
  await expect(hubOn({ connection: nowhere }).open(() => {})).rejects.toThrow(
    /^Task hub 'Hub' cannot be opened, .*127\.0\.0\.1:9.*$/,
  );
});

test('UseDevelopmentStorage=true is a connection string', () => {
  expect(hubOn({ connection: 'UseDevelopmentStorage=true' }).name).toBe('Hub');
});
