import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Storage that can be made to fail, between a client and a real Azurite. */
export interface FaultyStorage {
  /** Reaches the tables through this; blobs and queues directly. */
  connection: string;
  /**
   * Lets `count` more transactions through, then breaks every connection that brings one, as if the client had died:
   * before it arrives, or with `answer: true` after it was done and before its answer arrives.
   */
  breakAfter(count: number, options?: { answer?: boolean }): void;
  heal(): void;
  stop(): void;
}

export async function faultyStorage(connection: string): Promise<FaultyStorage> {
  const endpoint = new URL(/TableEndpoint=([^;]+)/.exec(connection)![1]!);
  let left = Infinity;
  let afterwards = false;
  const server = createServer((incoming, outgoing) => {
    const broken = incoming.url!.includes('$batch') && left-- <= 0;
    if (broken && !afterwards) {
      incoming.socket.destroy();
      return;
    }
    const forwarded = request({
      host: endpoint.hostname, port: endpoint.port, method: incoming.method, path: incoming.url, headers: incoming.headers,
    }, (response: IncomingMessage) => {
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
  const { port } = server.address() as AddressInfo;
  return {
    connection: connection.replace(endpoint.host, `127.0.0.1:${port}`),
    breakAfter(count, { answer = false } = {}) {
      left = count;
      afterwards = answer;
    },
    heal() { left = Infinity; },
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
