/** Queue functions and queue outputs, on real queues. */
import path from 'node:path';
import { QueueServiceClient } from '@azure/storage-queue';
import { describe, expect, test } from 'vitest';
import { TestApp, type TestAppOptions } from '../src/testing.js';
import { withProperties } from '../src/binding-data.js';
import { findConnection } from '../src/triggers/connections.js';
import {
  decodeMessage,
  encodeMessage,
  messageMetadata,
  MessageEncodingError,
  outputMessages,
} from '../src/triggers/queue-messages.js';
import { account } from './support/azurite.js';
import { eventually } from './support/eventually.js';

const directory = path.join(import.meta.dirname, 'fixtures/queue-app');

interface Seen {
  message: unknown;
  metadata: Record<string, unknown>;
}

class Storage {
  readonly #service: QueueServiceClient;

  private constructor(readonly connection: string) {
    this.#service = QueueServiceClient.fromConnectionString(connection);
  }

  static async create(...queues: string[]): Promise<Storage> {
    const storage = new Storage(await account());
    for (const queue of queues) await storage.#service.createQueue(queue);
    return storage;
  }

  async send(queue: string, ...messages: string[]): Promise<void> {
    for (const message of messages)
      await this.#service.getQueueClient(queue).sendMessage(Buffer.from(message).toString('base64'));
  }

  async sendRaw(queue: string, body: string): Promise<void> {
    await this.#service.getQueueClient(queue).sendMessage(body);
  }

