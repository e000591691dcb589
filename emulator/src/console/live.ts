import { Readable } from 'node:stream';
import type { Host } from '../host.js';
import type { HttpResponseLike } from '../http-message.js';
import type { InstanceRecord } from '../durable/task-hub.js';
import { HEADERS } from './answers.js';

/**
 * An instance in the list, small because there may be many:
 * `[id, name, status, created, last updated, id of its parent or '']`.
 */
export type Row = [
  id: string,
  name: string,
  status: string,
  created: string,
  updated: string,
  parent: string,
];

/** What is due next. `at`: milliseconds since the epoch. */
export type Due = { at: number; instanceId: string } | { at: number; timer: string };

/** The time of the app, and what is due in it. */
export interface ClockState {
  /** Whether it can skip: `--clock skip`. */
  skips: boolean;
  /** Milliseconds since the epoch. */
  now: number;
  /** How far it is ahead of the machine's clock, in milliseconds. */
  ahead: number;
  isSkipping: boolean;
  /** The next times at which something is due, the earliest first. */
  due: Due[];
}

/** How often changes are sent, in milliseconds: the changes in between are sent together. */
const EVERY = 200;
/** After so many milliseconds, the clock is compared with what was sent last, also when nothing has changed. */
const CLOCK_EVERY = 1_000;
/** A line every so many milliseconds ends connections whose other side is gone. */
const PING_EVERY = 15_000;
const PAGE = 1_000;

interface Viewer {
  stream: Readable;
  /** What has changed since the last send: a row, or null for an instance that was purged. */
  changed: Map<string, Row | null>;
  /** Whether it has got all instances. Changes wait until then. */
  isComplete: boolean;
  /** Whether its connection takes more. */
  isReady: boolean;
  clock: string;
}

/**
 * Sends what happens to the pages that are open, as server-sent events:
 * - `rows`: a thousand instances. At its beginning, a connection gets all of them;
 * - `complete`: these were all;
 * - `changes`: `{ rows, purged }`, the instances that have changed, and the ids of those that are gone;
 * - `clock`: a {@link ClockState}.
 */
export class Live {
  readonly #host: Host;
  readonly #clock: () => ClockState;
  readonly #viewers = new Set<Viewer>();
  #unsubscribe: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sinceClock = 0;
  #sincePing = 0;

  constructor(host: Host, clock: () => ClockState) {
    this.#host = host;
    this.#clock = clock;
  }

  /** The answer to a page that wants to know what happens. */
  open(): HttpResponseLike<Readable> {
    const viewer: Viewer = {
      stream: new Readable({
        read: () => {
          viewer.isReady = true;
        },
      }),
      changed: new Map(),
      isComplete: false,
      isReady: true,
      clock: '',
    };
    viewer.stream.once('close', () => {
      this.#viewers.delete(viewer);
      if (this.#viewers.size === 0) this.#pause();
    });
    // A connection that breaks off is no mistake.
    viewer.stream.on('error', () => {});
    if (this.#viewers.size === 0) this.#resume();
    this.#viewers.add(viewer);
    this.#sendClock(viewer);
    this.#sendAll(viewer).catch((error: unknown) => {
      viewer.stream.destroy(error instanceof Error ? error : new Error(String(error)));
    });
    return {
      status: 200,
      headers: [['content-type', 'text/event-stream; charset=utf-8'], ...HEADERS],
      body: viewer.stream,
    };
  }

  /** Ends all connections. */
  stop(): void {
    for (const { stream } of this.#viewers) stream.destroy();
  }

  #resume(): void {
    const { inspection } = this.#host.engine;
    this.#unsubscribe = [
      inspection.onChange((record) => {
        this.#note(record.instanceId, rowOf(record));
      }),
      inspection.onPurge((instanceId) => {
        this.#note(instanceId, null);
      }),
    ];
    this.#timer = setInterval(() => {
      this.#flush();
    }, EVERY).unref();
  }

  #pause(): void {
    clearInterval(this.#timer);
    for (const end of this.#unsubscribe.splice(0)) end();
  }

  #note(instanceId: string, row: Row | null): void {
    for (const { changed } of this.#viewers) changed.set(instanceId, row);
  }

  /** All instances, page by page. What changes meanwhile is sent after them. */
  async #sendAll(viewer: Viewer): Promise<void> {
    for (let from: string | undefined; ;) {
      const page = await this.#host.engine.query({ top: PAGE, ...(from !== undefined && { from }) });
      if (viewer.stream.destroyed) return;
      send(viewer, 'rows', page.records.map(rowOf));
      if (page.next === undefined) break;
      from = page.next;
    }
    send(viewer, 'complete', {});
    viewer.isComplete = true;
  }

  #flush(): void {
    const isClockDue = (this.#sinceClock += EVERY) >= CLOCK_EVERY;
    const isPingDue = (this.#sincePing += EVERY) >= PING_EVERY;
    if (isPingDue) this.#sincePing = 0;
    let any = false;
    for (const viewer of this.#viewers) {
      if (isPingDue) viewer.stream.push(': ping\n\n');
      if (viewer.changed.size === 0 || !viewer.isComplete || !viewer.isReady) continue;
      any = true;
      const rows: Row[] = [];
      const purged: string[] = [];
      for (const [id, row] of viewer.changed) {
        if (row === null) purged.push(id);
        else rows.push(row);
      }
      viewer.changed.clear();
      send(viewer, 'changes', { rows, purged });
    }
    if (!any && !isClockDue) return;
    this.#sinceClock = 0;
    for (const viewer of this.#viewers) this.#sendClock(viewer);
  }

  /** Sends the clock when something but the passing time has changed. */
  #sendClock(viewer: Viewer): void {
    const clock = this.#clock();
    const text = JSON.stringify({ ...clock, now: 0 });
    if (text === viewer.clock) return;
    viewer.clock = text;
    send(viewer, 'clock', clock);
  }
}

function send(viewer: Viewer, event: string, data: unknown): void {
  viewer.isReady = viewer.stream.push(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

export function rowOf(record: InstanceRecord): Row {
  const { instanceId, name, runtimeStatus, createdTime, lastUpdatedTime, parent } = record;
  return [
    instanceId,
    name,
    runtimeStatus,
    createdTime,
    lastUpdatedTime,
    parent?.OrchestrationInstance.InstanceId ?? '',
  ];
}
