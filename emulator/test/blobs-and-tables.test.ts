/** Blob and table bindings on real storage, with what Microsoft's end-to-end tests expect of them, and more. */
import path from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { describe, expect, test } from 'vitest';
import { TestApp } from '../src/testing.js';
import { BindingData } from '../src/binding-data.js';
import { blobPattern } from '../src/triggers/blob-path.js';
import { outputBytes } from '../src/triggers/blobs.js';
import { account } from './support/azurite.js';

const directory = path.join(import.meta.dirname, 'fixtures/blob-app');

interface Seen {
  name: string;
  text?: string;
  isBuffer?: boolean;
  path?: string;
  metadata?: Record<string, unknown>;
}
const seen = ((globalThis as unknown as { seenBlobs: Seen[] }).seenBlobs = []) as Seen[];
const seenBy = (name: string): Seen[] => seen.filter((each) => each.name === name);

class Storage {
  private constructor(
    readonly connection: string,
    readonly blobs: BlobServiceClient,
  ) {}

  static async create(): Promise<Storage> {
    seen.length = 0;
    const connection = await account();
    return new Storage(connection, BlobServiceClient.fromConnectionString(connection));
  }

  async upload(container: string, name: string, content: string): Promise<void> {
    const client = this.blobs.getContainerClient(container);
    await client.createIfNotExists();
    await client.getBlockBlobClient(name).upload(content, Buffer.byteLength(content), {
      metadata: { origin: 'test' },
      blobHTTPHeaders: { blobContentType: 'text/plain' },
    });
  }

  async download(container: string, name: string): Promise<Buffer> {
    return this.blobs.getContainerClient(container).getBlobClient(name).downloadToBuffer();
  }

  async start(settings: Record<string, string> = {}): Promise<TestApp> {
    return TestApp.start({ directory, settings: { AppStorage: this.connection, ...settings } });
  }
}

describe('a blob function', () => {
  test('gets each new blob as bytes, with its metadata and the names of its path; its return value is a blob that another function gets', async () => {
    const storage = await Storage.create();
    await storage.upload('incoming', 'pat/first.txt', '{"a":1}');
    await storage.upload('incoming', 'other.png', 'no');
    await using app = await storage.start();
    await app.quiet();
    expect(seenBy('copy')).toEqual([
      {
        name: 'copy',
        isBuffer: true,
        text: '{"a":1}',
        metadata: expect.objectContaining({
          blobTrigger: 'incoming/pat/first.txt',
          uri: expect.stringMatching(/\/incoming\/pat(\/|%2F)first\.txt$/) as unknown,
          customer: 'pat',
          name: 'first',
          metadata: { origin: 'test' },
          properties: expect.objectContaining({ contentLength: 7, contentType: 'text/plain' }) as unknown,
        }) as unknown,
      },
    ]);
    expect(seenBy('chained')).toEqual([{ name: 'chained', text: '{"a":1}', path: 'copies/pat-first' }]);
    expect(String(await storage.download('copies', 'pat-first'))).toBe('{"a":1}');

    // A change is a new version; what was processed does not come again.
    await storage.upload('incoming', 'pat/first.txt', 'changed');
    await app.quiet();
    expect(seenBy('copy').map(({ text }) => text)).toEqual(['{"a":1}', 'changed']);
  });

  test('that was processed does not come again after a restart, when the receipts are in storage', async () => {
    const storage = await Storage.create();
    await storage.upload('copies', 'a', 'once');
    for (let start = 0; start < 2; start++) {
      await using app = await TestApp.start({
        directory,
        storage: storage.connection,
        settings: { AppStorage: storage.connection },
      });
      await app.quiet();
    }
    expect(seenBy('chained')).toHaveLength(1);
  });

  test.for([
    ['five times', 5, {}],
    [
      'as often as host.json says',
      2,
      {
        AzureFunctionsJobHost__extensions__blobs__poisonBlobThreshold: '2',
        AzureFunctionsJobHost__extensions__queues__messageEncoding: 'none',
      },
    ],
  ] as const)(
    'that fails runs %s, and a message in base64 about the blob goes to the poison queue',
    async ([, times, settings]) => {
      const storage = await Storage.create();
      await storage.upload('fragile', 'glass', '!');
      await using app = await storage.start(settings);
      await app.quiet();
      expect(seenBy('fragile')).toHaveLength(times);
      const { receivedMessageItems } = await QueueServiceClient.fromConnectionString(storage.connection)
        .getQueueClient('webjobs-blobtrigger-poison')
        .receiveMessages();
      expect(
        receivedMessageItems.map(
          ({ messageText }) => JSON.parse(Buffer.from(messageText, 'base64').toString()) as unknown,
        ),
      ).toMatchObject([
        {
          Type: 'BlobTrigger',
          FunctionId: 'Host.Functions.fragile',
          ContainerName: 'fragile',
          BlobName: 'glass',
        },
      ]);
    },
  );

  test('runs by hand with the path of a blob', async () => {
    const storage = await Storage.create();
    await using app = await storage.start();
    await storage.upload('incoming', 'kim/x.txt', 'by hand');
    await app.run('copy', 'incoming/kim/x.txt');
    expect(seenBy('copy')[0]).toMatchObject({ text: 'by hand', metadata: { customer: 'kim', name: 'x' } });
    await expect(app.run('copy', 'incoming/kim/none.txt')).rejects.toThrow(
      "There is no blob 'incoming/kim/none.txt'.",
    );
  });
});