  async count(queue: string): Promise<number> {
    return (await this.#service.getQueueClient(queue).getProperties()).approximateMessagesCount!;
  }

  /** The texts of all messages. */
  async read(queue: string): Promise<string[]> {
    const { peekedMessageItems } = await this.#service
      .getQueueClient(queue)
      .peekMessages({ numberOfMessages: 32 });
    return peekedMessageItems.map(({ messageText }) => Buffer.from(messageText, 'base64').toString());
  }

  /** What the app's functions have received. */
  get seen(): Seen[] {
    return (
      (globalThis as unknown as { seenMessages: Record<string, Seen[]> }).seenMessages[this.connection] ?? []
    );
  }
}

async function start(storage: Storage, { settings, ...options }: TestAppOptions = {}): Promise<TestApp> {
  return TestApp.start({
    directory,
    ...options,
    settings: { AppStorage: storage.connection, IN_QUEUE: 'in-queue', ...settings },
  });
}

describe('a queue function', () => {
  test('gets each message with its metadata; JSON becomes objects', async () => {
    const storage = await Storage.create('in-queue');
    await storage.send(
      'in-queue',
      '{"hello":"queue","n":1,"id":"own","flag":false,"list":[1],"deep":{"a":1}}',
      'plain',
      '5',
    );
    await using app = await start(storage);
    await app.quiet();
    expect(storage.seen).toHaveLength(3);
    expect(storage.seen.map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        5,
        'plain',
        { hello: 'queue', n: 1, id: 'own', flag: false, list: [1], deep: { a: 1 } },
      ]),
    );
    const [object, plain] = [
      storage.seen.find(({ message }) => typeof message === 'object')!,
      storage.seen.find(({ message }) => message === 'plain')!,
    ];
    expect(plain.metadata).toEqual({
      queueTrigger: 'plain',
      dequeueCount: 1,
      id: expect.stringMatching(/^[-0-9a-f]{36}$/) as unknown,
      popReceipt: expect.any(String) as unknown,
      insertionTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/) as unknown,
      expirationTime: expect.any(String) as unknown,
      nextVisibleTime: expect.any(String) as unknown,
    });
    expect(object.metadata).toMatchObject({ hello: 'queue', n: 1, id: 'own', flag: 'False', deep: { a: 1 } });
    expect(object.metadata).not.toHaveProperty('list');
    expect(await storage.count('in-queue')).toBe(0);
  });

  test('listens to a queue that another program makes later', async () => {
    const storage = await Storage.create();
    await using app = await start(storage);
    expect(app.now).toBeInstanceOf(Date);
    await QueueServiceClient.fromConnectionString(storage.connection).createQueue('in-queue');
    await storage.send('in-queue', 'late');
    await eventually(() => {
      expect(storage.seen).toMatchObject([{ message: 'late' }]);
    });
  });

  test('starts orchestrations, returns a message and sends others; so do activities', async () => {
    const storage = await Storage.create('orders');
    await storage.send('orders', '{"id":7}');
    await using app = await start(storage);
    await app.quiet();
    expect(await app.instance('ship-7')).toMatchObject({ runtimeStatus: 'Completed', output: 'shipped' });
    expect(await storage.read('done')).toEqual(['order 7']);
    expect(await storage.read('copies')).toEqual(['{\n  "id": 7\n}']);
    expect(await storage.read('labels')).toEqual(['label 7', '{\n  "id": 7\n}']);
  });

  test('that fails runs again, and in the end its message goes to the poison queue', async () => {
    const storage = await Storage.create('fragile');
    await storage.send('fragile', 'glass');
    const lines: string[] = [];
    await using app = await start(storage, {
      log: (level, category, message) => {
        lines.push(`${level} ${category} ${message}`);
      },
    });
    await app.quiet();
    expect(storage.seen).toEqual([{ poison: 'glass', dequeueCount: 1 }]);
    expect(await storage.count('fragile')).toBe(0);
    expect(
      lines.filter((line) =>
        /^error Function\.OnFragile Executed 'Functions\.OnFragile' \(Failed, .*\nError: broken\n/.test(line),
      ),
    ).toHaveLength(3);
    expect(lines).toContainEqual(
      expect.stringContaining(
        "Message has reached MaxDequeueCount of 3. Moving message to queue 'fragile-poison'.",
      ),
    );
  });

  test('that fails does not get its message again before the visibility timeout of host.json has passed', async () => {
    const storage = await Storage.create('fragile');
    await storage.send('fragile', 'glass');
    const tries: number[] = [];
    await using app = await start(storage, {
      settings: { AzureFunctionsJobHost__extensions__queues__visibilityTimeout: '00:00:01' },
      log: (_level, category, message) => {
        if (category === 'Function.OnFragile' && message.includes('Failed')) tries.push(performance.now());
      },
    });
    await app.quiet();
    await eventually(() => {
      expect(storage.seen).toEqual([{ poison: 'glass', dequeueCount: 1 }]);
    });
    expect(tries.slice(1).map((time, index) => time - tries[index]! > 900)).toEqual([true, true]);
  });

  test('with a retry policy runs again on skipped time before its message goes back to the queue', async () => {
    const storage = await Storage.create('retried');
    await storage.send('retried', 'a', 'b', 'c', 'd', 'e', 'f');
    await using app = await start(storage, { time: '2026-11-21T10:00:00Z' });
    await app.quiet();
    const tries = (message: string): unknown[] =>
      (storage.seen as unknown as { message: string; at: string; dequeueCount: number; retry: number }[])
        .filter((one) => one.message === message)
        .map(({ at, dequeueCount, retry }) => `${at.slice(11, 16)} ${dequeueCount} ${retry}`);
    expect(tries('a')).toEqual(['10:00 1 0']);
    await app.skip({ hours: 1 });
    expect(tries('a').slice(0, 6)).toEqual([
      '10:00 1 0',
      '10:10 1 1',
      '10:20 1 2',
      '10:20 2 0',
      '10:30 2 1',
      '10:40 2 2',
    ]);
    expect(tries('f')).toHaveLength(6);
  });

  test('never gets a message in another encoding: the message goes to the poison queue unchanged', async () => {
    const storage = await Storage.create('in-queue');
    await storage.sendRaw('in-queue', 'not base64!');
    await using app = await start(storage);
    await app.quiet();
    expect(storage.seen).toEqual([]);
    const { peekedMessageItems } = await QueueServiceClient.fromConnectionString(storage.connection)
      .getQueueClient('in-queue-poison')
      .peekMessages();
    expect(peekedMessageItems).toMatchObject([{ messageText: 'not base64!' }]);
  });

  test('fails with a message that is not UTF-8, and the message goes to the poison queue unchanged', async () => {
    const storage = await Storage.create('in-queue');
    await storage.sendRaw('in-queue', Buffer.from([0, 255, 1]).toString('base64'));
    await using app = await start(storage);
    await app.quiet();
    expect(storage.seen).toEqual([]);
    const { peekedMessageItems } = await QueueServiceClient.fromConnectionString(storage.connection)
      .getQueueClient('in-queue-poison')
      .peekMessages();
    expect(peekedMessageItems).toMatchObject([{ messageText: 'AP8B' }]);
  });

  test('reads and writes messages without encoding when host.json says so', async () => {
    const storage = await Storage.create('in-queue');
    await storage.sendRaw('in-queue', '{"plain":true}');
    await using app = await start(storage, {
      settings: { AzureFunctionsJobHost__extensions__queues__messageEncoding: 'none' },
    });
    await app.quiet();
    expect(storage.seen).toMatchObject([{ message: { plain: true } }]);
    await app.post('/api/Send', JSON.stringify('sent <as it is> & more'));
    await app.quiet();
    expect(storage.seen.slice(1)).toMatchObject([{ message: 'sent <as it is> & more' }]);
  });

  test('runs for no more messages at once than host.json allows', async () => {
    const storage = await Storage.create('batch');
    await storage.send('batch', ...Array.from({ length: 10 }, (_, index) => String(index)));
    await using app = await start(storage);
    await app.quiet();
    expect(await storage.count('batch')).toBe(0);
    expect((globalThis as unknown as { seenMessages: { most: number } }).seenMessages.most).toBe(4);
  });

  test('can be run with a message that is in no queue', async () => {
    const storage = await Storage.create();
    await using app = await start(storage);
    await app.run('OnOrder', { id: 8 });
    expect(await app.finished('ship-8')).toMatchObject({ output: 'shipped' });
    expect((await app.post('/admin/functions/OnMessage', { input: 'plain' })).status).toBe(202);
    await app.quiet();
    expect(storage.seen).toEqual([{ message: 'plain', metadata: { queueTrigger: 'plain' } }]);
  });

  test('that is disabled leaves its messages in the queue', async () => {
    const storage = await Storage.create('off');
    await storage.send('off', 'stays');
    await using app = await start(storage, { settings: { 'AzureWebJobs.Off.Disabled': 'true' } });
    await app.quiet();
    expect(await storage.read('off')).toEqual(['stays']);
  });

  test('gives messages back that it still processes when the host stops', async () => {
    const storage = await Storage.create('in-queue');
    const first = await start(storage);
    first.replace('OnMessage', () => new Promise(() => {}));
    await storage.send('in-queue', 'slow');
    await eventually(async () => {
      expect(await storage.read('in-queue')).toEqual([]);
    });
    await first.stop();
    await using second = await start(storage);
    await second.quiet();
    expect(storage.seen).toMatchObject([{ message: 'slow', metadata: { dequeueCount: 2 } }]);
  });
});

