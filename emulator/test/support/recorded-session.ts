/**
 * The app of the recorded session, running here. It gets the same calls, and the same things are recorded.
 */
import path from 'node:path';
import { readConfig } from '../../src/config/config.js';
import { SkippingClock } from '../../src/durable/clock.js';
import type { TaskHub } from '../../src/durable/task-hub.js';
import { Host } from '../../src/host.js';
import { installScopes, runInScope } from '../../src/virtual/scope.js';
import { loadApp } from '../../src/worker/app-loader.js';
import type { ClientRequest, ClientResponse } from '../../src/worker/client-requests.js';
import { FunctionsWorker } from '../../src/worker/worker.js';
import type { ProgrammingModel, Registrations } from '../../src/worker/core-api.js';

export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** Parsed when it is JSON. */
  body: unknown;
}

export interface Call {
  name: string;
  method: string;
  /** With its query. */
  path: string;
  headers?: Record<string, string>;
  body?: string;
}

export type CallWithAnswer = Call & { response: Answer };

/** The input of an orchestrator at a replay. */
export interface Replay {
  instanceId: string;
  parentInstanceId: string | null;
  isReplaying: boolean;
  input: unknown;
  history: (Record<string, unknown> & { EventType: number })[];
}

/** An invocation, between host and worker. */
export interface Invocation {
  function: string;
  inputData: Record<string, unknown>;
  triggerMetadata: Record<string, unknown>;
  answer?: { returnValue?: unknown; outputData?: Record<string, unknown>; message?: string };
}

export interface SessionOptions {
  hub: TaskHub;
  settings: Record<string, string>;
  /** The functions that the app had at the recording. Default: all. */
  functions?: ReadonlySet<string>;
}

export const directory = path.join(import.meta.dirname, '../fixtures/recorded-app');

/** The headers of curl, which made the first calls of the session. */
export const CURL = { accept: '*/*', 'user-agent': 'curl/7.88.1' };

export class Session {
  readonly replays: { name: string; replay: Replay }[] = [];
  readonly invocations: Invocation[] = [];
  /** The calls at the SDK's URL. */
  readonly sdkCalls: CallWithAnswer[] = [];
  readonly host: Host;
  #gate: PromiseWithResolvers<void> | undefined;
  readonly #clock = new SkippingClock(Date.UTC(2026, 10, 21, 0, 24, 16, 300));
  readonly #running = new Set<Promise<unknown>>();
  readonly #env: Record<string, string>;
  #port = 0;

