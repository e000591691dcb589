import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpRequestLike, HttpResponseLike } from './http-message.js';
import { empty, MAX_BODY } from './triggers/http.js';

export type Handle = (request: HttpRequestLike) => Promise<HttpResponseLike>;

/** How long running requests have, in milliseconds, when the server closes. */
const GRACE = 2000;

/** Set by the server itself, whatever a function says. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);

/** Serves `handle` on a port of this machine's loopback addresses. */
export class HttpServer {
  readonly #servers: http.Server[] = [];
  readonly #handle: Handle;

  constructor(handle: Handle) {
    this.#handle = handle;
  }

  /** @param port 0 for any free one. @returns the port. Rejects with `EADDRINUSE` when it is taken. */
  async listen(port: number): Promise<number> {
    const actual = await this.#listenOn('127.0.0.1', port);
    try {
      // `localhost` is ::1 first on many machines.
      await this.#listenOn('::1', actual);
    } catch (error) {
      // Not all have it. Where it is taken, calls to localhost would reach somebody else.
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
        await this.close();
        if (port === 0) return this.listen(0);
        throw error;
      }
    }
    return actual;
  }

  async #listenOn(host: string, port: number): Promise<number> {
    const server = http.createServer({ keepAliveTimeout: 65_000 }, (request, response) => { void this.#serve(request, response, server); });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => { server.off('error', reject); resolve(); });
    });
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  /** Takes no more requests, and lets those that run end. */
  async close(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => new Promise<void>((resolve) => {
      const late = setTimeout(() => { server.closeAllConnections(); }, GRACE);
      server.close(() => { clearTimeout(late); resolve(); });
      server.closeIdleConnections();
    })));
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse, server: http.Server): Promise<void> {
    // Whoever called may go away at any time.
    response.on('error', () => {});
    try {
      const body = await readBody(request);
      const url = `http://${request.headers.host ?? 'localhost'}${request.url ?? '/'}`;
      const method = request.method ?? 'GET';
      let answer = empty(413);
      if (body !== undefined) {
        answer = URL.canParse(url) ? await this.#handle({ method, url, headers: flat(request.headers), ...(body.length > 0 && { body }) }) : empty(400);
      }
      // A connection kept alive would hold up a server that closes.
      if (!server.listening) response.shouldKeepAlive = false;
      send(response, method, answer);
    } catch {
      // The request broke off, or the answer has headers or a status that HTTP does not allow.
      if (!response.headersSent && !response.destroyed) send(response, 'GET', empty(500));
    }
  }
}

/** @throws TypeError, RangeError when the answer is not one that HTTP allows. */
function send(response: http.ServerResponse, method: string, { status, headers, body }: HttpResponseLike): void {
  const lines = headers.filter(([name]) => !OWN_HEADERS.has(name.toLowerCase()));
  const bodiless = status === 204 || status === 205 || status === 304;
  if (!bodiless) lines.push(['content-length', String(body.length)]);
  response.writeHead(status, lines.flat());
  response.end(bodiless || method === 'HEAD' ? undefined : body);
}

/** @returns undefined when the body is larger than the host takes. */
async function readBody(request: http.IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = Number(request.headers['content-length'] ?? 0) > MAX_BODY ? Infinity : 0;
  // Without destroying it: a caller who is still sending would never see the answer.
  if (size < Infinity) {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_BODY) break;
      chunks.push(chunk);
    }
  }
  if (size > MAX_BODY) {
    request.resume();
    return undefined;
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value;
  return result;
}