describe('blob inputs and outputs', () => {
  test.each([
    ['text', 'plain', { text: 'plain', type: 'string' }],
    ['bytes', Buffer.from([0, 255, 1]), { bytes: [0, 255, 1] }],
    ['object', '{"a":1}', { text: { a: 1 }, type: 'object' }],
    ['list', '[1,"two"]', { text: [1, 'two'], type: 'object' }],
    ['number', Buffer.from([5, 0, 0, 0]), { text: '\u0005\0\0\0', type: 'string' }],
  ])('a function that gives %s', async (kind, content, read) => {
    const storage = await Storage.create();
    await using app = await storage.start();
    expect((await app.get(`/api/write/${kind}`)).status).toBe(201);
    expect(await storage.download('written', kind)).toEqual(Buffer.from(content));
    expect(await (await app.get(`/api/read/${kind}`)).json()).toMatchObject(read);
  });

  test('no value writes no blob, and a blob that does not exist is undefined', async () => {
    const storage = await Storage.create();
    await using app = await storage.start();
    expect((await app.get('/api/write/nothing')).status).toBe(201);
    expect(await (await app.get('/api/read/nothing')).json()).toEqual({
      text: null,
      type: 'undefined',
      bytes: null,
    });
  });

  test('an activity writes to a path with a property of its input', async () => {
    const storage = await Storage.create();
    await using app = await storage.start();
    expect((await app.finished(await app.start('daily', '7'))).output).toBe(4);
    expect(String(await storage.download('reports', '7'))).toBe('done');
  });

  test('a queue output computes the name of its queue', async () => {
    const storage = await Storage.create();
    await using app = await storage.start();
    expect((await app.get('/api/sort/mail')).status).toBe(200);
    const queue = QueueServiceClient.fromConnectionString(storage.connection).getQueueClient('sorted-mail');
    expect((await queue.getProperties()).approximateMessagesCount).toBe(1);
  });

  test('without a storage account the call fails with the name of the setting, and a replaced activity does not need it', async () => {
    const lines: string[] = [];
    await using app = await TestApp.start({
      directory,
      log: (_, category, message) => {
        lines.push(`${category} ${message}`);
      },
    });
    const reason = "needs a storage account, and the setting 'AppStorage' is not set";
    expect(lines).toContain(
      `Host.Startup The function 'copy' is never called: its container 'incoming' ${reason}.`,
    );
    expect((await app.get('/api/read/text')).status).toBe(500);
    expect(lines.join('\n')).toContain(`its container 'written' ${reason}`);
    app.replace('writeReport', () => 1);
    expect((await app.finished(await app.start('daily', '7'))).output).toBe(1);
  });
});

