import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpRequestLike, HttpResponseLike } from './http-message.js';
import { MAX_BODY } from './triggers/http.js';

export type Handle = (request: HttpRequestLike) => Promise<HttpResponseLike>;

/** Serves `handle` on a port of this machine's loopback addresses. */
export class HttpServer {
  readonly #servers: http.Server[] = [];
  readonly #handle: Handle;

  constructor(handle: Handle) {
    this.#handle = handle;
  }

  /** @param port 0 for any free one. @returns the port. Rejects with `EADDRINUSE` when it is taken. */
  async listen(port: number): Promise<number> {
    const first = await this.#listenOn('127.0.0.1', port);
    // `localhost` is ::1 first on many machines; not all have it.
    await this.#listenOn('::1', first).catch(() => {});
    return first;
  }

  async #listenOn(host: string, port: number): Promise<number> {
    const server = http.createServer({ keepAliveTimeout: 65_000 }, (request, response) => { void this.#serve(request, response); });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => { server.off('error', reject); resolve(); });
    });
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise<void>((resolve) => {
      server.close(() => { resolve(); });
      server.closeIdleConnections();
      setTimeout(() => { server.closeAllConnections(); }, 500).unref();
    })));
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const method = request.method ?? 'GET';
    let answer: HttpResponseLike;
    try {
      const body = await readBody(request);
      const url = `http://${request.headers.host ?? 'localhost'}${request.url ?? '/'}`;
      if (body === undefined) answer = { status: 413, headers: [['connection', 'close']], body: new Uint8Array() };
      else if (!URL.canParse(url)) answer = { status: 400, headers: [], body: new Uint8Array() };
      else answer = await this.#handle({ method, url, headers: flat(request.headers), ...(body.length > 0 && { body }) });
    } catch {
      if (request.destroyed && !request.complete) return;
      answer = { status: 500, headers: [], body: new Uint8Array() };
    }
    const bodiless = method === 'HEAD' || answer.status === 204 || answer.status === 304;
    const headers = answer.headers.filter(([name]) => name.toLowerCase() !== 'content-length');
    if (!bodiless) headers.push(['content-length', String(answer.body.length)]);
    response.writeHead(answer.status, headers.flat());
    response.end(bodiless ? undefined : answer.body);
  }
}

/** @returns undefined when the body is larger than the host takes. */
async function readBody(request: http.IncomingMessage): Promise<Uint8Array | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) return undefined;
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value;
  return result;
}
