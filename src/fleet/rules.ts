import moment, { type Moment } from 'moment';
import type { Device } from './model.js';

/**
 * The time by which the monitor must have looked at the device, or sent what is in `unsent`; `undefined` when nothing is due: for a
 * silent device until it reports, and for a removed one whose monitor has ended.
 */
export function dueAt({ unsent, watchBy }: Device): string | undefined {
  return unsent[0]?.at ?? watchBy;
}

/** When the device was removed, if nothing is left to do about it. */
export function endedAt(device: Device): string | undefined {
  return dueAt(device) === undefined ? device.removedAt : undefined;
}

/** Records the firmware that the device had at a time, unless a later one is known. */
export function withFirmware(device: Device, firmware: string, at: Moment): Device {
  return device.firmware === firmware || moment.utc(device.firmwareAt ?? 0).isAfter(at)
    ? device
    : { ...device, firmware, firmwareAt: at.toISOString() };
}
