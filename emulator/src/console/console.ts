/**
 * The console at `/_emulator`: a page on which a developer sees what runs, and skips time. Nothing of it is part of
 * the app.
 */
import type { AdvancingClock } from '../durable/advancing-clock.js';
import type { Clock } from '../durable/clock.js';
import type { TimeStore } from '../durable/time-store.js';
import { StorageFailure } from '../durable/task-hub.js';
import type { Host } from '../host.js';
import type { Body, HttpRequestLike, HttpResponseLike } from '../http-message.js';
import { readBody } from '../http-message.js';
import type { Log } from '../log.js';
import type { Duration } from '../testing/options.js';
import { NeverFinishesError } from '../testing/options.js';
import { act, run, start, type Fields } from './actions.js';
import { download, json, Problem, problem } from './answers.js';
import type { Diagnostics } from './diagnostics.js';
import { fileName, fixtureText, testText } from './fixture.js';
import { refusal } from './guard.js';
import { instanceView, recordOf } from './instance-view.js';
import { Live, type ClockState, type Due } from './live.js';
import { pageFile } from './page-files.js';
import { SkippedTime } from './skipped-time.js';

/** The path of the console. */
export const PATH = '/_emulator';

export interface ConsoleOptions {
  host: Host;
  clock: Clock;
  /** The clock, if it can skip, and where its time is kept. */
  skipping: { clock: AdvancingClock; store: TimeStore } | undefined;
  diagnostics: Diagnostics;
  /** Where instances are kept, in a word or two. */
  storage: string;
  log: Log;
}

/** How many due times the page shows. */
const DUE = 20;
/** The longest span in a request to the clock, in days. */
const LONGEST = 366 * 100;
const SPANS = ['days', 'hours', 'minutes', 'seconds'] as const;

type Answering = () => HttpResponseLike<Body> | Promise<HttpResponseLike<Body>>;

export class Console {
  readonly #options: ConsoleOptions;
  readonly #time: SkippedTime | undefined;
  readonly #live: Live;

  constructor(options: ConsoleOptions) {
    this.#options = options;
    const { host, skipping } = options;
    this.#time = skipping && new SkippedTime(host, skipping.clock, skipping.store);
    this.#live = new Live(host, () => this.#clock());
  }

  /** Answers a request. @returns undefined for one that is not for the console */
  handle(request: HttpRequestLike<Body>): Promise<HttpResponseLike<Body>> | undefined {
    const { pathname } = new URL(request.url);
    return pathname === PATH || pathname.startsWith(`${PATH}/`)
      ? this.#answer(request, pathname.slice(PATH.length + 1))
      : undefined;
  }

  /** Ends skips, and the connections of open pages. */
  stop(): void {
    this.#time?.stop();
    this.#live.stop();
  }