  private constructor(registrations: Registrations, { hub, settings }: SessionOptions) {
    const app = new FunctionsWorker({
      registrations: { ...registrations, model: this.#spiedModel(registrations.model!) },
      log: () => {},
    });
    const connect = app.connect.bind(app);
    app.connect = (address, answer) => {
      connect(address, async (request) => {
        const response = await answer(request);
        if (response !== undefined) this.#note(request, response);
        return response;
      });
    };
    this.host = new Host({
      app,
      config: { ...readConfig(directory, settings), settings },
      hub,
      clock: this.#clock,
      log: () => {},
      engine: { oneEventAnEpisode: true },
      around: async ({ functionName: name }, run) => {
        const invocation = (async () => {
          if (this.host.worker.find(name)!.trigger.type === 'activityTrigger') await this.#gate?.promise;
          return runInScope({ now: () => this.#clock.now(), env: this.#env }, run);
        })();
        this.#running.add(invocation);
        return invocation.finally(() => this.#running.delete(invocation));
      },
    });
    this.#env = { ...settings };
  }

  static async start(options: SessionOptions): Promise<Session> {
    installScopes();
    const all = await loadApp({ directory });
    const { functions } = options;
    const session = new Session(
      functions === undefined
        ? all
        : { ...all, functions: new Map([...all.functions].filter(([name]) => functions.has(name))) },
      options,
    );
    session.#port = await session.host.start(0);
    session.#env['WEBSITE_HOSTNAME'] = `localhost:${session.#port}`;
    return session;
  }

  get port(): number {
    return this.#port;
  }

  async stop(): Promise<void> {
    await this.host.stop();
  }

  /** Calls over HTTP, from Node, as the recording's script did. */
  async call({ method, path: url, headers, body }: Omit<Call, 'name'>): Promise<Answer> {
    const origin = `http://127.0.0.1:${this.#port}`;
    const answer = await fetch(origin + url, {
      method,
      ...(headers && { headers }),
      ...(body !== undefined && { body: body.replaceAll('http://127.0.0.1:7071', origin) }),
    });
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: parsed(await answer.text(), answer.headers.get('content-type')),
    };
  }

  /** Calls with these headers and no others. */
  async callWith(headers: Record<string, string>, method: string, url: string): Promise<void> {
    const host = `127.0.0.1:${this.#port}`;
    await this.host.handle({ method, url: `http://${host}${url}`, headers: { ...headers, host } });
  }

  /** Holds back activities that are called from now on. */
  holdActivities(): void {
    this.#gate = Promise.withResolvers();
  }

  letActivitiesGo(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  /** Resolves when nothing runs. */
  async quiet(): Promise<void> {
    do {
      await this.host.engine.whenQuiet();
      await Promise.all(this.#running);
      // A finished function may start something in the next turn of the event loop.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    } while (this.#running.size > 0 || this.host.engine.isBusy);
  }

  /** Lets `seconds` pass, from one due time to the next. */
  async skip(seconds: number): Promise<void> {
    const target = this.#clock.now() + seconds * 1000;
    for (
      await this.quiet();
      this.#clock.next !== undefined && this.#clock.next <= target;
      await this.quiet()
    ) {
      this.#clock.moveTo(this.#clock.next);
      this.#clock.wakeOne();
    }
    this.#clock.moveTo(target);
  }

  /**
   * The programming model of `@azure/functions`, with a record of its inputs and results: the recording was
   * made there.
   */
  #spiedModel(model: ProgrammingModel): ProgrammingModel {
    return {
      name: model.name,
      version: model.version,
      getCapabilities: (defaults) => model.getCapabilities(defaults),
      getInvocationModel: (context) => {
        const invocation = model.getInvocationModel(context);
        const { functionId, inputData, triggerMetadata } = context.request as {
          functionId: string;
          inputData: { name: string; data: unknown }[];
          triggerMetadata: Record<string, unknown>;
        };
        const note = (answer: Invocation['answer']): void => {
          this.invocations.push({
            function: functionId,
            inputData: Object.fromEntries(inputData.map(({ name, data }) => [name, data])),
            triggerMetadata,
            answer,
          });
        };
        return {
          getArguments: () => invocation.getArguments(),
          invokeFunction: async (own, inputs, handler) => {
            const [first] = inputs as [Replay | undefined];
            // With a silent run the emulator looks for the place of a diagnostic. It is not recorded.
            if (first?.history !== undefined && (context as { silent?: boolean }).silent !== true)
              this.replays.push({ name: functionId, replay: structuredClone(first) });
            try {
              return await invocation.invokeFunction(own, inputs, handler);
            } catch (error) {
              note({ message: error instanceof Error ? error.message : String(error) });
              throw error;
            }
          },
          getResponse: async (own, result) => {
            const { returnValue, outputData } = await invocation.getResponse(own, result);
            note({
              returnValue: returnValue ?? undefined,
              outputData: Object.fromEntries((outputData ?? []).map(({ name, data }) => [name, data])),
            });
            return { returnValue, ...(outputData && { outputData }) };
          },
        };
      },
    };
  }

  #note({ method, url }: ClientRequest, { status, headers, body }: ClientResponse): void {
    const { pathname, search } = new URL(url);
    this.sdkCalls.push({
      name: `${method} ${pathname}${search}`,
      method,
      path: pathname + search,
      response: { status, headers, body: parsed(body, headers['content-type']) },
    });
  }
}

function parsed(text: string, contentType: string | null | undefined): unknown {
  return contentType?.startsWith('application/json') === true ? (JSON.parse(text) as unknown) : text;
}
