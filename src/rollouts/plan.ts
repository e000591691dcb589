import { listDevices, readDevice, type Device } from '../fleet/index.js';
import { atOnce } from './at-once.js';
import type { Rollout } from './model.js';
import { PART_SIZE, type Part } from './store.js';
import { planned } from './update-rules.js';

/** Finds the next part of a rollout's plan. Devices that are unknown, or have the firmware, are left out. */
export async function findPart({
  devices,
  firmware,
  planned: before,
  plannedTo: from,
}: Rollout): Promise<Part> {
  const { found, to } = Array.isArray(devices)
    ? await listed(devices, Number(from ?? 0))
    : await matching(devices, from);
  const left = found.flatMap(([id, device]) => {
    if (device === undefined) return [{ device: id, reason: 'There is no such device' }];
    return device.firmware === firmware ? [{ device: id, reason: 'It has this firmware already' }] : [];
  });
  const taken = found.filter(([id]) => left.every(({ device }) => device !== id));
  return {
    from,
    to,
    devices: taken.map(([id], place) => planned(before + place, id)),
    left,
    planned: before + taken.length,
  };
}

interface Found {
  found: [id: string, device: Device | undefined][];
  /** Where the next part begins. */
  to?: string | undefined;
}

async function listed(ids: readonly string[], from: number): Promise<Found> {
  const found = await atOnce(
    ids.slice(from, from + PART_SIZE),
    async (id): Promise<Found['found'][number]> => [id, await readDevice(id)],
  );
  const next = from + PART_SIZE;
  return { found, ...(next < ids.length && { to: String(next) }) };
}

async function matching(
  filter: Parameters<typeof listDevices>[0],
  after: string | undefined,
): Promise<Found> {
  const { records, continuation } = await listDevices(filter, { top: PART_SIZE, after });
  return { found: records.map((device) => [device.id, device]), to: continuation };
}
