/** What the emulator sends as it happens: the instances and the clock. */
import { useEffect, useState } from 'preact/hooks';
import { urlOf } from './api.js';

export interface Row {
  id: string;
  name: string;
  status: string;
  /** ISO 8601. */
  created: string;
  updated: string;
  /** The id of its parent, or ''. */
  parent: string;
}

export type Due = { at: number; instanceId: string } | { at: number; timer: string };

export interface Clock {
  skips: boolean;
  now: number;
  ahead: number;
  isSkipping: boolean;
  due: Due[];
}

export interface State {
  rows: ReadonlyMap<string, Row>;
  clock: Clock | undefined;
  /** How far the app's time is ahead of this machine's, in milliseconds. */
  skew: number;
  /** False until all instances have come, and while the connection is broken. */
  isComplete: boolean;
  isConnected: boolean;
}

type Sent = [id: string, name: string, status: string, created: string, updated: string, parent: string];

let state: State = { rows: new Map(), clock: undefined, skew: 0, isComplete: false, isConnected: false };
const listeners = new Set<() => void>();
let source: EventSource | undefined;

/** All instances, the newest data. The component renders again when it changes. */
export function useLive(): State {
  const [seen, setSeen] = useState(state);
  useEffect(() => {
    const listener = (): void => setSeen(state);
    listeners.add(listener);
    connect();
    listener();
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return seen;
}

/** The time of the app, in milliseconds since the epoch. */
export function appNow({ skew }: State): number {
  return Date.now() + skew;
}

function set(change: Partial<State>): void {
  state = { ...state, ...change };
  for (const listener of listeners) listener();
}

function connect(): void {
  if (source !== undefined) return;
  source = new EventSource(urlOf('api/events'));
  // After a break, all instances come again. The ones of before stay visible until the first of them are there.
  let rows = new Map<string, Row>();
  let isComplete = false;
  source.addEventListener('open', () => {
    rows = new Map();
    isComplete = false;
    set({ isConnected: true });
  });
  source.addEventListener('error', () => set({ isConnected: false }));
  const listen = <T>(name: string, use: (data: T) => void): void =>
    source!.addEventListener(name, (event) => use(JSON.parse((event as MessageEvent<string>).data) as T));
  listen<Sent[]>('rows', (sent) => {
    add(rows, sent);
    set({ rows: new Map(rows), isComplete });
  });
  listen('complete', () => {
    isComplete = true;
    set({ rows: new Map(rows), isComplete });
  });
  listen<{ rows: Sent[]; purged: string[] }>('changes', (changes) => {
    add(rows, changes.rows);
    for (const id of changes.purged) rows.delete(id);
    set({ rows: new Map(rows) });
  });
  listen<Clock>('clock', (clock) => set({ clock, skew: clock.now - Date.now() }));
}

function add(rows: Map<string, Row>, sent: readonly Sent[]): void {
  for (const [id, name, status, created, updated, parent] of sent)
    rows.set(id, { id, name, status, created, updated, parent });
}
