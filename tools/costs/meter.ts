/** Calls an app over HTTP while the proxy counts what the app does with its storage. */
import { setTimeout as sleep } from 'node:timers/promises';
import { add, emptyTally, type Exchange, type Tally } from './tally.ts';

/** A time span, as the emulator's clock takes it. */
export type Span = Partial<Record<'days' | 'hours' | 'minutes' | 'seconds', number>>;

export interface MeterOptions {
  /** The app's address. */
  url: string;
  /** The name of the task hub, by which its tables and queues are known. */
  hub: string;
  /** A key of the app, where it asks for one. */
  key?: string | undefined;
  /** Seconds without a request, apart from idle ones, after which the app is taken to have finished. */
  settle: number;
}

/** A real host polls its queues: the longest span that is waited for, in seconds, where time cannot be skipped. */
const LONGEST_WAIT = 60;

/** Counts what one run of a workflow costs. */
export class Meter {
  /** Whether the time of the app can be skipped: it runs on the emulator, on such a clock. */
  skips = false;
  readonly #options: MeterOptions;
  #tally: Tally = emptyTally();
  #http = 0;
  #last = performance.now();

  constructor(options: MeterOptions) {
    this.#options = options;
  }

  /** Takes a request that the proxy has seen. */
  see(exchange: Exchange): void {
    const before = busyOf(this.#tally);
    add(this.#tally, exchange, this.#options.hub);
    if (busyOf(this.#tally) !== before) this.#last = performance.now();
  }

  /** Waits until the app answers, and finds out whether its time can be skipped. */
  async connect(seconds: number): Promise<void> {
    const { url } = this.#options;
    for (const start = performance.now(); ; await sleep(500)) {
      try {
        // 404 is an answer, too: the app is there.
        await fetch(`${url}/api/health`, { signal: AbortSignal.timeout(10_000) });
        break;
      } catch (error) {
        if (performance.now() - start > seconds * 1000)
          throw new Error(`No app answers at ${url}: ${(error as Error).message}`, { cause: error });
      }
    }
    const clock = await fetch(`${url}/_emulator/clock`).catch(() => undefined);
    const state = clock?.ok ? ((await clock.json().catch(() => ({}))) as { skips?: boolean }) : {};
    this.skips = state.skips === true;
  }

  /** Counts from here. */
  begin(): void {
    this.#tally = emptyTally();
    this.#http = 0;
  }

  /** What was counted since {@link begin}. */
  end(): Tally & { http: number } {
    const counted = { ...this.#tally, http: this.#http };
    this.begin();
    return counted;
  }

  /** Calls the app, which counts as one execution. @throws Error when it answers 4xx or 5xx */
  async call(
    method: string,
    path: string,
    body?: object | string | ReadableStream,
    headers: Record<string, string> = {},
  ): Promise<Record<string, unknown>> {
    this.#http += 1;
    const { url, key } = this.#options;
    const isRaw = typeof body === 'string' || body instanceof ReadableStream;
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key !== undefined && { 'x-functions-key': key }),
        ...headers,
      },
      ...(body !== undefined && { body: isRaw ? body : JSON.stringify(body), duplex: 'half' }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text.slice(0, 500)}`);
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  }

  /** Runs a function that is not called over HTTP. */
  async run(name: string): Promise<void> {
    const { url, key } = this.#options;
    const { status } = await fetch(new URL(`/admin/functions/${name}`, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key !== undefined && { 'x-functions-key': key }) },
      body: '{}',
    });
    if (status !== 202) throw new Error(`The function ${name} was not started: ${status}`);
    await this.settle();
  }

  /** Skips to the fifth second of a minute: no timer function is due in the next seconds. */
  async betweenTimers(): Promise<void> {
    const { now } = (await (await fetch(`${this.#options.url}/_emulator/clock`)).json()) as { now: number };
    await this.pass({ seconds: 65 - (Math.floor(now / 1000) % 60) });
  }

  /** Waits until the app has done what it can do now. */
  async settle(): Promise<void> {
    await this.pass({ seconds: 0 });
  }

  /** Lets time pass, and waits until the app has done what was due. */
  async pass(span: Span): Promise<void> {
    if (this.skips) {
      const response = await fetch(new URL('/_emulator/clock', this.#options.url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(span),
      });
      if (!response.ok) throw new Error(`The clock was not moved: ${await response.text()}`);
      return;
    }
    const { days = 0, hours = 0, minutes = 0, seconds = 0 } = span;
    const wait = ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
    if (wait > LONGEST_WAIT) throw new Error('That takes too long without a clock that skips');
    await sleep(wait * 1000);
    this.#last = performance.now();
    while (performance.now() - this.#last < this.#options.settle * 1000) await sleep(100);
  }
}

function busyOf({ app, hub }: Tally): number {
  return [app, hub].reduce(
    (sum, services) =>
      sum +
      Object.values(services)
        .flatMap(Object.values<number>)
        .reduce((all, each) => all + each, 0),
    0,
  );
}