describe('table inputs and outputs', () => {
  test('rows that a function gives are in the table, and another function gets them back as they were', async () => {
    const storage = await Storage.create();
    await using app = await storage.start();
    const items = [{ PartitionKey: 'p', RowKey: 'r1', Name: 'pat' }];
    expect(await (await app.get('/api/rows/p?name=pat')).json()).toEqual([]);
    expect((await app.post('/api/addRows', items)).status).toBe(201);
    expect(await (await app.get('/api/rows/p?name=pat')).json()).toEqual(items);
    expect(await (await app.get('/api/row/p/r1')).json()).toEqual(items);
    expect(await (await app.get('/api/row/p/none')).json()).toEqual([null]);
  });

  test('values keep their types; take, filters and quotes in values work', async () => {
    const storage = await Storage.create();
    await using app = await storage.start();
    const row = { PartitionKey: 'types', RowKey: '1', Name: "o'neil", whole: 5, half: 0.5, yes: true };
    const others = ['2', '3', '4'].map((RowKey) => ({ PartitionKey: 'types', RowKey, Name: 'same' }));
    expect((await app.post('/api/addRows', row)).status).toBe(201);
    expect((await app.post('/api/addRows', others)).status).toBe(201);
    expect(await (await app.get(`/api/rows/types?name=${encodeURIComponent("o'neil")}`)).json()).toEqual([
      row,
    ]);
    expect(await (await app.get('/api/rows/types?name=same')).json()).toHaveLength(2);
  });

  test('several rows at once may have line separators of Unicode', async () => {
    const storage = await Storage.create();
    await using app = await storage.start();
    const rows = ['1', '2'].map((RowKey) => ({ PartitionKey: 'lines', RowKey, text: 'a\u2028b\u2029' }));
    expect((await app.post('/api/addRows', rows)).status).toBe(201);
    expect(await (await app.get('/api/row/lines/2')).json()).toEqual([rows[1]]);
  });

  test('a row that exists already, or has no keys, fails the function', async () => {
    const storage = await Storage.create();
    await using app = await storage.start();
    const row = { PartitionKey: 'p', RowKey: 'twice' };
    expect((await app.post('/api/addRows', row)).status).toBe(201);
    expect((await app.post('/api/addRows', row)).status).toBe(500);
    expect((await app.post('/api/addRows', { RowKey: 'alone' })).status).toBe(500);
  });
});

test.each<[what: string, value: Parameters<typeof outputBytes>[0], content: string | Buffer | undefined]>([
  ['text that is JSON', { string: '{"a": 1}' }, '{"a": 1}'],
  ['an object', { json: '{"a":1,"b":[null]}' }, '{"a":1,"b":[null]}'],
  ['a date', { json: '"1970-01-01T00:00:00.000Z"' }, '1970-01-01T00:00:00.000Z'],
  ['null', { json: 'null' }, undefined],
  ['true', { json: 'true' }, Buffer.of(1)],
  ['a whole number', { int: 5 }, Buffer.of(5, 0, 0, 0)],
  ['a fraction', { double: 1.5 }, Buffer.of(0, 0, 0, 0, 0, 0, 0xf8, 0x3f)],
])('the blob of %s', (_what, value, content) => {
  expect(outputBytes(value)).toEqual(content === undefined ? undefined : Buffer.from(content));
});

test('the time in a path is made for names, and sys.utcNow has the same formats as DateTime', () => {
  const data = new BindingData({ name: 'F' }, undefined, {});
  for (const name of ['DateTime', 'sys.utcNow']) {
    expect(data.resolve(`{${name}}`)).toMatch(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/);
    expect(data.resolve(`{${name}:yyyy-MM}`)).toMatch(/^\d{4}-\d\d$/);
  }
  expect(data.resolve('{sys.randGuid:N}')).toMatch(/^[0-9a-f]{32}$/);
});

test.each([
  ['c/{name}', 'a/b.txt', { name: 'a/b.txt' }],
  ['c/{name}.{ext}', 'a.b.txt', { name: 'a.b', ext: 'txt' }],
  ['c/in/{name}', 'out/a', undefined],
  ['c/{{x}}-{name}', '{x}-1', { name: '1' }],
  ['c', 'any/thing', {}],
  ['c/a+b', 'aab', undefined],
])('the path %s of a trigger, and the blob %s', (pattern, blob, values) => {
  expect(blobPattern(pattern).match(blob)).toEqual(values);
});
