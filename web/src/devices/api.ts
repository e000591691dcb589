/** The HTTP interface of devices and rollouts, as the page uses it. */
import { json, send } from '../http';
import { keyHeader } from '../key';

export const healths = ['healthy', 'unhealthy', 'silent', 'unknown'] as const;
export type Health = (typeof healths)[number];

export interface Device {
  id: string;
  health: Health;
  firmware?: string;
  /** ISO 8601. */
  interval: string;
  registeredAt: string;
  lastReading?: { at: string; receivedAt: string; metrics: Record<string, number> };
}

export interface Alert {
  id: string;
  device: string;
  openedAt: string;
  text: string;
}

export type RolloutState =
  | 'planning'
  | 'updating'
  | 'soaking'
  | 'awaiting-approval'
  | 'paused'
  | 'stopping'
  | 'rolling-back'
  | 'completed'
  | 'rolled-back'
  | 'aborted';

/** A rollout in a list. */
export interface Summary {
  id: string;
  state: RolloutState;
  reason?: string;
  firmware: string;
  wave: number;
  deviceCount: number;
  createdAt: string;
}

export interface Wave {
  number: number;
  devices: number;
  state: RolloutState | 'waiting' | 'done';
  counts: Record<string, number>;
}

export interface Rollout extends Summary {
  waves: Wave[];
  soakUntil?: string;
  steps: { at: string; text: string }[];
}

/** What the form sends. */
export interface Wanted {
  firmware: string;
  devices: { firmware?: string };
  waves: (string | number)[];
  maxFailureShare: string;
  soak: string;
}

/** The most devices that the page shows. */
const MOST = 1000;

const ask = async <T>(path: string, body?: object): Promise<T> =>
  json(
    await send(path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...keyHeader(), ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    }),
  );

/** All devices by their ids, or the first thousand. */
export async function fleet(): Promise<{ devices: Device[]; more: boolean }> {
  const devices: Device[] = [];
  let link: string | undefined = '/api/devices?top=100';
  while (link !== undefined && devices.length < MOST) {
    const page: { value: Device[]; nextLink?: string } = await ask(link);
    devices.push(...page.value);
    link = page.nextLink;
  }
  return { devices, more: link !== undefined };
}

export const device = (id: string): Promise<Device> => ask(`/api/devices/${id}`);
export const alerts = async (): Promise<Alert[]> =>
  (await ask<{ value: Alert[] }>('/api/alerts?state=open&top=20')).value;
export const rollouts = async (): Promise<Summary[]> =>
  (await ask<{ value: Summary[] }>('/api/rollouts?top=10')).value;
export const rollout = (id: string): Promise<Rollout> => ask(`/api/rollouts/${id}`);
export const start = (wanted: Wanted): Promise<Rollout> => ask('/api/rollouts', wanted);
export const steer = (
  id: string,
  what: 'pause' | 'resume' | 'abort',
  more: { rollBack?: boolean } = {},
): Promise<Rollout> => ask(`/api/rollouts/${id}/${what}`, more);
