/** The emulator's answers, as `emulator/src/console` sends them. */
import type { InstanceView as Sent } from '../../src/console/view.js';

export type { Wait } from '../../src/durable/engine/wait.js';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** An event of a history, with the names of the framework. Which fields there are depends on its type. */
export interface HistoryEvent {
  EventType: string;
  EventId: number;
  /** ISO 8601. */
  Timestamp: string;
  Name?: string;
  Input?: string | null;
  InstanceId?: string;
  Result?: string | null;
  Reason?: string | null;
  Details?: string | null;
  Data?: string | null;
  FireAt?: string;
  TimerId?: number;
  TaskScheduledId?: number;
  OrchestrationStatus?: string;
}

export type InstanceView = Sent<HistoryEvent>;

export interface AppInfo {
  hub: string;
  storage: string;
  origin: string;
  orchestrators: string[];
  entities: string[];
  queues: string[];
  timers: { name: string; schedule: string; next?: number; last?: number }[];
}

export interface QueueInfo {
  queue: string;
  messages: number;
  poison: number;
  poisonMessages: { id: string; insertedOn: string; text: string }[];
}

const ROOT = '/_emulator';

/** The path of an instance below `api/`. */
export const instancePath = (id: string): string => `api/instances/${encodeURIComponent(id)}`;

export const urlOf = (path: string): string => `${ROOT}/${path}`;

/** @throws Error with the emulator's reason */
export async function get<T>(path: string): Promise<T> {
  return read<T>(await fetch(urlOf(path)));
}

/** @throws Error with the emulator's reason */
export async function post<T = unknown>(path: string, body: unknown = {}): Promise<T> {
  return read<T>(
    await fetch(urlOf(path), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );
}

async function read<T>(response: Response): Promise<T> {
  if (response.ok) return (await response.json()) as T;
  const problem = (await response.json().catch(() => ({}))) as { detail?: string };
  throw new Error(problem.detail ?? `The emulator answered with status ${response.status}.`);
}