test('an output writes a message for each element, and its listener reads it at once', async () => {
  const storage = await Storage.create();
  await using app = await start(storage);
  expect((await app.post('/api/Send', ['{"json":"in text"}', 'second', { third: 3 }])).status).toBe(202);
  await app.quiet();
  expect(storage.seen.map(({ message }) => message)).toEqual(
    expect.arrayContaining([{ json: 'in text' }, 'second', { third: 3 }]),
  );
  expect(storage.seen).toHaveLength(3);
});

describe('without its storage', () => {
  test('the app starts, the log names the functions that do not work and why, and an output fails', async () => {
    const lines: string[] = [];
    await using app = await TestApp.start({
      directory,
      settings: { IN_QUEUE: 'in-queue', AppStorage: '' },
      log: (level, _category, message) => {
        lines.push(`${level} ${message}`);
      },
    });
    expect(lines).toContain(
      "warning The function 'OnMessage' is never called: its queue 'in-queue' needs a storage account, and the setting 'AppStorage' is not set.",
    );
    expect(lines).toContain(
      "warning The function 'Send' fails when it writes a message: its queue 'in-queue' needs a storage account, and the setting 'AppStorage' is not set.",
    );
    expect((await app.post('/api/Send', [])).status).toBe(500);
  });

  test('a missing setting in a binding stops the app from starting', async () => {
    await expect(TestApp.start({ directory, settings: {} })).rejects.toThrow(
      "The function 'OnMessage' names the setting 'IN_QUEUE' in its queueName, which is not set.",
    );
  });
});

test('a connection is found as on the host: with the prefix first, connection strings before settings, then by identity', () => {
  const all = {
    'ConnectionStrings:AzureWebJobsA': 'prefixed string',
    AzureWebJobsA: 'prefixed',
    'ConnectionStrings:A': 'string',
    A: 'plain',
    A__queueServiceUri: 'https://a.queue',
    A__clientId: 'me',
    B__accountName: 'b',
  };
  const find = (name: string, ...without: string[]): unknown =>
    findConnection(
      (setting) =>
        without.includes(setting) ? undefined : (all as Record<string, string | undefined>)[setting],
      name,
      'queue',
    );
  expect(find('A')).toEqual({ connectionString: 'prefixed string' });
  expect(find('A', 'ConnectionStrings:AzureWebJobsA')).toEqual({ connectionString: 'prefixed' });
  expect(find('A', 'ConnectionStrings:AzureWebJobsA', 'AzureWebJobsA')).toEqual({
    connectionString: 'string',
  });
  expect(find('A', 'ConnectionStrings:AzureWebJobsA', 'AzureWebJobsA', 'ConnectionStrings:A')).toEqual({
    connectionString: 'plain',
  });
  expect(find('A', 'ConnectionStrings:AzureWebJobsA', 'AzureWebJobsA', 'ConnectionStrings:A', 'A')).toEqual({
    serviceUri: 'https://a.queue',
    clientId: 'me',
  });
  expect(find('B')).toEqual({ serviceUri: 'https://b.queue.core.windows.net', clientId: undefined });
  expect(find('C')).toBeUndefined();
});

