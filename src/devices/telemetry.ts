import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import type { DurableClient } from 'durable-functions';
import moment, { type Moment } from 'moment';
import { readDevice, setFirmware } from '../fleet/index.js';
import { check } from '../http/index.js';
import { triggerQueue } from '../storage/index.js';
import { deviceEntity } from './entities.js';
import { anyReading, keyOf, telemetryMessage, type Device, type Reading, type SentReading } from './model.js';
import { changed } from './orchestrators.js';
import { needsLook } from './rules.js';
import { isNewer } from './stream-rules.js';
import { goOn } from './workflows.js';

/** A reading whose time is further ahead comes from a wrong clock. */
const AHEAD = moment.duration(5, 'minutes');
/** How many devices of a message are processed at once. */
const AT_ONCE = 8;

/** Whether the time of a reading is too far in the future. */
export function isAhead({ at }: SentReading, receivedAt: Moment): boolean {
  return moment.utc(at ?? receivedAt).isAfter(receivedAt.clone().add(AHEAD));
}

/**
 * Gives readings to their device's entity, and wakes the monitor if they may matter. After an error, send them again:
 * repeated readings change nothing.
 */
export async function take(
  client: DurableClient,
  device: Device,
  received: readonly SentReading[],
  at: Moment,
): Promise<void> {
  const { id, interval, threshold } = device;
  const readings = received.map((each) => readingOf(each, at));
  await takeFirmware(client, device, readings);
  await deviceEntity.signal(client, keyOf(device), 'report', {
    readings,
    receivedAt: at.toISOString(),
    interval,
    threshold,
  });
  if (needsLook(device, readings)) {
    await goOn(client, { id, registration: device.registration }, changed);
  }
}

/** Records the firmware that the newest of the readings names, unless the reading is late. */
async function takeFirmware(client: DurableClient, device: Device, readings: Reading[]): Promise<void> {
  const named = readings.filter(({ firmware }) => firmware !== undefined);
  const newest = named.reduce<Reading | undefined>(
    (last, each) => (isNewer(each, last) ? each : last),
    undefined,
  );
  if (newest?.firmware === undefined || newest.firmware === device.firmware) {
    return;
  }
  const { last } = await deviceEntity.read(client, keyOf(device));
  if (isNewer(newest, last)) {
    await setFirmware(device.id, newest.firmware, moment.utc(newest.at));
  }
}

/**
 * A message on the queue `telemetry`: `{ readings: [{ device, ... }] }`. Readings that are wrong, and those of unknown
 * devices, are logged and dropped. A message of another form fails five times, and goes to `telemetry-poison`.
 */
export async function telemetryFromQueue(
  message: unknown,
  client: DurableClient,
  context: InvocationContext,
): Promise<void> {
  const { readings } = check(telemetryMessage, message, 'message');
  const at = moment.utc();
  const dropped: string[] = [];
  const byDevice = new Map<string, SentReading[]>();
  for (const [number, each] of readings.entries()) {
    const { success, data, error } = anyReading.safeParse(each);
    if (!success || isAhead(data, at)) {
      dropped.push(`reading ${number}: ${error?.issues[0]?.message ?? 'its time is in the future'}`);
    } else {
      const { device, ...reading } = data;
      byDevice.set(device, [...(byDevice.get(device) ?? []), reading]);
    }
  }
  const waiting = byDevice.entries();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const [id, own] of waiting) {
        const device = await readDevice(id);
        if (device === undefined) dropped.push(`there is no device ${id}`);
        else await take(client, device, own, at);
      }
    }),
  );
  if (dropped.length > 0) {
    context.warn(
      'Telemetry dropped, %d of %d: %s',
      dropped.length,
      readings.length,
      dropped.slice(0, 5).join('; '),
    );
  }
}

function readingOf({ at, sequence, metrics, firmware }: SentReading, receivedAt: Moment): Reading {
  return {
    at: moment.utc(at ?? receivedAt).toISOString(),
    isTimed: at !== undefined,
    metrics,
    ...(sequence !== undefined && { sequence }),
    ...(firmware !== undefined && { firmware }),
  };
}

df.app.client.storageQueue('TelemetryFromQueue', {
  queueName: triggerQueue('telemetry'),
  connection: 'AppStorage',
  handler: (message, client, context) => telemetryFromQueue(message, client, context),
});
