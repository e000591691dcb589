import { QueueClient } from '@azure/storage-queue';
import type { TestApp } from '../../emulator/src/testing.js';
import { devices, type Device } from '../../src/fleet/index.js';
import type { Command } from '../../src/rollouts/model.js';
import { startApp, type AppOptions, type AppStorage } from '../support/app.js';
import { withStorage } from '../support/request.js';

/** A rollout as its caller sees it. */
export interface SeenRollout {
  id: string;
  state: string;
  reason?: string;
  wave: number;
  deviceCount: number;
  waves: { number: number; devices: number; state: string; counts: Record<string, number> }[];
  devices: { value: SeenUpdate[]; nextLink?: string };
  steps: { at: string; text: string }[];
}

/** A device of a rollout as its caller sees it. */
export interface SeenUpdate {
  device: string;
  wave?: number;
  state: string;
  attempts: number;
  command?: string;
  previousFirmware?: string;
  reason?: string;
}

/** What a device does with a command: `silent` means that it reports nothing. */
export type Behaviour = (command: Command, device: string) => 'succeeded' | 'failed' | 'silent';

/** Devices that take commands from their queues and report by HTTP, and the people who roll out firmware. */
export class Fleet {
  /** The commands that devices have taken, in order. */
  readonly commands: { device: string; command: Command }[] = [];
  behaviour: Behaviour = () => 'succeeded';

  /** @param pending commands that devices have taken and not reported yet */
  constructor(
    readonly app: TestApp,
    readonly storage: AppStorage,
    readonly ids: readonly string[],
    readonly pending: { device: string; command: Command }[] = [],
  ) {}

  /** A fleet of healthy devices with the firmware 1.0.0. Their monitors do not run, so that tests set their health. */
  static async open(count: number, options: AppOptions = {}): Promise<Fleet> {
    const { app, storage } = await startApp({
      time: '2026-03-06T08:00:00Z',
      verifyReplay: false,
      ...options,
    });
    return Fleet.on(app, storage, count);
  }

  static async on(app: TestApp, storage: AppStorage, count: number): Promise<Fleet> {
    const fleet = new Fleet(app, storage, names(count));
    await withStorage(storage, () => inParts(fleet.ids, async (id) => devices.insert(deviceRecord(id))));
    return fleet;
  }

  /** Asks for a rollout of 2.0.0 to all devices, unless `more` says otherwise. @returns its id */
  async rollOut(more: object = {}, key?: string): Promise<string> {
    const body = { firmware: '2.0.0', devices: {}, waves: [1, '50%', '100%'], ...more };
    const answer = await this.app.post('/api/rollouts', body, key ? { 'idempotency-key': key } : {});
    const { id } = (await (await answered(answer, 202)).json()) as { id: string };
    await this.app.quiet();
    return id;
  }

  async seen(id: string): Promise<SeenRollout> {
    return (await (await this.app.get(`/api/rollouts/${id}`)).json()) as SeenRollout;
  }

  /** The devices of a rollout in a state. */
  async inState(id: string, state: string): Promise<string[]> {
    const found: string[] = [];
    let link: string | undefined = `/api/rollouts/${id}/devices?state=${state}&top=1000`;
    while (link !== undefined) {
      const page = (await (await this.app.get(link)).json()) as SeenRollout['devices'];
      found.push(...page.value.map(({ device }) => device));
      link = page.nextLink;
    }
    return found;
  }

  /**
   * Lets the devices that have commands take and report them, until no device has one.
   *
   * @returns how many reports there were
   */
  async work(id: string): Promise<number> {
    let reports = 0;
    for (;;) {
      await this.app.quiet();
      const open = [...(await this.inState(id, 'sent')), ...(await this.inState(id, 'rolling-back'))];
      const before = reports;
      await inParts(open, async (device) => {
        for (const command of await this.take(device)) this.pending.push({ device, command });
      });
      await inParts([...this.pending], async (each) => {
        const { device, command } = each;
        const outcome = this.behaviour(command, device);
        if (outcome !== 'silent') {
          await answered(await this.report(device, command.id, outcome), 200);
          reports += 1;
        }
        this.pending.splice(this.pending.indexOf(each), 1);
      });
      if (reports === before) break;
    }
    await this.app.quiet();
    return reports;
  }

  /** Takes the commands from the queue of a device. */
  async take(device: string): Promise<Command[]> {
    const queue = new QueueClient(this.storage.connectionString, `device-${device}`);
    const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
    return Promise.all(
      receivedMessageItems.map(async ({ messageText, messageId, popReceipt }) => {
        await queue.deleteMessage(messageId, popReceipt);
        const command = JSON.parse(Buffer.from(messageText, 'base64').toString()) as Command;
        this.commands.push({ device, command });
        return command;
      }),
    );
  }

  async report(device: string, command: string, outcome: string): Promise<Response> {
    return this.app.post(`/api/devices/${device}/updates/${command}`, { outcome });
  }

  /** Pauses, resumes or aborts. */
  async steer(
    id: string,
    what: 'pause' | 'resume' | 'abort',
    body: object = { by: 'kim' },
  ): Promise<Response> {
    const answer = await this.app.post(`/api/rollouts/${id}/${what}`, body);
    await this.app.quiet();
    return answer;
  }

  /** Answers the approval of the next wave. */
  async decide(id: string, wave: number, decision: string, by: string): Promise<void> {
    const path = `/api/approvals/approval-_${id}-${wave}/decision`;
    await answered(await this.app.post(path, { decision, by }), 200);
    await this.app.quiet();
  }

  /** Changes the records of devices. */
  async change(ids: readonly string[], change: Partial<Device>): Promise<void> {
    await withStorage(this.storage, () =>
      inParts(ids, async (id) => devices.change(id, (device) => ({ ...device, ...change }))),
    );
  }

  /** The devices by their firmware. */
  async firmware(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    await withStorage(this.storage, () =>
      inParts(this.ids, async (id) => {
        const { firmware = 'none' } = (await devices.read(id)) ?? {};
        counts[firmware] = (counts[firmware] ?? 0) + 1;
      }),
    );
    return counts;
  }
}

/** The ids of a fleet, in their order. */
export function names(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `device-${String(number).padStart(4, '0')}`);
}

function deviceRecord(id: string): Device {
  const at = '2026-03-01T00:00:00.000Z';
  return {
    id,
    registration: 1,
    interval: 'PT1H',
    registeredAt: at,
    configuredAt: at,
    firmware: '1.0.0',
    firmwareAt: at,
    health: 'healthy',
    above: false,
    alerts: {},
    unsent: [],
  };
}

/** @throws Error unless the answer has that status */
async function answered(answer: Response, status: number): Promise<Response> {
  if (answer.status !== status) throw new Error(`${answer.status}: ${await answer.text()}`);
  return answer;
}

async function inParts<Each>(all: readonly Each[], work: (each: Each) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < all.length; from += 20) {
    await Promise.all(all.slice(from, from + 20).map(work));
  }
}
