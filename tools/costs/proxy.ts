/** A proxy in front of the storage that a connection string names. It counts requests, and forwards them as they are. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { endpointsOf, SERVICES, withOrigins, type Service } from './connection.ts';
import type { Exchange } from './tally.ts';

export interface CountingProxy {
  /** The connection string to give to a host. */
  connectionString: string;
  stop(): Promise<void>;
}

/**
 * Starts the proxy, one port for each service.
 *
 * Signatures by the account's key stay valid, because they cover the path of a request and not its host. Tokens and
 * shared access signatures work too, but the libraries send no token over HTTP.
 *
 * @param storage a connection string with an account key
 * @param seen is called with each request, when its answer has been sent
 */
export async function startProxy(
  storage: string,
  seen: (exchange: Exchange) => void,
  ports: Partial<Record<Service, number>> = {},
): Promise<CountingProxy> {
  const endpoints = endpointsOf(storage);
  const servers = await Promise.all(
    SERVICES.map(async (service) => {
      const agent = new (endpoints[service].protocol === 'https:' ? https : http).Agent({ keepAlive: true });
      const server = http.createServer((request, response) => {
        forward(service, endpoints[service], agent, request, response, seen).catch((error: unknown) => {
          // The client library repeats a request that ends without an answer.
          response.destroy(error as Error);
        });
      });
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(ports[service] ?? 0, '127.0.0.1', resolve);
      });
      return { service, server, agent };
    }),
  );
  const origins = Object.fromEntries(
    servers.map(({ service, server }) => [
      service,
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ]),
  ) as Record<Service, string>;
  return {
    connectionString: withOrigins(storage, origins),
    async stop() {
      await Promise.all(
        servers.map(({ server, agent }) => {
          agent.destroy();
          server.closeAllConnections();
          return new Promise((resolve) => {
            server.close(resolve);
          });
        }),
      );
    },
  };
}

async function forward(
  service: Service,
  upstream: URL,
  agent: http.Agent,
  request: IncomingMessage,
  response: ServerResponse,
  seen: (exchange: Exchange) => void,
): Promise<void> {
  const url = new URL(request.url!, upstream);
  const headers: http.OutgoingHttpHeaders = { ...request.headers, host: upstream.host };
  let sent: Buffer | undefined;
  let requestBytes = 0;
  if (service === 'table') {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    sent = Buffer.concat(chunks);
    // The operations of a batch have whole addresses. The signature does not cover the body.
    if (url.pathname.endsWith('/$batch') && request.headers.host !== undefined)
      sent = Buffer.from(
        sent.toString('utf8').replaceAll(`http://${request.headers.host}/`, `${upstream.origin}/`),
      );
    requestBytes = sent.length;
    if (requestBytes > 0 || headers['content-length'] !== undefined) headers['content-length'] = requestBytes;
  } else {
    request.on('data', (chunk: Buffer) => {
      requestBytes += chunk.length;
    });
  }
  const outgoing = (upstream.protocol === 'https:' ? https : http).request({
    host: upstream.hostname,
    port: upstream.port,
    path: request.url,
    method: request.method!,
    headers,
    agent,
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject);
  });
  if (sent === undefined) request.pipe(outgoing);
  else outgoing.end(sent);
  const answer = await answered;
  let responseBytes = 0;
  let isEmpty = service === 'queue';
  answer.on('data', (chunk: Buffer) => {
    responseBytes += chunk.length;
    if (isEmpty && chunk.includes('<QueueMessage>')) isEmpty = false;
  });
  response.writeHead(answer.statusCode!, answer.headers);
  answer.pipe(response);
  await new Promise<void>((resolve, reject) => {
    answer.once('error', reject);
    response.once('close', resolve);
  });
  const account = upstream.pathname.replace(/\/$/, '');
  seen({
    service,
    method: request.method!,
    path: decodeURIComponent(url.pathname).slice(account.length),
    query: url.searchParams,
    status: answer.statusCode!,
    requestBytes,
    responseBytes,
    body: sent?.toString('utf8') ?? '',
    isEmpty,
  });
}
