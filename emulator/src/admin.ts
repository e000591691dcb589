/** The host's own API under `/admin`: the part of the real host's API that tools call. */
import type { HttpRequestLike, HttpResponseLike } from './http-message.js';
import { empty } from './triggers/http.js';
import { carriesKey } from './triggers/keys.js';

export interface AdminOptions {
  /** The key that callers need; undefined when they need none. */
  key: string | undefined;
  /** The app's functions in the form of the JSON response. */
  functions: () => unknown[];
  /** Runs a function that is not called over HTTP. @returns false when there is none of that name */
  run: (name: string, input: string) => boolean;
  /**
   * Ends the worker part as a crash does, now or when a function runs next. @returns false when there is no such
   * function
   */
  crash: (during: string | undefined) => boolean;
}

const PATH = /^\/admin(?:\/|$)/i;

export class AdminApi {
  readonly #options: AdminOptions;
  readonly #startedAt = Date.now();

  constructor(options: AdminOptions) {
    this.#options = options;
  }

  /** @returns undefined for a request that is not for it */
  handle(request: HttpRequestLike): HttpResponseLike | undefined {
    const { pathname: path, searchParams } = new URL(request.url);
    if (!PATH.test(path)) return undefined;
    const call = `${request.method} ${path.toLowerCase()}`;
    if (call === 'GET /admin/host/ping' || call === 'POST /admin/host/ping') return empty(200);
    const { key } = this.#options;
    if (key !== undefined && !carriesKey(request, [key])) return empty(401);
    if (call === 'GET /admin/host/status') return json(this.#status());
    if (call === 'GET /admin/functions') return json(this.#options.functions());
    if (call === 'POST /admin/emulator/kill-worker')
      return empty(this.#options.crash(searchParams.get('during') ?? undefined) ? 202 : 404);
    const [, name] = /^POST \/admin\/functions\/([^/]+)$/.exec(call) ?? [];
    return name === undefined ? empty(404) : this.#run(name, request);
  }

  #status(): unknown {
    return {
      id: 'emulator',
      state: 'Running',
      version: '4.1037.0.0',
      versionDetails: 'emulator',
      platformVersion: '',
      instanceId: '',
      computerName: '',
      processUptime: Date.now() - this.#startedAt,
      functionAppContentEditingState: 'Unknown',
    };
  }

  /**
   * The body is `{ "input": text }`, as `FunctionsController.Invoke` reads it: it has to be sent as JSON, and the
   * input is a text. The response is sent before the function has run.
   */
  #run(name: string, { headers, body }: HttpRequestLike): HttpResponseLike {
    if (!JSON_TYPE.test(headers['content-type'] ?? '')) return empty(415);
    let invocation: unknown;
    try {
      invocation = JSON.parse(new TextDecoder().decode(body));
    } catch {
      return empty(400);
    }
    if (typeof invocation !== 'object' || invocation === null || Array.isArray(invocation)) return empty(400);
    const input = Object.entries(invocation).find(([key]) => key.toLowerCase() === 'input')?.[1] as
      | object
      | string
      | number
      | boolean
      | null
      | undefined;
    if (typeof input === 'object' && input !== null) return empty(400);
    return empty(this.#options.run(name, String(input ?? '')) ? 202 : 404);
  }
}

/** The content types that ASP.NET Core reads as JSON. */
const JSON_TYPE = /^\s*(?:text\/json|application\/(?:[^\s;]+\+)?json)\s*(?:;|$)/i;

function json(value: unknown): HttpResponseLike {
  return {
    status: 200,
    headers: [['content-type', 'application/json; charset=utf-8']],
    body: Buffer.from(JSON.stringify(value)),
  };
}
