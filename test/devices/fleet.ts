import type { TestApp, TestAppOptions } from '../../emulator/src/testing.js';
import { startApp, type AppStorage } from '../support/app.js';

/** A device as callers see it. */
export interface SeenDevice {
  id: string;
  interval: string;
  health: string;
  firmware?: string;
  alerts: { silence?: { id: string }; threshold?: { id: string } };
  lastReading?: { at: string; sequence?: number; metrics: Record<string, number>; receivedAt: string };
}

/** An alert as callers see it. */
export interface SeenAlert {
  id: string;
  device: string;
  kind: string;
  state: string;
  openedAt: string;
  closedAt?: string;
  text: string;
  closedBecause?: string;
}

/** A page of a list. */
export interface SeenPage<Each> {
  value: Each[];
  nextLink?: string;
}

/** Hotter than 80 degrees for ten minutes. */
export const HOT = { metric: 'temperature', above: 80, for: 'PT10M' };

/** What devices and people do with the devices of an app under test, by HTTP alone. */
export class Fleet {
  constructor(
    readonly app: TestApp,
    readonly storage: AppStorage,
  ) {}

  static async open(
    options: TestAppOptions & { sweep?: boolean; telemetryQueue?: boolean } = {},
  ): Promise<Fleet> {
    const { app, storage } = await startApp({
      verifyReplay: false,
      time: '2026-03-01T08:00:00Z',
      ...options,
    });
    return new Fleet(app, storage);
  }

  /** Registers a device that reports every minute, and waits until its monitor waits. */
  async register(id: string, registration: object = {}): Promise<number> {
    const { status } = await this.app.request('PUT', `/api/devices/${id}`, {
      body: { interval: 'PT1M', ...registration },
    });
    await this.app.quiet();
    return status;
  }

  async remove(id: string): Promise<number> {
    const { status } = await this.app.request('DELETE', `/api/devices/${id}`);
    await this.app.quiet();
    return status;
  }

  /** Sends a reading, measured now, and waits until nothing runs. */
  async report(id: string, temperature = 20, reading: object = {}): Promise<void> {
    const answer = await this.app.post(`/api/devices/${id}/telemetry`, {
      at: this.app.now.toISOString(),
      metrics: { temperature },
      ...reading,
    });
    if (answer.status !== 202) throw new Error(`Telemetry answered ${answer.status}: ${await answer.text()}`);
    await this.app.quiet();
  }

  /** Lets minutes pass, with a reading at the end of each. */
  async reporting(id: string, minutes: number, temperature = 20): Promise<void> {
    for (let minute = 0; minute < minutes; minute += 1) {
      await this.app.skip({ minutes: 1 });
      await this.report(id, temperature);
    }
  }

  async device(id: string): Promise<SeenDevice> {
    return this.#read(`/api/devices/${id}`);
  }

  async health(id: string): Promise<string> {
    return (await this.device(id)).health;
  }

  /** The alerts of a device, oldest first: their kind and state. */
  async alerts(device: string): Promise<string[]> {
    const { value } = await this.#read<SeenPage<SeenAlert>>(`/api/alerts?device=${device}&top=100`);
    return value.toReversed().map(({ kind, state }) => `${kind} ${state}`);
  }

  /** The keys of the notifications without the times in them, oldest first. */
  async notified(): Promise<string[]> {
    return (await this.storage.notifications()).map(({ key }) => key.replace(/-\d{13}-/, '-'));
  }

  /** A page by its path. */
  async page<Each>(path: string): Promise<SeenPage<Each>> {
    return this.#read(path);
  }

  /** The instance of a device's monitor. */
  async monitor(id: string, registration = 1): Promise<Awaited<ReturnType<TestApp['instance']>>> {
    return this.app.instance(`device-monitor-${id}-${registration}`);
  }

  async #read<Body>(path: string): Promise<Body> {
    const answer = await this.app.get(path);
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`);
    return (await answer.json()) as Body;
  }
}
