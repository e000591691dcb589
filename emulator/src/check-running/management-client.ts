import { setTimeout as pause } from 'node:timers/promises';
import { CONTINUATION } from '../durable/management/request.js';
import type { ShownHistory } from '../durable/replay/recorded-history.js';

/** Where a running app has its management API. */
export interface RunningApp {
  /** Such as `https://APP.azurewebsites.net`, with or without the path of the API. */
  url: string;
  /** The system key `durabletask_extension`, or the master key. Default: the `code` in the URL, else none. */
  key?: string | undefined;
  /** Default: the app's own hub. */
  taskHub?: string | undefined;
  /** The name of the hub's storage connection. Default: the app's own. */
  connection?: string | undefined;
}

/** An instance as the management API lists it. */
export interface ListedInstance {
  name: string;
  instanceId: string;
  version?: string;
  runtimeStatus: string;
  /** ISO 8601, UTC, to the second. */
  createdTime: string;
}

/** An instance with its history. Without `historyEvents` it has not begun. */
export type ShownInstance = ListedInstance & Partial<ShownHistory>;

/** The app does not answer, refuses the key, or has no management API. The message has no key. */
export class RunningAppError extends Error {
  override name = 'RunningAppError';
}

const PATH = '/runtime/webhooks/durabletask';
/** The statuses of instances that have not ended. */
const LIVE = ['Running', 'Pending', 'Suspended', 'ContinuedAsNew'];
const PAGE = 500;
/** Milliseconds before the next attempt of a request that the app did not answer. */
const PAUSES = [500, 2000, 5000];
const TIMEOUT = 60_000;

/**
 * Reads the management API of a running app. The key travels in a header, because logs contain URLs.
 * https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-http-api
 */
export class ManagementClient {
  /** The app's origin, for messages. */
  readonly origin: string;
  readonly #base: string;
  readonly #query: Record<string, string>;
  readonly #headers: Record<string, string>;

  /** @throws RunningAppError */
  constructor({ url, key, taskHub, connection }: RunningApp) {
    const parsed = URL.parse(url);
    if (parsed === null || !/^https?:$/.test(parsed.protocol))
      throw new RunningAppError('The URL of the app must begin with https:// or http://.');
    const code = key ?? parsed.searchParams.get('code') ?? undefined;
    if (code !== undefined && parsed.protocol === 'http:' && !isThisMachine(parsed.hostname))
      throw new RunningAppError('The key would travel unencrypted: give a URL that begins with https://.');
    const path = parsed.pathname.replace(/\/+$/, '');
    const at = path.toLowerCase().indexOf(PATH);
    this.origin = parsed.origin;
    this.#base = `${parsed.origin}${at < 0 ? path : path.slice(0, at)}${PATH}`;
    this.#headers = code === undefined ? {} : { 'x-functions-key': code };
    const hub = taskHub ?? parsed.searchParams.get('taskHub');
    const storage = connection ?? parsed.searchParams.get('connection');
    this.#query = { ...(hub && { taskHub: hub }), ...(storage && { connection: storage }) };
  }

  /** The orchestrations that have not ended, page by page. Entities are left out. @throws RunningAppError */
  async *live(): AsyncGenerator<ListedInstance> {
    let token: string | undefined;
    do {
      const response = await this.#get(
        '/instances',
        { runtimeStatus: LIVE.join(','), showInput: 'false', top: String(PAGE) },
        token,
      );
      if (!response.ok) throw this.#refusal(response.status);
      const page = await response.json().catch(() => undefined);
      if (!Array.isArray(page)) throw this.#refusal(404);
      for (const instance of page as ListedInstance[])
        if (!instance.instanceId.startsWith('@') && LIVE.includes(instance.runtimeStatus)) yield instance;
      token = response.headers.get(CONTINUATION) ?? '';
    } while (token !== '');
  }

  /**
   * An instance with its history.
   * @returns undefined when it has ended, or is not there any more; a text why the app does not show it
   * @throws RunningAppError
   */
  async instance(id: string): Promise<ShownInstance | string | undefined> {
    const response = await this.#get(`/instances/${encodeURIComponent(id)}`, {
      showHistory: 'true',
      showHistoryOutput: 'true',
      showInput: 'true',
    });
    if (response.status === 404)
      return /[/\\?#%]/.test(id) ? 'The app answers 404: such an id cannot be part of a URL.' : undefined;
    if (response.status === 401 || response.status === 403) throw this.#refusal(response.status);
    if (!response.ok) return `The app answers ${response.status} to a request for its history.`;
    const shown = (await response.json().catch(() => undefined)) as ShownInstance | undefined;
    if (shown === undefined) return 'The app answers with something else than JSON.';
    return LIVE.includes(shown.runtimeStatus) ? shown : undefined;
  }

  async #get(path: string, query: Record<string, string>, continuation?: string): Promise<Response> {
    const url = `${this.#base}${path}?${new URLSearchParams({ ...query, ...this.#query }).toString()}`;
    const headers = { ...this.#headers, ...(continuation && { [CONTINUATION]: continuation }) };
    for (let attempt = 0; ; attempt++) {
      const last = attempt === PAUSES.length;
      try {
        // A redirect could lead the key to another server.
        const response = await fetch(url, {
          headers,
          redirect: 'manual',
          signal: AbortSignal.timeout(TIMEOUT),
        });
        // A status that says that a history cannot be shown is no failure of the app.
        const isBusy = response.status === 429 || response.status >= 502;
        if (!isBusy || last) {
          if (isBusy || (response.status >= 300 && response.status < 400))
            throw this.#refusal(response.status);
          return response;
        }
        await response.body?.cancel();
      } catch (error) {
        if (error instanceof RunningAppError) throw error;
        const cause = causeOf(error);
        // Nothing is there: another attempt would only take time.
        if (last || /^(ECONNREFUSED|ENOTFOUND)$/.test(cause))
          throw new RunningAppError(`${this.origin} does not answer: ${cause}.`);
      }
      await pause(PAUSES[attempt]);
    }
  }

  #refusal(status: number): RunningAppError {
    const where = `${this.origin} answers ${status}`;
    switch (status) {
      case 401:
      case 403:
        return new RunningAppError(
          `${where}: give its system key 'durabletask_extension', or its master key.`,
        );
      case 404:
        return new RunningAppError(
          `${where}: it has no management API of Durable Functions at ${PATH}, or no such task hub.`,
        );
      default:
        return new RunningAppError(`${where}.`);
    }
  }
}

function isThisMachine(host: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(host);
}

function causeOf(error: unknown): string {
  const { cause, name, message } = error as Error & { cause?: { code?: string; message?: string } };
  return (
    cause?.code ??
    cause?.message ??
    (name === 'TimeoutError' ? `no response in ${TIMEOUT / 1000} s` : message)
  );
}