  async #answer(request: HttpRequestLike<Body>, path: string): Promise<HttpResponseLike<Body>> {
    try {
      const isPage = path !== 'clock' && !path.startsWith('api/');
      const refused = refusal(request, isPage);
      if (refused !== undefined) throw new Problem(403, refused);
      const body = await readBody(request);
      if (body === undefined) throw new Problem(413, 'The request is too large.');
      return await this.#route({ ...request, body }, path, isPage);
    } catch (error) {
      if (error instanceof Problem) return problem(error);
      if (error instanceof NeverFinishesError) return problem(new Problem(409, error.message));
      if (error instanceof StorageFailure) return problem(new Problem(503, error.message));
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#options.log('error', 'Host.General', `The console failed: ${stack}`);
      return problem(new Problem(500, error instanceof Error ? error.message : String(error)));
    }
  }

  async #route(request: HttpRequestLike, path: string, isPage: boolean): Promise<HttpResponseLike<Body>> {
    const { method } = request;
    if (isPage) {
      if (method !== 'GET' && method !== 'HEAD') throw new Problem(405, 'The page can only be read.');
      return pageFile(path);
    }
    const answering = method === 'POST' ? this.#post(request, path) : this.#get(request, path);
    if (answering !== undefined) return answering();
    throw new Problem(404, `The console has no ${method} ${PATH}/${path}.`);
  }

  // ---- reading --------------------------------------------------------------------------------------------

  #get({ method, url }: HttpRequestLike, path: string): Answering | undefined {
    if (method !== 'GET') return undefined;
    const { host, diagnostics } = this.#options;
    if (path === 'clock') return () => json(this.#clock());
    if (path === 'api/events') return () => this.#live.open();
    if (path === 'api/app') return () => json(this.#app());
    const [kind, name = '', part] = segments(path);
    if (kind === 'functions' && part === 'queue')
      return async () => {
        const found = host.functions.find((definition) => definition.name === name);
        if (found?.trigger.type !== 'queueTrigger')
          throw new Problem(404, `There is no queue function '${name}'.`);
        const wrong = host.storage.queues.problem(found.trigger);
        if (wrong !== undefined) throw new Problem(409, `It cannot run: ${wrong}.`);
        return json(await host.storage.queues.look(found.trigger));
      };
    if (kind !== 'instances' || name === '') return undefined;
    if (part === undefined)
      return async () => {
        const { searchParams } = new URL(url);
        const events = Math.trunc(Number(searchParams.get('from') ?? 0)) || 0;
        const known = { revision: searchParams.get('revision') ?? '', events: Math.max(0, events) };
        return json(await instanceView(host, diagnostics, name, known));
      };
    if (part === 'history.json')
      return async () => {
        await recordOf(host, name);
        const history = (await host.engine.getHistory(name)) ?? [];
        return download(`${fileName(name)}.json`, 'application/json', fixtureText(history));
      };
    if (part === 'test.ts')
      return async () =>
        download(`${fileName(name)}.test.ts`, 'text/plain', testText(await recordOf(host, name)));
    return undefined;
  }

  /** What does not change while the app runs. */
  #app(): unknown {
    const { host, storage } = this.#options;
    const named = (type: string): string[] =>
      host.functions
        .filter((one) => one.trigger.type === type && !host.isDisabled(one))
        .map(({ name }) => name);
    return {
      hub: host.engine.taskHubName,
      storage,
      origin: host.origin,
      orchestrators: named('orchestrationTrigger'),
      entities: named('entityTrigger'),
      queues: named('queueTrigger'),
      timers: host.timers.list(),
    };
  }

  #clock(): ClockState {
    const { host, clock } = this.#options;
    const timers = host.timers
      .list()
      .flatMap(({ name, next }): Due[] => (next === undefined ? [] : [{ at: next, timer: name }]));
    return {
      skips: this.#time !== undefined,
      now: clock.now(),
      ahead: this.#time?.ahead ?? 0,
      isSkipping: this.#time?.isSkipping === true,
      due: [...host.engine.inspection.due(DUE), ...timers].toSorted((a, b) => a.at - b.at).slice(0, DUE),
    };
  }

  // ---- changing -------------------------------------------------------------------------------------------

  #post(request: HttpRequestLike, path: string): Answering | undefined {
    const { host } = this.#options;
    const answering = (task: (fields: Fields) => Promise<unknown>): Answering => {
      return async () => json(await task(fieldsOf(request)));
    };
    if (path === 'clock')
      return answering(async (fields) => {
        await this.#skip(fields);
        return this.#clock();
      });
    const [kind, name, verb] = segments(path);
    if (kind === 'functions' && name !== undefined && verb === 'run')
      return answering((fields) => run(host, name, fields));
    if (kind !== 'instances') return undefined;
    if (name === undefined) return answering((fields) => start(host, fields));
    return verb === undefined ? undefined : answering((fields) => act(host, name, verb, fields));
  }

  async #skip(fields: Fields): Promise<void> {
    const by = spanOf(fields);
    if (this.#time === undefined)
      throw new Problem(
        409,
        'This time is real and cannot be skipped. Start the emulator with `--clock skip`.',
      );
    if (by === 'stop') this.#time.stop();
    else await this.#time.skip(by);
  }
}

/** The parts of a path below `api/`, decoded. @throws Problem */
function segments(path: string): string[] {
  try {
    return path.split('/').slice(1).map(decodeURIComponent);
  } catch {
    throw new Problem(400, 'The path is not percent-encoded UTF-8.');
  }
}

/** @throws Problem unless the body is a JSON object */
function fieldsOf({ headers, body }: HttpRequestLike): Fields {
  // Another site's page can send a form here, but no JSON without asking first.
  if (!/^application\/json\s*(;|$)/i.test(headers['content-type'] ?? ''))
    throw new Problem(415, 'Send JSON, with the header `content-type: application/json`.');
  try {
    const fields = JSON.parse(new TextDecoder().decode(body)) as unknown;
    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) return fields as Fields;
  } catch {
    // It is not JSON.
  }
  throw new Problem(400, 'The body has to be a JSON object.');
}

/** `{ days?, hours?, minutes?, seconds? }`, `{ to: "idle" | "next" }` or `{ stop: true }`. @throws Problem */
function spanOf(fields: Fields): Duration | 'idle' | 'next' | 'stop' {
  const wrong = new Problem(
    400,
    'Send { "days"?, "hours"?, "minutes"?, "seconds"? } with numbers from 0, { "to": "idle" }, { "to": "next" }, or { "stop": true }.',
  );
  const { to } = fields;
  const names = Object.keys(fields);
  if ((to === 'idle' || to === 'next') && names.length === 1) return to;
  if (fields['stop'] === true && names.length === 1) return 'stop';
  if (names.length === 0 || !names.every((name) => (SPANS as readonly string[]).includes(name))) throw wrong;
  const values = Object.values(fields);
  if (!values.every((value) => typeof value === 'number' && value >= 0 && value <= LONGEST * 86_400))
    throw wrong;
  const { days = 0, hours = 0, minutes = 0, seconds = 0 } = fields as Duration;
  if (days + hours / 24 + minutes / 1_440 + seconds / 86_400 > LONGEST)
    throw new Problem(400, `At most ${LONGEST} days can be skipped at once.`);
  return { days, hours, minutes, seconds };
}
