import type { InvocationContext } from '@azure/functions';
import moment from 'moment';
import { activity } from '../durable/index.js';
import { devices } from '../fleet/index.js';
import { notify, operator } from '../notifications/index.js';
import { Refusal } from '../refusals/index.js';
import type { Rule } from '../storage/index.js';
import type { Device, Stream } from './model.js';
import { assess, ended, nextLook, sent } from './rules.js';
import { writeAlert } from './store.js';

/** The registration of a device that a monitor is about. */
export type Registered = Pick<Device, 'id' | 'registration'>;

/** What the monitor does next. */
export interface Plan {
  /** Whether the device was removed. */
  isOver: boolean;
  /** When it looks again, if it gets no event before. ISO 8601, UTC. */
  next?: string | undefined;
}

/** What the monitor has seen. Times are ISO 8601 in UTC. */
export interface Look extends Registered {
  stream: Stream;
  /** When the stream was read, or before. */
  at: string;
  /** When this look was planned. */
  planned?: string | undefined;
}

/** Assesses a device by its readings, writes the alerts that open and close, and notifies the operator. */
export const assessDevice = activity(
  'AssessDevice',
  async ({ id, registration, stream, at, planned }: Look, context): Promise<Plan> => {
    const isOurs = (device: Device): boolean => device.registration === registration;
    const time = moment.utc(at);
    const assessed = await change(id, (device) =>
      isOurs(device)
        ? assess(device, stream, time, planned === undefined ? planned : moment.utc(planned))
        : device,
    );
    const device = await sendUnsent(assessed, context);
    return !isOurs(device) || device.removedAt !== undefined
      ? { isOver: true }
      : { isOver: false, next: nextLook(device, stream, time)?.toISOString() };
  },
);

/** Records that the monitor of a removed device ends. */
export const noteMonitorEnded = activity(
  'NoteMonitorEnded',
  async ({ id, registration }: Registered): Promise<null> => {
    await change(id, (device) => (device.registration === registration ? ended(device) : device));
    return null;
  },
);

/**
 * Writes the changes of alerts that the device's record lists. If a run is interrupted, the next one writes them again, and
 * sends the same notification with the same key.
 */
async function sendUnsent(device: Device, context: InvocationContext): Promise<Device> {
  const { id, unsent } = device;
  if (unsent.length === 0) {
    return device;
  }
  for (const each of unsent) {
    await writeAlert(id, each);
    await notify(
      {
        to: operator(),
        subject: `${each.to === 'open' ? 'Alert' : 'Alert closed'}: device ${id}, ${each.kind}`,
        text: `${each.text}.`,
        about: `/api/devices/${id}`,
        key: `${each.id}-${each.to}`,
      },
      context,
    );
  }
  return change(id, (current) => sent(current, unsent));
}

async function change(id: string, rule: Rule<Device>): Promise<Device> {
  const result = await devices.change(id, rule);
  if (result === undefined || result instanceof Refusal) {
    throw new Error(`There is no device ${id}`);
  }
  return result.record;
}
