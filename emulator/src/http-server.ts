import type * as Http from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { knownNames } from './host-names.js';
import type { Body, HttpRequestLike, HttpResponseLike } from './http-message.js';
import { isBodiless } from './http-message.js';
import { joined } from './http-text.js';
import { http } from './node-http.js';
import { empty } from './triggers/http.js';
import type { ClientRequest, ClientResponse } from './worker/client-requests.js';

export type Handle = (request: HttpRequestLike<Body>) => Promise<HttpResponseLike<Body>>;

/**
 * How many connections wait until the process accepts them; the system may allow fewer. With Node's 511, those of
 * thousands of callers at once would be dropped while functions run.
 */
const BACKLOG = 10_000;

/** How long running requests may go on when the server closes, in milliseconds. */
const GRACE = 2000;

/** The server sets these headers itself when it has the whole body. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding']);

/** Serves `handle` on a port of the loopback addresses of this machine. */
export class HttpServer {
  readonly #servers: Http.Server[] = [];
  readonly #handle: Handle;
  readonly #isKnown: (hostname: string) => boolean;

  /** @param hostNames names besides this machine's own, see {@link knownNames}; the others are answered 403 */
  constructor(handle: Handle, hostNames: readonly string[] = []) {
    this.#handle = handle;
    this.#isKnown = knownNames(hostNames);
  }

  /** Rejects with `EADDRINUSE` when the port is in use. @param port 0 for any free port @returns the port */
  async listen(port: number): Promise<number> {
    const actual = await this.#listenOn('127.0.0.1', port);
    try {
      // On many machines, `localhost` resolves to ::1 first.
      await this.#listenOn('::1', actual);
    } catch (error) {
      // Some machines have no ::1. But when its port is in use, calls to localhost would reach another
      // program.
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
        await this.close();
        if (port === 0) return this.listen(0);
        throw error;
      }
    }
    return actual;
  }

  async #listenOn(host: string, port: number): Promise<number> {
    const answer = (request: Http.IncomingMessage, response: Http.ServerResponse): void => {
      void this.#serve(request, response, server);
    };
    const server = http.createServer({ keepAliveTimeout: 65_000, maxHeaderSize: 64 * 1024 }, answer);
    // Kestrel ignores other values of `Expect` than `100-continue`.
    server.on('checkExpectation', answer);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host, backlog: BACKLOG }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  /**
   * Answers a request of the SDK's client, which came without a socket, as one that came over it.
   * @returns undefined when the server is closed
   */
  async answer({ body, ...request }: ClientRequest): Promise<ClientResponse | undefined> {
    if (this.#servers.length === 0) return undefined;
    const { pathname, search } = new URL(request.url);
    const target = pathname + search;
    const answer = isTooLong(request.method, target)
      ? empty(414)
      : hasNull(target)
        ? empty(400)
        : await this.#handle({ ...request, ...(body !== undefined && { body: Buffer.from(body) }) });
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers.map(([name, value]) => [name.toLowerCase(), value])),
      // What answers the SDK's client streams nothing.
      body: answer.body instanceof Uint8Array ? Buffer.from(answer.body).toString() : '',
    };
  }

  /** Accepts no more requests, and lets running requests end. */
  async close(): Promise<void> {
    await Promise.all(
      this.#servers.splice(0).map(
        (server) =>
          new Promise<void>((resolve) => {
            const late = setTimeout(() => {
              server.closeAllConnections();
            }, GRACE);
            server.close(() => {
              clearTimeout(late);
              resolve();
            });
            server.closeIdleConnections();
          }),
      ),
    );
  }

  /** The answer to a request under a name that is not this machine's. */
  #refusal({ hostname }: URL): HttpResponseLike | undefined {
    if (this.#isKnown(hostname)) return undefined;
    return {
      ...empty(403, [['content-type', 'text/plain; charset=utf-8']]),
      body: Buffer.from(
        `The emulator answers under the names localhost and 127.0.0.1, not under '${hostname}'. To allow it, start the emulator with --host-names ${hostname}\n`,
      ),
    };
  }

  async #serve(
    request: Http.IncomingMessage,
    response: Http.ServerResponse,
    server: Http.Server,
  ): Promise<void> {
    // A caller may close the connection at any time.
    response.on('error', () => {});
    try {
      const method = request.method ?? 'GET';
      const headers = readHeaders(request);
      const url = headers === undefined ? undefined : addressOf(request);
      const excess = excessOf(request);
      const hasBody =
        request.headers['transfer-encoding'] !== undefined ||
        Number(request.headers['content-length'] ?? 0) > 0;
      const answer =
        excess !== undefined
          ? empty(excess)
          : url === undefined || headers === undefined
            ? empty(400)
            : (this.#refusal(new URL(url)) ??
              (await this.#handle({
                method,
                url,
                headers,
                isAbandoned: () => response.destroyed,
                ...(hasBody && { body: request }),
              })));
      // A connection that is kept alive would delay the close of the server.
      if (!server.listening) response.shouldKeepAlive = false;
      send(response, method, answer);
    } catch {
      // The request broke off, or the response has headers or a status that HTTP does not allow.
      if (!response.headersSent && !response.destroyed) send(response, 'GET', empty(500));
    }
  }
}

