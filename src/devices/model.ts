import { z } from 'zod';
import {
  alertKind,
  deviceId,
  deviceRecord,
  firmwareVersion,
  metricName,
  threshold,
  type Threshold,
} from '../fleet/index.js';
import { duration } from '../http/index.js';

export { deviceId, type AlertChange, type AlertKind, type Device, type Threshold } from '../fleet/index.js';

/** The body of `PUT /api/devices/{id}`. */
export const registration = z.strictObject({
  /** How often the device reports. ISO 8601. */
  interval: duration('PT1S', 'P30D'),
  threshold: threshold.optional(),
});
export type Registration = z.output<typeof registration>;

/** The most readings in a request or a message. */
export const READINGS_LIMIT = 100;
/** The most metrics in a reading. */
const METRICS_LIMIT = 20;

const reading = z.strictObject({
  /** Grows by each reading. */
  sequence: z.int().min(0).optional(),
  /** When it was measured. ISO 8601, with Z or an offset. */
  at: z.iso.datetime({ offset: true, error: 'It is not a time such as 2026-03-01T08:00:00Z' }).optional(),
  metrics: z
    .record(metricName, z.number())
    .refine((metrics) => Object.keys(metrics).length <= METRICS_LIMIT, `At most ${METRICS_LIMIT} metrics`)
    .default({}),
  firmware: firmwareVersion.optional(),
});

/** Late and repeated readings are recognized by one of the two. */
function isOrdered({ sequence, at }: { sequence?: number | undefined; at?: string | undefined }): boolean {
  return sequence !== undefined || at !== undefined;
}
const ORDERED = 'It needs a sequence or a time: sequence or at';

/** A reading of a device that the request names. */
export const ownReading = reading.refine(isOrdered, ORDERED);
export type SentReading = z.output<typeof ownReading>;

/** A reading that names its device. */
export const anyReading = reading.extend({ device: deviceId }).refine(isOrdered, ORDERED);

/** The body of `POST /api/devices/{id}/telemetry` with several readings. */
export const ownReadings = z.strictObject({ readings: z.array(ownReading).min(1).max(READINGS_LIMIT) });

/** A message on the queue `telemetry`. Its readings are checked one by one. */
export const telemetryMessage = z.strictObject({
  readings: z.array(z.unknown()).min(1).max(READINGS_LIMIT),
});

/** A reading that was received. Times are ISO 8601 in UTC. */
export interface Reading {
  /** The reading's own time, or that of its reception if it has none. */
  at: string;
  /** Whether it has a time of its own. */
  isTimed: boolean;
  sequence?: number;
  metrics: Record<string, number>;
  firmware?: string;
}

/** The state of a device's entity, which its readings lead to. Times are ISO 8601 in UTC. */
export interface Stream {
  /** The last reading, by its own time or sequence. */
  last?: Reading & { receivedAt: string };
  /** Since when readings have been received without a gap of more than two intervals. */
  unbrokenSince?: string;
  /** The threshold to which `level` belongs. */
  threshold?: Threshold;
  level?: Level;
}

/** On which side of its threshold a metric is, and since when by the readings' own times. */
export interface Level {
  side: 'above' | 'below';
  since: string;
}

/** Readings of a device, and its settings at their reception. */
export interface Report {
  readings: Reading[];
  receivedAt: string;
  interval: string;
  threshold?: Threshold | undefined;
}

/** The state of the entity before the first reading. */
export const noReadings: Stream = {};

/** The key of the monitor and the entity of a device, which each registration has of its own. */
export function keyOf({ id, registration: number }: { id: string; registration: number }): string {
  return `${id}-${number}`;
}

/** The states of an alert. */
export const alertState = z.enum(['open', 'closed']);

/** The record of an alert. Times are ISO 8601 in UTC. */
export const alertRecord = z.object({
  id: z.string(),
  device: deviceRecord.shape.id,
  kind: alertKind,
  state: alertState,
  openedAt: z.string(),
  /** Why it was opened. */
  text: z.string(),
  closedAt: z.string().optional(),
  /** Why it was closed. */
  closedBecause: z.string().optional(),
});
export type Alert = z.infer<typeof alertRecord>;
