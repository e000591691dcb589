import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where `useBaseUrl` asks for the app, with a storage account for it. */
    servedApp: string;
  }
}

const root = path.resolve(import.meta.dirname, '../..');

/**
 * Gives all test files of a run one built app on the emulator. Each file runs in a process of its own, so a small
 * server in this one returns the app's origin. The app starts with its first request.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  let child: ChildProcess | undefined;
  let origin: Promise<string> | undefined;
  const server = createServer((request, response) => {
    text(request)
      .then((storage) => {
        if (child === undefined) {
          child = start(storage);
          origin = originOf(child);
        }
        return origin;
      })
      .then((served) => response.end(served))
      .catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  project.provide('servedApp', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);

  return async () => {
    server.close();
    server.closeAllConnections();
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill();
    await ended;
  };
}

function start(storage: string): ChildProcess {
  const { WEBSITE_HOSTNAME: _, ...env } = process.env;
  return fork(
    path.join(root, 'emulator/dist/cli.js'),
    ['start', '--app', root, '--port', '0', '--storage', 'memory'],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
      env: { ...env, NODE_OPTIONS: '', AppStorage: storage },
    },
  );
}

/** Waits until the app serves. Its output after that is read and dropped, so that its pipes do not fill. */
async function originOf(child: ChildProcess): Promise<string> {
  let said = '';
  const streams = [child.stdout!, child.stderr!];
  const origin = await new Promise<string>((resolve, reject) => {
    for (const stream of streams) {
      stream.setEncoding('utf8').on('data', (part: string) => {
        said += part;
        const found = /Serving on (\S+)/.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      });
    }
    child.once('exit', () => {
      reject(new Error(`The app did not start: ${said}`));
    });
  });
  for (const stream of streams) stream.removeAllListeners('data').resume();
  return origin;
}
