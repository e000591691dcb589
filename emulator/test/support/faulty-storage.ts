import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What happens to a request. */
export type Fault =
  /** The connection breaks before the request arrives. */
  | 'request lost'
  /** The request is carried out, and the connection breaks before the response arrives. */
  | 'answer lost'
  /** The request gets no response. */
  | 'silence'
  /** The request is carried out so many milliseconds later. */
  | { late: number }
  /** The request is not carried out, and gets this response. */
  | { status: number; code: string };

/** A service of a storage account. */
export type Service = 'Table' | 'Blob' | 'Queue';

export interface StorageRequest {
  service: Service;
  method: string;
  /** The path in the account, with its query. */
  path: string;
}

/** A proxy in front of a real Azurite. It can make storage fail. */
export interface FaultyStorage {
  /** Reaches the given services through the proxy, and the others directly. */
  connection: string;
  /** Decides what happens to each request, which waits for the decision. */
  fault: (request: StorageRequest) => Fault | undefined | Promise<Fault | undefined>;
  /** How many requests are under way in Azurite. */
  readonly busy: number;
  /** Breaks all connections. Requests under way are lost. */
  stop(): void;
}

/** No fault. */
export const healthy = (): undefined => undefined;

/** Lets `count` more transactions through. All that follow get the fault. */
export function afterTransactions(count: number, fault: Fault): FaultyStorage['fault'] {
  let left = count;
  return ({ path }) => (path.includes('$batch') && left-- <= 0 ? fault : undefined);
}

/**
 * @param connection the connection string of the storage behind the proxy
 * @param services the services that are reached through the proxy
 */
export async function faultyStorage(
  connection: string,
  services: readonly Service[] = ['Table', 'Blob'],
): Promise<FaultyStorage> {
  const servers: Server[] = [];
  let busy = 0;
  const storage: FaultyStorage = {
    connection,
    fault: healthy,
    get busy() {
      return busy;
    },
    stop() {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
  for (const service of services) {
    const { host, hostname, port } = new URL(new RegExp(`${service}Endpoint=([^;]+)`).exec(connection)![1]!);
    const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
      const decided = storage.fault({
        service,
        method: incoming.method!,
        path: incoming.url!.replace(/^\/[^/]+/, ''),
      });
      const fault = decided instanceof Promise ? await decided : decided;
      const lose = (): void => {
        incoming.socket.destroy();
      };
      const forward = (): void => {
        busy++;
        const forwarded = request(
          { hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers },
          (response) => {
            if (fault === 'answer lost') {
              response.resume().once('end', lose);
              return;
            }
            outgoing.writeHead(response.statusCode!, response.rawHeaders);
            response.pipe(outgoing);
          },
        );
        forwarded.once('error', lose).once('close', () => {
          busy--;
        });
        incoming.pipe(forwarded);
      };
      if (fault === undefined || fault === 'answer lost') {
        forward();
      } else if (fault === 'request lost') {
        lose();
      } else if (fault === 'silence') {
        incoming.resume();
      } else if ('late' in fault) {
        void sleep(fault.late).then(forward);
      } else {
        incoming.resume().once('end', () => {
          outgoing
            .writeHead(fault.status, { 'content-type': 'application/json', 'x-ms-error-code': fault.code })
            .end(
              JSON.stringify({
                'odata.error': {
                  code: fault.code,
                  message: { lang: 'en-US', value: 'The test makes this request fail.' },
                },
              }),
            );
        });
      }
    };
    const server = createServer((incoming, outgoing) => void serve(incoming, outgoing));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push(server);
    storage.connection = storage.connection.replace(
      host,
      `127.0.0.1:${(server.address() as AddressInfo).port}`,
    );
  }
  return storage;
}
