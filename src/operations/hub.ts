import type { InvocationContext } from '@azure/functions';
import { z } from 'zod';
import { TryLaterError } from '../refusals/index.js';

/** The data of a `durableClient` binding that this file reads. */
const binding = z.object({
  /** The host's local address, which the SDK's client calls too. It needs no key. */
  rpcBaseUrl: z.string(),
  /** `code=...`: the system key, which opens every instance of the app. */
  requiredQueryStringParameters: z.string(),
});

/** An instance in a list. Times are ISO 8601 in UTC, to the second. */
const listed = z.object({
  name: z.string(),
  instanceId: z.string(),
  runtimeStatus: z.string(),
  createdTime: z.string(),
  lastUpdatedTime: z.string(),
});
export type ListedInstance = z.infer<typeof listed>;

const shown = listed.extend({
  input: z.unknown(),
  customStatus: z.unknown(),
  output: z.unknown(),
  /** Events as the management API shows them; there only if they were asked for. */
  historyEvents: z.array(z.looseObject({ EventType: z.string(), Timestamp: z.string() })).nullish(),
});
export type ShownInstance = z.infer<typeof shown>;

/** Selects the instances to list. Times are ISO 8601. */
export interface InstanceFilter {
  runtimeStatus?: readonly string[] | undefined;
  createdTimeFrom?: string | undefined;
  createdTimeTo?: string | undefined;
  instanceIdPrefix?: string | undefined;
}

/** The hub refuses the request, so that a repeat is of no use. */
export class HubRefusal extends Error {
  override readonly name = 'HubRefusal';

  constructor(
    readonly status: number,
    text: string,
  ) {
    super(`The hub answers ${status}: ${text.slice(0, 500)}`);
  }
}

/** How long the hub may take to answer, in milliseconds. A history of thousands of events takes seconds. */
const PATIENCE = 60_000;

/**
 * The requests to the hub that the SDK's client does not have: it reads no history, lists all instances at once
 * and cannot restart one. The hub's management API answers them at the address that the SDK uses itself.
 */
export class Hub {
  /** The host's local address. Each app has another. */
  readonly address: string;
  readonly #key: string;

  constructor({ rpcBaseUrl, requiredQueryStringParameters }: z.infer<typeof binding>) {
    this.address = rpcBaseUrl;
    this.#key = new URLSearchParams(requiredQueryStringParameters).get('code') ?? '';
  }

  /**
   * Up to `top` instances and entities, ordered by id.
   *
   * @returns `continuation`: pass it to get the next page; absent on the last
   * @throws {HubRefusal} when the continuation is none of the hub's
   */
  async list(
    filter: InstanceFilter,
    { top, continuation }: { top: number; continuation?: string | undefined },
  ): Promise<{ instances: ListedInstance[]; continuation?: string }> {
    const { runtimeStatus, ...rest } = filter;
    // Without any filter the host sends the inputs, too. An empty prefix is a filter.
    const query = new URLSearchParams({ top: String(top), showInput: 'false', instanceIdPrefix: '' });
    for (const [name, value] of Object.entries(rest)) if (value !== undefined) query.set(name, value);
    if (runtimeStatus !== undefined) query.set('runtimeStatus', runtimeStatus.join(','));
    const response = await this.#ask(
      `instances/?${query.toString()}`,
      continuation === undefined ? {} : { headers: { [CONTINUATION]: continuation } },
    );
    const next = response.headers.get(CONTINUATION);
    const instances = z.array(listed).parse(await this.#json(response));
    return { instances, ...(next && { continuation: next }) };
  }

  /** An instance; `undefined` when the hub has none of that id. */
  async read(
    instanceId: string,
    { history, payloads }: { history: boolean; payloads: boolean },
  ): Promise<ShownInstance | undefined> {
    const query = new URLSearchParams({
      showInput: String(payloads),
      ...(history && { showHistory: 'true', showHistoryOutput: String(payloads) }),
    });
    try {
      const response = await this.#ask(`instances/${encodeURIComponent(instanceId)}?${query.toString()}`);
      return shown.parse(await this.#json(response));
    } catch (error) {
      if (error instanceof HubRefusal && error.status === 404) return undefined;
      throw error;
    }
  }

  /**
   * Starts a finished instance again, with the same id, name and input.
   *
   * @throws {HubRefusal} 409 when it runs, 400 when it is unknown
   */
  async restart(instanceId: string): Promise<void> {
    const path = `instances/${encodeURIComponent(instanceId)}/restart?restartWithNewInstanceId=false`;
    const response = await this.#ask(path, { method: 'POST' });
    // Its body has the management URLs, with the system key.
    await response.body?.cancel();
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(new URL(path, this.address), {
        ...init,
        signal: AbortSignal.timeout(PATIENCE),
      });
    } catch (error) {
      throw new TryLaterError('The hub does not answer', 5, { cause: error });
    }
    if (response.ok) return response;
    const text = this.#without(await response.text());
    if (response.status < 500) throw new HubRefusal(response.status, text);
    throw new TryLaterError(`The hub answers ${response.status}: ${text.slice(0, 500)}`, 5);
  }

  /** An instance may have the system key in its own data: nobody gets it from here. */
  async #json(response: Response): Promise<unknown> {
    return JSON.parse(this.#without(await response.text()));
  }

  #without(text: string): string {
    return this.#key === '' ? text : text.replaceAll(this.#key, '***');
  }
}

const CONTINUATION = 'x-ms-continuation-token';

/** The hub of the function that is called, which needs a `durableClient` binding. */
export function hubOf({ options, extraInputs }: InvocationContext): Hub {
  const client = options.extraInputs.find(({ type }) => type === 'durableClient');
  return new Hub(binding.parse(client && extraInputs.get(client)));
}
