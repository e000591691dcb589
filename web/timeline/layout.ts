import { markAttempts } from './attempts.js';
import {
  hasEnded,
  readMessage,
  type EntityRequest,
  type EntityResponse,
  type HistoryEvent,
  type Instance,
} from './history.js';
import type { Kind, Row, State } from './row.js';

/** The rows of a timeline, and the time that they cover. */
export interface Layout {
  rows: Row[];
  from: number;
  to: number;
}

/**
 * Turns a history into the rows of a timeline: the instance first, then its steps by their start, each nested
 * instance under its sub-orchestration.
 *
 * @param options.now in milliseconds since the epoch: the end of what is open
 * @param options.nested instances of sub-orchestrations that are shown, by the key of their row
 * @example
 * const { rows, from, to } = layout(status, { now: Date.now() });
 */
export function layout(
  instance: Instance,
  { now, nested = new Map() }: { now: number; nested?: ReadonlyMap<string, Instance> },
): Layout {
  const rows = rowsOf(instance, now, nested, '', 0);
  let [from, to] = [Infinity, -Infinity];
  for (const { start, end } of rows) {
    from = Math.min(from, start);
    to = Math.max(to, end);
  }
  return { rows, from, to: Math.max(to, from + 1) };
}

function rowsOf(
  instance: Instance,
  now: number,
  nested: ReadonlyMap<string, Instance>,
  prefix: string,
  depth: number,
): Row[] {
  const steps = new Steps(instance, now, prefix, depth + 1);
  const rows = [steps.whole(depth)];
  for (const row of steps.rows()) {
    const child = nested.get(row.key);
    if (child === undefined) {
      rows.push(row);
      continue;
    }
    const [whole, ...inner] = rowsOf(child, now, nested, `${row.key}/`, depth + 1);
    const input = row.input ?? whole?.input;
    rows.push(
      {
        ...row,
        expanded: true,
        instanceId: child.instanceId,
        ...(input !== undefined && { input }),
      },
      ...inner,
    );
  }
  return rows;
}

/** Reads the steps of one history. */
class Steps {
  readonly #events: readonly HistoryEvent[];
  readonly #started: HistoryEvent | undefined;
  readonly #completed: HistoryEvent | undefined;
  /** When the instance ended, or now. */
  readonly #end: number;
  readonly #rows: Row[] = [];
  readonly #timers = new Map<string, Row[]>();
  readonly #requests = new Map<string, Row>();
  #suspended: Row | undefined;

  constructor(
    private readonly instance: Instance,
    now: number,
    private readonly prefix: string,
    private readonly depth: number,
  ) {
    this.#events = instance.historyEvents ?? [];
    this.#started = this.#events.find(({ EventType }) => EventType === 'ExecutionStarted');
    this.#completed = this.#events.findLast(({ EventType }) => EventType === 'ExecutionCompleted');
    const last = this.#completed?.Timestamp ?? instance.lastUpdatedTime;
    this.#end = hasEnded(instance.runtimeStatus) ? Date.parse(last) : now;
  }

  /** The row of the instance itself. */
  whole(depth: number): Row {
    const { instanceId, name, runtimeStatus, createdTime } = this.instance;
    const start = Date.parse(this.#started?.Timestamp ?? createdTime);
    const why = this.#events.findLast(({ EventType }) => EventType === 'ExecutionTerminated')?.Input;
    const result = this.#completed?.Result;
    const failed = runtimeStatus === 'Failed' && typeof result === 'string';
    return {
      ...step(`${this.prefix}instance`, depth, 'orchestration', name, start, Math.max(start, this.#end)),
      state: stateOf(runtimeStatus),
      instanceId,
      ...inputOf(this.#started),
      ...(this.#completed && 'Result' in this.#completed && { output: result }),
      ...(why && { reason: why }),
      ...(failed && { reason: result }),
    };
  }

  /** The rows of its steps, ordered by their start. */
  rows(): Row[] {
    this.#events.forEach((event, index) => this.#read(event, index));
    this.#endTimers();
    // The clocks of the host and of the reader may differ.
    for (const row of this.#rows) row.end = Math.max(row.start, row.end);
    return markAttempts(this.#rows.toSorted((a, b) => a.start - b.start));
  }

  #read(event: HistoryEvent, index: number): void {
    const key = `${this.prefix}${index}`;
    const time = Date.parse(event.Timestamp);
    switch (event.EventType) {
      case 'TaskCompleted':
      case 'TaskFailed':
        this.#add({ ...this.#call(event, key, 'activity', event.FunctionName), ...endOf(event) });
        return;
      case 'SubOrchestrationInstanceCompleted':
      case 'SubOrchestrationInstanceFailed':
        this.#add({
          ...this.#call(event, key, 'sub-orchestration', event.FunctionName),
          ...endOf(event),
          expandable: true,
        });
        return;
      case 'TaskScheduled':
        this.#add({ ...this.#call(event, key, 'activity', event.Name), ...this.#stillOpen() });
        return;
      case 'SubOrchestrationInstanceCreated':
        this.#add({
          ...this.#call(event, key, 'sub-orchestration', event.Name),
          ...this.#stillOpen(),
          expandable: true,
        });
        return;
      case 'TimerCreated':
        this.#createTimer(event, key);
        return;
      case 'TimerFired':
        this.#fireTimer(event, index);
        return;
      case 'EventSent':
        this.#send(event, key);
        return;
      case 'EventRaised':
        this.#receive(event, key);
        return;
      case 'ExecutionSuspended':
        this.#suspended = this.#add({
          ...step(key, this.depth, 'suspension', 'Suspended', time, Math.max(time, this.#end)),
          ...this.#stillOpen(),
          ...(event.Reason && { reason: event.Reason }),
        });
        return;
      case 'ExecutionResumed':
        if (this.#suspended) Object.assign(this.#suspended, { state: 'completed', end: time });
        this.#suspended = undefined;
        return;
      case 'ExecutionTerminated':
        this.#add({
          ...step(key, this.depth, 'event', 'Terminated', time, time),
          ...(event.Input && { reason: event.Input }),
        });
        return;
      case 'GenericEvent':
        // A rewind leaves one with its reason, and empty ones in the places of the events that it took out.
        if (event.Data)
          this.#add({ ...step(key, this.depth, 'event', 'Rewound', time, time), reason: event.Data });
    }
  }

  #add(row: Row): Row {
    this.#rows.push(row);
    return row;
  }

