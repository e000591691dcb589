import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';

/** A port that this process listens on until `free` is called. */
export async function taken(): Promise<{ port: number; free: () => Promise<void> }> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    free: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const { port, free } = await taken();
  await free();
  return port;
}
