import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { startAzurite, type Azurite } from './azurite.js';

/**
 * Gives all test files of a run one Azurite. They run in processes of their own, so a tiny server in this one
 * hands out the accounts; Azurite starts with its first request, and a run without storage never pays for it.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  let azurite: Promise<Azurite> | undefined;
  const server = createServer((_, response) => {
    azurite ??= startAzurite();
    azurite
      .then((running) => response.end(running.account()))
      .catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  project.provide('azurite', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);

  return async () => {
    server.close();
    server.closeAllConnections();
    await (await azurite)?.stop();
  };
}
