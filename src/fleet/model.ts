import { z } from 'zod';
import { duration } from '../http/index.js';

/**
 * The id of a device: lower case letters, digits and single `-` between them, 50 at most. It is part of the
 * name of the device's command queue, `device-<id>`.
 */
export const deviceId = z
  .string()
  .max(50)
  .regex(/^[a-z0-9](?:-?[a-z0-9])*$/, 'It must be lower case letters and digits, with single - between them');

/** A version of firmware, such as `2.1.0` or `2026-03_rc.1`. */
export const firmwareVersion = z
  .string()
  .regex(
    /^[A-Za-z0-9][\w.+-]{0,63}$/,
    'It must be 1 to 64 letters, digits and . + - _, and begin with a letter or digit',
  );

/** The name of something that a device measures, such as `temperature`. */
export const metricName = z
  .string()
  .regex(/^[A-Za-z][\w.-]{0,39}$/, 'It must be 1 to 40 letters, digits and . - _, and begin with a letter');

/** The limit of a metric. */
export const threshold = z.strictObject({
  metric: metricName,
  above: z.number(),
  /** How long the metric must be above it until there is an alert. ISO 8601. */
  for: duration('PT0S', 'P30D'),
});
export type Threshold = z.infer<typeof threshold>;

/**
 * - `unknown`: it has not reported yet;
 * - `healthy`: it reports, and has no open alert;
 * - `unhealthy`: it reports, and has an open alert: its metric is too high, or it has not yet recovered from silence;
 * - `silent`: it has not reported for two intervals.
 */
export const deviceHealth = z.enum(['unknown', 'healthy', 'unhealthy', 'silent']);
export type DeviceHealth = z.infer<typeof deviceHealth>;

/** What an alert is about. */
export const alertKind = z.enum(['silence', 'threshold']);
export type AlertKind = z.infer<typeof alertKind>;

const openAlert = z.object({ id: z.string(), openedAt: z.string() });

/** An alert that was opened or closed, and whose record and notification may not be written yet. */
const alertChange = z.object({
  /** The alert's id. */
  id: z.string(),
  kind: alertKind,
  to: z.enum(['open', 'closed']),
  at: z.string(),
  /** What happened, in words. */
  text: z.string(),
});
export type AlertChange = z.infer<typeof alertChange>;

/** The record of a device, which decides. Times are ISO 8601 in UTC. */
export const deviceRecord = z.object({
  id: z.string(),
  /** Counts the registrations under this id. The monitor and the entity of each have their own key. */
  registration: z.int(),
  /** How often the device reports. ISO 8601. */
  interval: z.string(),
  threshold: threshold.optional(),
  registeredAt: z.string(),
  /** The person who registered it, if the platform has signed one in. */
  registeredBy: z.string().optional(),
  /** When the interval and the threshold were set. Silence counts from here at the earliest. */
  configuredAt: z.string(),
  /** A removed device is in no list, and callers see none. Its row stays until it is purged. */
  removedAt: z.string().optional(),
  firmware: z.string().optional(),
  /** When the device had that firmware. */
  firmwareAt: z.string().optional(),
  health: deviceHealth,
  /** Whether the monitor has seen the metric above its threshold, and has planned its next look for that. */
  above: z.boolean(),
  /** The open alerts. */
  alerts: z.object({ silence: openAlert.optional(), threshold: openAlert.optional() }),
  /** The alerts that were opened or closed, until that is written and sent. */
  unsent: z.array(alertChange),
  /** The device is not silent before this time, because the app was down and readings may be lost. */
  excusedUntil: z.string().optional(),
  /** The time by which the monitor must have looked at the device; absent when nothing is due. After it, the sweep starts or wakes the monitor. */
  watchBy: z.string().optional(),
});
export type Device = z.infer<typeof deviceRecord>;