describe('the messages of an output', () => {
  test.each<[what: string, value: Parameters<typeof outputMessages>[0], messages: unknown[]]>([
    ['nothing', undefined, []],
    ['null', { json: 'null' }, []],
    ['text', { string: 'hello' }, ['hello']],
    ['an empty text', { string: '' }, ['']],
    ['an object', { json: '{"hello":"queue","n":1}' }, ['{\n  "hello": "queue",\n  "n": 1\n}']],
    ['text that is JSON', { string: '[1,"a"]' }, ['1', 'a']],
    [
      'elements',
      { json: '["{\\"json\\":\\"in text\\"}","second",true,null,[1]]' },
      ['{"json":"in text"}', 'second', 'True', '', '[\n  1\n]'],
    ],
    ['a number', { int: 5 }, ['5']],
    ['a fraction', { double: 1.5 }, ['1.5']],
    ['a boolean', { json: 'true' }, ['True']],
    ['bytes', { bytes: Buffer.from([255, 0]) }, [Buffer.from([255, 0])]],
  ])('%s', (_what, value, messages) => {
    expect(outputMessages(value)).toEqual(messages);
  });

  test('text that only looks like JSON fails, as in production', () => {
    expect(() => outputMessages({ string: '{not json}' })).toThrow(SyntaxError);
  });
});

test('trigger metadata is that of a real host', () => {
  const text = '{\n  "hello": "queue",\n  "n": 1\n}';
  expect(
    withProperties(
      messageMetadata({
        text,
        id: 'b694b351-b48b-43fd-82ac-7671d9c77a3f',
        popReceipt: 'MjFOb3YyMDI2MDA6MjQ6NTU4ZDA3',
        dequeueCount: 1,
        insertedOn: new Date('2026-11-21T00:24:55Z'),
        expiresOn: new Date('2026-11-28T00:24:55Z'),
        nextVisibleOn: new Date('2026-11-21T00:34:55Z'),
      }),
      { string: text },
    ),
  ).toEqual({
    QueueTrigger: { string: text },
    DequeueCount: { json: '1' },
    ExpirationTime: { json: '"2026-11-28T00:24:55+00:00"' },
    Id: { string: 'b694b351-b48b-43fd-82ac-7671d9c77a3f' },
    InsertionTime: { json: '"2026-11-21T00:24:55+00:00"' },
    NextVisibleTime: { json: '"2026-11-21T00:34:55+00:00"' },
    PopReceipt: { string: 'MjFOb3YyMDI2MDA6MjQ6NTU4ZDA3' },
    hello: { string: 'queue' },
    n: { string: '1' },
  });
});

test.for([
  [
    '{"a":1.5,"b":true,"c":null,"d":[1],"e":{"f":[2]},"g":""}',
    { a: { string: '1.5' }, b: { string: 'True' }, e: { json: '{"f":[2]}' }, g: { string: '' } },
  ],
  [
    '{"at":"2026-11-21T01:43:03.095+01:00","day":"2026-11-21","never":"2026-13-40T00:00:00Z"}',
    {
      at: { string: '11/21/2026 00:43:03' },
      day: { string: '2026-11-21' },
      never: { string: '2026-13-40T00:00:00Z' },
    },
  ],
  ['{"instanceID":"other","Instanceid":"last"}', { instanceId: { string: 'last' } }],
  ['[{"a":1}]', {}],
  ['{"a":1', {}],
  ['{a:1}', {}],
  ['5', {}],
] as const)('the properties of %s are metadata too', ([text, more]) => {
  expect(withProperties({ instanceId: { string: 'i' } }, { string: text })).toEqual({
    instanceId: { string: 'i' },
    ...more,
  });
});

test('without encoding, a message has to be UTF-8, with the characters that XML allows', () => {
  expect(encodeMessage(Buffer.from('ü😀\n'), false)).toBe('ü😀\n');
  for (const wrong of [Buffer.from([1, 255]), Buffer.from([255]), 'a\u0001b', '\ufffe'])
    expect(() => encodeMessage(wrong, false)).toThrow(/utf-8|that XML does not allow/);
  expect(encodeMessage('\u0001', true)).toBe('AQ==');
});

test('only base64 is read as base64', () => {
  expect(decodeMessage('aGk=', true)).toBe('hi');
  expect(decodeMessage('', true)).toBe('');
  for (const wrong of ['aGk', '{"a":1}', 'a=Gk', 'not base64'])
    expect(() => decodeMessage(wrong, true)).toThrow(MessageEncodingError);
});
