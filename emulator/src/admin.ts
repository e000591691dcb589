/** The host's own API under `/admin`: the part of the real host's API that tools call. */
import type { HttpRequestLike, HttpResponseLike } from './http-message.js';
import { empty, json } from './triggers/http.js';
import { keysAnswer, keysAt } from './admin-keys.js';
import { keyRefusal, type HostKeys } from './triggers/keys.js';

export interface AdminOptions {
  keys: HostKeys;
  /** Whether callers need the master key. */
  enforceKeys: boolean;
  /** The origin of the host's URLs. */
  origin: () => string;
  /** The app's functions in the form of the JSON response. */
  functions: () => { name: string }[];
  /** Runs a function that is not called over HTTP. @returns false when there is none of that name */
  run: (name: string, input: string) => boolean;
  /**
   * Ends the worker part as a crash does, now or when a function runs next. @returns false when there is no such
   * function
   */
  crash: (during: string | undefined) => boolean;
}

type Operation = (request: HttpRequestLike) => HttpResponseLike;

const PATH = /^\/admin(?:\/|$)/i;

export class AdminApi {
  readonly #options: AdminOptions;
  readonly #startedAt = Date.now();

  constructor(options: AdminOptions) {
    this.#options = options;
  }

  /** @returns undefined for a path or a method that it does not have, whatever the key */
  handle(request: HttpRequestLike): HttpResponseLike | undefined {
    const { pathname: path } = new URL(request.url);
    if (!PATH.test(path)) return undefined;
    const call = `${request.method} ${path.replace(/\/$/, '').toLowerCase()}`;
    if (call === 'GET /admin/host/ping' || call === 'POST /admin/host/ping') return empty(200, NO_CACHE);
    const operation = this.#find(call);
    if (operation === undefined) return undefined;
    const { keys, enforceKeys } = this.#options;
    return (enforceKeys ? keyRefusal(request, [keys.master], keys) : undefined) ?? operation(request);
  }

  #find(call: string): Operation | undefined {
    const { functions, keys, crash, origin } = this.#options;
    switch (call) {
      case 'GET /admin/host/status':
        return () => json(this.#status());
      case 'GET /admin/functions':
        return () => json(functions());
      case 'POST /admin/emulator/kill-worker':
        return ({ url }) => empty(crash(new URL(url).searchParams.get('during') ?? undefined) ? 202 : 404);
    }
    const own = /^GET \/admin\/functions\/([^/]+)(\/status)?$/.exec(call);
    if (own !== null) {
      const found = functions().find(({ name }) => name.toLowerCase() === own[1]);
      return () => (found === undefined ? empty(404) : json(own[2] === undefined ? found : {}));
    }
    const [, runs] = /^POST \/admin\/functions\/([^/]+)$/.exec(call) ?? [];
    if (runs !== undefined) return (request) => this.#run(runs, request);
    const asked = keysAt(call, keys, functions());
    return asked && (({ url }) => keysAnswer(asked, origin() + new URL(url).pathname));
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

const NO_CACHE: [string, string][] = [
  ['Cache-Control', 'no-store,no-cache'],
  ['Pragma', 'no-cache'],
];

/** The content types that ASP.NET Core reads as JSON. */
const JSON_TYPE = /^\s*(?:text\/json|application\/(?:[^\s;]+\+)?json)\s*(?:;|$)/i;