  #call(event: HistoryEvent, key: string, kind: Kind, name: string | null | undefined): Row {
    const end = Date.parse(event.Timestamp);
    const start = event.ScheduledTime === undefined ? end : Date.parse(event.ScheduledTime);
    return {
      ...step(key, this.depth, kind, name ?? '?', Math.min(start, end), end),
      ...(event.InstanceId && { instanceId: event.InstanceId }),
      ...inputOf(event),
    };
  }

  #stillOpen(): Pick<Row, 'state' | 'end'> {
    return { end: this.#end, state: hasEnded(this.instance.runtimeStatus) ? 'unfinished' : 'open' };
  }

  #createTimer(event: HistoryEvent, key: string): void {
    const [start, fireAt] = [Date.parse(event.Timestamp), Date.parse(event.FireAt ?? event.Timestamp)];
    const row = this.#add({
      ...step(key, this.depth, 'timer', 'Timer', start, this.#end),
      state: 'open',
      fireAt,
    });
    const same = this.#timers.get(event.FireAt ?? '');
    if (same) same.push(row);
    else this.#timers.set(event.FireAt ?? '', [row]);
  }

  /**
   * The time of a `TimerFired` is when the timer was created, so the bar ends when it was to fire. The host may
   * fire it up to a second early: then it ends when the next thing happened.
   */
  #fireTimer({ FireAt }: HistoryEvent, index: number): void {
    const row = this.#timers.get(FireAt ?? '')?.shift();
    if (row === undefined) return;
    const { start, fireAt = start } = row;
    const following = this.#events[index + 1];
    const next = Date.parse(following?.ScheduledTime ?? following?.Timestamp ?? '');
    const isEarly = next >= start && next < fireAt && fireAt - next <= 1000;
    Object.assign(row, { state: 'completed', end: isEarly ? next : fireAt });
  }

  /** The history does not say that a timer was cancelled, only that other things happened after its time. */
  #endTimers(): void {
    const ended = hasEnded(this.instance.runtimeStatus);
    const latest = this.#rows.reduce(
      (time, { kind, state, end }) => (kind !== 'timer' && state !== 'open' ? Math.max(time, end) : time),
      0,
    );
    for (const row of [...this.#timers.values()].flat()) {
      const { fireAt = row.start } = row;
      if (ended || latest > fireAt) row.state = 'cancelled';
      row.end = Math.max(row.start, row.state === 'cancelled' ? Math.min(fireAt, this.#end) : this.#end);
    }
  }

  #send(event: HistoryEvent, key: string): void {
    const time = Date.parse(event.Timestamp);
    const to = event.InstanceId ?? '';
    if (!to.startsWith('@')) {
      this.#add({
        ...step(key, this.depth, 'event', `Sent ${event.Name ?? ''} to ${to}`, time, time),
        ...inputOf(event),
      });
      return;
    }
    const request = readMessage<EntityRequest>(event.Input) ?? {};
    const waits = request.signal !== true && request.op !== undefined && request.id !== undefined;
    const row = this.#add({
      ...step(key, this.depth, 'entity', `${to} ${request.op ?? event.Name ?? ''}`, time, time),
      ...(waits && this.#stillOpen()),
      instanceId: to,
      ...(request.input !== undefined && { input: request.input }),
    });
    if (waits) this.#requests.set(request.id!, row);
  }

  #receive(event: HistoryEvent, key: string): void {
    const time = Date.parse(event.Timestamp);
    const request = this.#requests.get(event.Name ?? '');
    if (request === undefined) {
      this.#add({
        ...step(key, this.depth, 'event', event.Name ?? '?', time, time),
        ...inputOf(event),
      });
      return;
    }
    this.#requests.delete(event.Name ?? '');
    const { result, exceptionType } = readMessage<EntityResponse>(event.Input) ?? {};
    const failed = exceptionType !== undefined && exceptionType !== null;
    Object.assign(request, {
      end: Math.max(request.start, time),
      state: failed ? 'failed' : 'completed',
      ...(failed ? { reason: result } : result !== undefined && { output: parsed(result) }),
    });
  }
}

function step(key: string, depth: number, kind: Kind, label: string, start: number, end: number): Row {
  return { key, depth, kind, label, state: 'completed', start, end, expandable: false, expanded: false };
}

function stateOf(runtimeStatus: string): State {
  if (!hasEnded(runtimeStatus)) return 'open';
  if (runtimeStatus === 'Completed') return 'completed';
  return runtimeStatus === 'Failed' ? 'failed' : 'terminated';
}

function inputOf(event: HistoryEvent | undefined): Pick<Row, 'input'> {
  return typeof event?.Input === 'string' ? { input: event.Input } : {};
}

function endOf(event: HistoryEvent): Pick<Row, 'state' | 'output' | 'reason' | 'details'> {
  return event.EventType.endsWith('Failed')
    ? {
        state: 'failed',
        ...(event.Reason && { reason: event.Reason }),
        ...(event.Details && { details: event.Details }),
      }
    : { state: 'completed', ...('Result' in event && { output: event.Result }) };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return json;
  }
}
