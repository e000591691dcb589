/** `npm run console`. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { QueueClient } from '@azure/storage-queue';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connectionString, startAzurite, type Ports } from '../../tools/azurite.js';
import { account } from '../support/azurite.js';
import { freePort } from '../support/ports.js';

interface Console {
  /** The printed story, with the dots between the lines. */
  story: () => string;
  /** The messages that are not part of the story. */
  asides: () => string;
  /** Resolves when the story or the asides match. */
  until: (text: RegExp) => Promise<void>;
  process: ChildProcessByStdio<null, Readable, Readable>;
  ended: Promise<number | null>;
}

function listen(connection: string): Console {
  const { STORAGE_CONNECTION: _, ...env } = process.env;
  const child = spawn(process.execPath, [path.join(import.meta.dirname, '../../console/main.ts')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, NODE_OPTIONS: '', STORAGE_CONNECTION: connection },
  });
  let story = '';
  let asides = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    story += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    asides += text;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  onTestFinished(async () => {
    child.kill();
    await ended;
  });
  return {
    story: () => story,
    asides: () => asides,
    process: child,
    ended,
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (text.test(story) || text.test(asides)) resolve();
        };
        for (const stream of [child.stdout, child.stderr]) stream.on('data', look);
        look();
        void ended.then(() => {
          reject(new Error(`It ended: ${story}${asides}`));
        });
      }),
  };
}

async function queueOf(connection: string): Promise<QueueClient> {
  const queue = new QueueClient(connection, 'console');
  await queue.createIfNotExists();
  return queue;
}

const tell = (queue: QueueClient, text: string): Promise<unknown> =>
  queue.sendMessage(Buffer.from(text).toString('base64'));

const left = async (queue: QueueClient): Promise<number> =>
  (await queue.getProperties()).approximateMessagesCount ?? 0;

describe('The console', () => {
  test('prints lines in order as they come, and dots while it waits, and deletes what it has printed', async () => {
    const connection = await account();
    const queue = await queueOf(connection);
    const lines = Array.from({ length: 40 }, (_, index) => `Zoë takes step ${index + 1}.`);
    for (const line of lines) await tell(queue, line);
    const console = listen(connection);
    await console.until(/step 40\.\n\.\./);
    expect(console.story().trimEnd()).toMatch(
      new RegExp(`^${lines.join('\n').replaceAll('.', '\\.')}\n\\.+$`),
    );

    await tell(queue, 'She has won the game!');
    await console.until(/\.\nShe has won the game!\n\./);
    expect(await left(queue)).toBe(0);
  });

  test('waits for a queue that does not exist yet', async () => {
    const connection = await account();
    const console = listen(connection);
    await console.until(/\.\./);
    await tell(await queueOf(connection), 'It begins.');
    await console.until(/It begins\.\n/);
    expect(console.asides().trim().split('\n')).toHaveLength(1);
  });

  test('prints symbols for control characters, and prints text that is not in base64', async () => {
    const connection = await account();
    const queue = await queueOf(connection);
    await tell(queue, '\u001B[2J\u001B]0;gotcha\u0007Pat\r\nhas\u009B31m \u202Enow\u2028won\u007F');
    await queue.sendMessage('plain, not base64');
    const console = listen(connection);
    await console.until(/plain, not base64\n/);
    expect(console.story()).toContain(
      '␛[2J␛]0;gotcha␇Pat␍␊has\uFFFD31m \uFFFDnow\uFFFDwon␡\nplain, not base64\n',
    );
    expect(console.story().replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  test('reports once that storage fails, and continues when it is back', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'console-'));
    const ports: Ports = { blob: await freePort(), queue: await freePort(), table: await freePort() };
    const console = listen(connectionString(ports));
    await console.until(/Storage does not answer: connect ECONNREFUSED/);

    const stop = await startAzurite(ports, folder);
    let running = { stop };
    onTestFinished(async () => {
      await running.stop();
      await rm(folder, { recursive: true, force: true });
    });
    await console.until(/Storage answers again/);
    const queue = await queueOf(connectionString(ports));
    await tell(queue, 'One.');
    await console.until(/One\.\n\./);

    await stop();
    await console.until(/answers again[^]*Storage does not answer/);
    running = { stop: await startAzurite(ports, folder) };
    await tell(queue, 'Two.');
    await console.until(/Two\.\n\./);
    // What it tells and what it reports come by two pipes, in any order.
    await console.until(/(?:answers again[^]*){2}/);
    expect(console.story().match(/One\.|Two\./g)).toEqual(['One.', 'Two.']);
    expect(console.asides().match(/Storage [^:.]*/g)).toEqual([
      'Storage does not answer',
      'Storage answers again',
      'Storage does not answer',
      'Storage answers again',
    ]);
  });

  test('does not delete what it could not print', async () => {
    const connection = await account();
    const queue = await queueOf(connection);
    await tell(queue, 'Nobody hears this.');
    const console = listen(connection);
    console.process.stdout.destroy();
    expect(await console.ended).toBe(0);
    expect(await left(queue)).toBe(1);
  });

  test.skipIf(process.platform === 'win32').each(['SIGINT', 'SIGTERM'] as const)(
    'leaves at once on %s, even while storage is gone',
    async (signal) => {
      const console = listen(connectionString({ blob: 1, queue: await freePort(), table: 1 }));
      await console.until(/Storage does not answer/);
      const asked = performance.now();
      console.process.kill(signal);
      expect(await console.ended).toBe(0);
      expect(performance.now() - asked).toBeLessThan(10_000);
    },
  );

  test('reports in one line that its setting is not a connection string', async () => {
    const console = listen('rubbish');
    expect(await console.ended).toBe(1);
    expect(console.asides()).toBe('STORAGE_CONNECTION is not a storage connection string.\n');
  });
});