/**
 * The URL of a request.
 * @returns undefined when the target and the Host header make no URL, or name two hosts, or the path has a
 * null, or there are two Host headers: Kestrel rejects such requests, too
 */
function addressOf({ headersDistinct, url = '/' }: Http.IncomingMessage): string | undefined {
  const [host = 'localhost', second] = headersDistinct['host'] ?? [];
  if (second !== undefined || /[/?#@\\]/.test(host)) return undefined;
  const origin = `http://${host}`;
  // In a request's target, these characters have no meaning of their own.
  const target = url.replaceAll('#', '%23').replace(/^[^?]*/, (path) => path.replaceAll('\\', '%5C'));
  const address = target.startsWith('/') ? origin + target : target;
  if (hasNull(target)) return undefined;
  return URL.canParse(origin) && URL.canParse(address) && new URL(address).host === new URL(origin).host
    ? address
    : undefined;
}

/** @throws TypeError, RangeError when HTTP does not allow the response */
function send(
  response: Http.ServerResponse,
  method: string,
  { status, headers, body }: HttpResponseLike<Body>,
): void {
  if (body instanceof Uint8Array) {
    const lines = headers.filter(([name]) => !OWN_HEADERS.has(name.toLowerCase()));
    if (!isBodiless(status)) lines.push(['content-length', String(body.length)]);
    response.writeHead(status, lines.flat());
    response.end(isBodiless(status) || method === 'HEAD' ? undefined : body);
  } else {
    response.writeHead(status, headers.flat());
    // When one side breaks off, `pipeline` closes the other.
    pipeline(body, response, () => {});
  }
}

/** Whether the path has a null. */
function hasNull(target: string): boolean {
  return /^[^?]*%00/.test(target);
}

/** Kestrel's limits, in bytes and headers. */
const LIMITS = { requestLine: 8 * 1024, headers: 32 * 1024, headerCount: 100 };

/** The status of Kestrel's answer to a request that is too large before its body; undefined for others. */
function excessOf({ method = '', url = '', rawHeaders }: Http.IncomingMessage): 414 | 431 | undefined {
  if (isTooLong(method, url)) return 414;
  // Each line has a colon, a blank, and the end of a line.
  const size = rawHeaders.reduce((sum, part) => sum + part.length + 2, 0);
  return rawHeaders.length / 2 > LIMITS.headerCount || size > LIMITS.headers ? 431 : undefined;
}

function isTooLong(method: string, target: string): boolean {
  return method.length + target.length + ' HTTP/1.1\r\n'.length + 1 > LIMITS.requestLine;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The headers, read as UTF-8. Commas join the values of one name, without those that are empty, as in .NET.
 * @returns undefined when they are no UTF-8: Kestrel rejects the request
 */
function readHeaders({ headersDistinct }: Http.IncomingMessage): Record<string, string> | undefined {
  const result: Record<string, string> = {};
  for (const [name, values] of Object.entries(headersDistinct)) {
    const text = joined(values!);
    if (!/[\x80-\xff]/.test(text)) result[name] = text;
    else
      try {
        result[name] = utf8.decode(Buffer.from(text, 'latin1'));
      } catch {
        return undefined;
      }
  }
  return result;
}
