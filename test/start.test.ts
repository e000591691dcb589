/** `npm start`. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { spaceWarning } from '../tools/azurite.js';
import { freePort, taken } from './support/ports.js';

interface Started {
  ended: Promise<number | null>;
  output: () => string;
  stop: () => void;
  kill: () => void;
  until: (text: RegExp) => Promise<string>;
}

/** Options that give storage a folder and ports of its own. */
async function storagePlace(): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'start-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const ports = await Promise.all(
    ['blob', 'queue', 'table'].map(async (service) => [`--${service}-port`, String(await freePort())]),
  );
  return ['--storage-folder', folder, ...ports.flat()];
}

async function start(args: string[], storage?: string[]): Promise<Started> {
  const { AzureWebJobsStorage: _, AppStorage: __, ...env } = process.env;
  const child = fork(
    path.join(import.meta.dirname, '../tools/start.ts'),
    [...(storage ?? (await storagePlace())), ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
      env: { ...env, NODE_OPTIONS: '' },
    },
  );
  let output = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  onTestFinished(async () => {
    child.kill();
    await ended;
  });
  return {
    ended,
    output: () => output,
    stop: () => {
      child.send('stop');
    },
    kill: () => {
      child.kill('SIGKILL');
    },
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (text.test(output)) resolve(output);
        };
        child.stdout!.on('data', look);
        void ended.then(() => {
          reject(new Error(`It ended: ${output}`));
        });
      }),
  };
}

test('one command starts the app with its storage, prints commands to try, and stops cleanly', async () => {
  const port = await freePort();
  const app = await start(['--port', String(port), '--clock', 'skip']);
  const said = await app.until(/Water the plants/);
  expect(said).toContain(`RequestApproval: [POST] http://localhost:${port}/api/approvals`);
  expect(said).toContain(`http://localhost:${port}/_emulator\n`);
  const answer = await fetch(`http://localhost:${port}/api/approvals`, {
    method: 'POST',
    body: JSON.stringify({
      subject: 'A new chair',
      requestedBy: 'pat',
      approver: 'kim',
      escalateTo: 'robin',
      respondWithin: 'PT10M',
    }),
  });
  expect(answer.status).toBe(202);
  const escalated = app.until(/Escalation: To robin/);
  const skipped = await fetch(`http://localhost:${port}/_emulator/clock`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"minutes":15}',
  });
  expect(skipped.status).toBe(200);
  await escalated;
  app.stop();
  expect(await app.ended).toBe(0);
});

test('killed and restarted at once, it continues with everything that it has accepted', async () => {
  const storage = await storagePlace();
  const port = await freePort();
  const first = await start(['--port', String(port)], storage);
  await first.until(/Water the plants/);
  const asked = await fetch(`http://localhost:${port}/api/approvals`, {
    method: 'POST',
    body: JSON.stringify({
      subject: 'A new chair',
      requestedBy: 'pat',
      approver: 'kim',
      escalateTo: 'robin',
      respondWithin: 'PT1S',
    }),
  });
  expect(asked.status).toBe(202);
  first.kill();
  await first.ended;
  const second = await start(['--port', String(port)], storage);
  await second.until(/Escalation: To robin/);
});

test('a disk with little space for storage is named, with what it means', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'start-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const gigabyte = 2 ** 30;
  expect(spaceWarning(folder, gigabyte)).toBeUndefined();
  expect(spaceWarning(folder, gigabyte - 1)).toMatch(/has only 1023 MB of free space/);
  const database = await open(path.join(folder, '__azurite_db_table__.json'), 'w');
  await database.truncate(gigabyte);
  await database.close();
  expect(spaceWarning(folder, 2 * gigabyte)).toBeUndefined();
  expect(spaceWarning(folder, 2 * gigabyte - 1)).toMatch(/has only 2047 MB of free space/);
  expect(spaceWarning(folder, undefined)).not.toBe('');
});

test('a port in use is reported in one line, and storage is stopped again', async () => {
  const { port, free } = await taken();
  onTestFinished(free);
  const app = await start(['--port', String(port)]);
  expect(await app.ended).toBe(1);
  expect(app.output().trim().split('\n').at(-1)).toMatch(new RegExp(`${port}.*in use|in use.*${port}`));
});

test('a storage port that another program uses is reported in one line', async () => {
  const { port, free } = await taken();
  onTestFinished(free);
  const app = await start(['--port', '0', '--table-port', String(port)]);
  expect(await app.ended).toBe(1);
  expect(app.output()).toContain(`Port ${port} is in use`);
});
