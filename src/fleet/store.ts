import type { Moment } from 'moment';
import { Refusal } from '../refusals/index.js';
import { keyFor, recordStore, type Page } from '../storage/index.js';
import { deviceRecord, type Device, type DeviceHealth } from './model.js';
import { dueAt, endedAt, withFirmware } from './rules.js';

/** The devices, also those that were removed. */
export const devices = recordStore({
  table: 'Devices',
  schema: deviceRecord,
  indexes: ({ health, firmware, removedAt }) =>
    removedAt === undefined
      ? [{}, { health }, ...(firmware === undefined ? [] : [{ firmware }, { health, firmware }])].map(
          (filter) => ({ partition: partitionOf(filter) }),
        )
      : [],
  dueAt,
  endedAt,
});

/** Selects devices to list. */
export interface DeviceFilter {
  health?: DeviceHealth | undefined;
  firmware?: string | undefined;
}

/** The device; `undefined` when there is none, or it was removed. */
export async function readDevice(id: string): Promise<Device | undefined> {
  const device = await devices.read(id);
  return device?.removedAt === undefined ? device : undefined;
}

/** A page of the devices that match a filter, in the order of their ids. It costs what it returns. */
export async function listDevices(
  filter: DeviceFilter,
  page: { top: number; after?: string | undefined },
): Promise<Page<Device>> {
  return devices.list(partitionOf(filter), page);
}

/**
 * Records the firmware that a device had at a time, unless a later one is known.
 *
 * @returns the device; `undefined` when there is none, or it was removed
 */
export async function setFirmware(id: string, firmware: string, at: Moment): Promise<Device | undefined> {
  const result = await devices.change(id, (device) =>
    device.removedAt === undefined ? withFirmware(device, firmware, at) : device,
  );
  return result === undefined || result instanceof Refusal || result.record.removedAt !== undefined
    ? undefined
    : result.record;
}

function partitionOf({ health, firmware }: DeviceFilter): string {
  return [
    'all',
    ...(health === undefined ? [] : [`health-${health}`]),
    ...(firmware === undefined ? [] : [`firmware-${keyFor(firmware)}`]),
  ].join('-');
}
