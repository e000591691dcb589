import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Storage that can be made to fail, between a client and a real Azurite. */
export interface FaultyStorage {
  /** Reaches tables and blobs through this; queues directly. */
  connection: string;
  /**
   * Lets `count` more transactions through, then breaks every connection that brings one, as if the client had died:
   * before it arrives, or with `answer: true` after it was done and before its answer arrives.
   */
  breakAfter(count: number, options?: { answer?: boolean }): void;
  /** Breaks every connection that brings a request. */
  breakDown(): void;
  heal(): void;
  stop(): void;
}

export async function faultyStorage(connection: string): Promise<FaultyStorage> {
  let transactions = Infinity;
  let afterwards = false;
  let down = false;
  const servers: Server[] = [];
  let proxied = connection;
  for (const service of ['Table', 'Blob']) {
    const { host, hostname, port } = new URL(new RegExp(`${service}Endpoint=([^;]+)`).exec(connection)![1]!);
    const server = createServer((incoming, outgoing) => {
      const broken = down || (incoming.url!.includes('$batch') && transactions-- <= 0);
      if (broken && !afterwards) {
        incoming.socket.destroy();
        return;
      }
      const forwarded = request({ hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers }, (response) => {
        if (broken) {
          incoming.socket.destroy();
          return;
        }
        outgoing.writeHead(response.statusCode!, response.rawHeaders);
        response.pipe(outgoing);
      });
      incoming.pipe(forwarded);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    proxied = proxied.replace(host, `127.0.0.1:${(server.address() as AddressInfo).port}`);
  }
  return {
    connection: proxied,
    breakAfter(count, { answer = false } = {}) {
      transactions = count;
      afterwards = answer;
    },
    breakDown() { down = true; },
    heal() {
      down = false;
      afterwards = false;
      transactions = Infinity;
    },
    stop() {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}
