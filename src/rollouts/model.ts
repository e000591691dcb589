import { z } from 'zod';
import { deviceHealth, deviceId, firmwareVersion } from '../fleet/index.js';
import { duration, line, personName } from '../http/index.js';

/** The most devices of a rollout, and of a request that lists them. */
export const MOST_DEVICES = 10_000;
const MOST_LISTED = 500;

const percent = z
  .string()
  .regex(/^(?:100|\d{1,2}(?:\.\d{1,3})?)%$/, 'It must be a share from 0% to 100%, such as 10%');

/** The end of a wave: a number of devices, or a share of all devices of the rollout, such as `10%`. */
const waveEnd = z.union(
  [
    z.int().min(1).max(MOST_DEVICES),
    percent.refine((share) => parseFloat(share) > 0, 'It must be more than 0%'),
  ],
  { error: `It must be a number of devices from 1 to ${MOST_DEVICES}, or a share such as 10%` },
);
export type WaveEnd = z.infer<typeof waveEnd>;

/** A share of devices, as `0.05` or `"5%"`; as a number in the record. */
const share = z.union(
  [z.number().min(0).max(1), percent.transform((text) => Number((parseFloat(text) / 100).toFixed(5)))],
  { error: 'It must be a number from 0 to 1, or a share such as 5%' },
);

/** Selects devices; all of them without a field. */
const deviceFilter = z.strictObject({
  health: deviceHealth.optional(),
  firmware: firmwareVersion.optional(),
});

/** Which person approves a wave. Without it, the operator. */
const approvalPlan = z.strictObject({
  approver: personName.optional(),
  escalateTo: personName.optional(),
  respondWithin: duration('PT1S', 'P90D').default('P1D'),
  escalateWithin: duration('PT1S', 'P90D').default('P1D'),
});

/** The body of `POST /api/rollouts`. */
export const rolloutRequest = z.strictObject({
  /** The firmware that the devices get. */
  firmware: firmwareVersion,
  /** Ids of devices, or a filter. */
  devices: z.union(
    [
      z
        .array(deviceId)
        .min(1)
        .max(MOST_LISTED)
        .transform((ids) => [...new Set(ids)]),
      deviceFilter,
    ],
    { error: `It must be 1 to ${MOST_LISTED} ids of devices, or a filter such as { "firmware": "1.0.0" }` },
  ),
  /** Where each wave ends, counted from the first device: `[1, "10%", "100%"]`. Devices after the last end are left alone. */
  waves: z.array(waveEnd).min(1).max(20),
  /** A wave in which a larger share of the devices fails stops the rollout, and rolls it back. */
  maxFailureShare: share.default(0.1),
  /** The time between the last update of a wave and the check of its devices' health. */
  soak: duration('PT0S', 'P30D').default('PT10M'),
  /** Whether a person approves each wave after the first. */
  approveBetweenWaves: z
    .union([z.boolean(), approvalPlan], { error: 'It must be true, false or { "approver": … }' })
    .default(false),
  /** How long a device may take to report an update, before the command is sent again. */
  updateWithin: duration('PT1S', 'P7D').default('PT10M'),
  /** How often a command is sent to a device that does not report. */
  attempts: z.int().min(1).max(10).default(3),
  /** How many devices are updated at once. */
  maxParallel: z.int().min(1).max(64).default(16),
  /** Optional: the operator, if the platform does not sign people in. */
  requestedBy: personName.optional(),
});

/** A checked request, with the person who made it. */
export type RolloutRequest = Omit<z.output<typeof rolloutRequest>, 'requestedBy'> & { requestedBy: string };

/** The body of `POST /api/rollouts/{id}/pause` and `/resume`; it may be absent. */
export const steerRequest = z.strictObject({
  /** Optional where the platform signs people in. */
  by: personName.optional(),
  reason: line(200).optional(),
});

/** The body of `POST /api/rollouts/{id}/abort`; it may be absent. */
export const abortRequest = steerRequest.extend({
  /** Whether the devices get the firmware back that they had before. Default: each keeps what it has. */
  rollBack: z.boolean().default(false),
});

/** What a device reports about a command. */
export const reportRequest = z.strictObject({
  outcome: z.enum(['succeeded', 'failed']),
  /** Why it failed, for people. */
  detail: line(500).optional(),
});
export type Report = z.infer<typeof reportRequest>;

/** A message on the queue `update-reports`: a report by a device that does not speak HTTP. */
export const reportMessage = reportRequest.extend({ device: z.string(), command: z.string() });

/**
 * How far a rollout is. `draining`: it ends, and waits for devices that have a command. `concluding`: its
 * requester is notified. `over` is final.
 */
export const stage = z.enum([
  'planning',
  'updating',
  'soaking',
  'approving',
  'draining',
  'rolling-back',
  'concluding',
  'over',
]);
export type Stage = z.infer<typeof stage>;

const outcome = z.enum(['completed', 'rolled-back', 'aborted']);

/** The state of a rollout, as callers see it. */
export type RolloutState =
  | z.infer<typeof outcome>
  | Extract<Stage, 'planning' | 'updating' | 'soaking' | 'rolling-back'>
  | 'awaiting-approval'
  | 'stopping'
  | 'paused';

const step = z.object({
  /** ISO 8601, UTC. */
  at: z.string(),
  text: z.string(),
});

/** The record of a rollout, which decides. Times are ISO 8601 in UTC. */
export const rolloutRecord = z.object({
  /** The instance id of its workflow too. */
  id: z.string(),
  firmware: z.string(),
  devices: z.union([z.array(z.string()), deviceFilter]),
  waves: z.array(waveEnd),
  maxFailureShare: z.number(),
  soak: z.string(),
  updateWithin: z.string(),
  attempts: z.number(),
  maxParallel: z.number(),
  approval: approvalPlan.optional(),
  requestedBy: z.string(),
  stage,
  paused: z.boolean(),
  /** The number of devices that are planned so far. */
  planned: z.number(),
  /** Where the plan goes on: a position in the ids, or the continuation of a list. */
  plannedTo: z.string().optional(),
  /** The present wave, from 0. */
  wave: z.number(),
  soakUntil: z.string().optional(),
  /** How it ends, and why; set when that is decided. */
  ending: z.object({ outcome, reason: z.string() }).optional(),
  /** What happened: the last hundred steps, or as many as fit into a column. */
  steps: z.array(step),
  createdAt: z.string(),
  /** When the stage or the wave last changed. */
  progressAt: z.string(),
  /** When the sweep last looked at it. */
  watchedAt: z.string().optional(),
  /** A hash of the request. It distinguishes its repeat from another request with the same key. */
  requestHash: z.string(),
});
export type Rollout = z.infer<typeof rolloutRecord>;

/**
 * The state of a device in a rollout. `unhealthy`: it was updated, and then its health got worse. `skipped`:
 * it got no command. `not-rolled-back`: it did not report that it is rolled back, or reported a failure.
 */
export const updateState = z.enum([
  'waiting',
  'sent',
  'updated',
  'failed',
  'unhealthy',
  'skipped',
  'rolling-back',
  'rolled-back',
  'not-rolled-back',
]);
export type UpdateState = z.infer<typeof updateState>;

/** The record of a device in a rollout, which decides about the device. Times are ISO 8601 in UTC. */
export const updateRecord = z.object({
  /** The device's place in the order of the rollout, from 0. */
  index: z.number(),
  device: z.string(),
  state: updateState,
  /** How often the present command was sent, and how often it is known to be in the device's queue. */
  attempts: z.number(),
  posted: z.number(),
  /** Until when the device may report. */
  deadline: z.string().optional(),
  /** The firmware and the health that it had before. */
  previous: z.string().optional(),
  healthBefore: z.string().optional(),
  /** Whether the device has reported a failure itself. */
  answered: z.boolean().optional(),
  reason: z.string().optional(),
  sentAt: z.string().optional(),
  endedAt: z.string().optional(),
  /** The instance that waits for the report. */
  waiter: z.string().optional(),
});
export type Update = z.infer<typeof updateRecord>;

/** The direction of a command. */
export type Direction = 'update' | 'roll-back';

/** A command, as it is queued for a device: this, as JSON, in base64. A repeat has the same id. */
export interface Command {
  id: string;
  kind: Direction;
  /** The firmware to install; absent when the app does not know what the device had before. */
  firmware?: string | undefined;
  /** Which attempt this is, from 1. */
  attempt: number;
  /** The time at which the app sends it again, or gives up. */
  reportBefore: string;
  /** Where the report goes: POST `{ "outcome": "succeeded" }` or `{ "outcome": "failed", "detail": … }`. */
  reportTo: string;
}

/** A range of devices in the order of the rollout: `from` inclusive, `to` exclusive. */
export interface Span {
  from: number;
  to: number;
}

/** The devices that one lane updates, one after the other: `from`, `from + stride`, ... before `to`. */
export interface Lane extends Span {
  stride: number;
}

/** What the workflow does next. */
export type Step =
  | { do: 'plan' | 'approve' | 'conclude' }
  | { do: 'update'; lanes: Lane[] }
  /** Without `until`: until somebody resumes or aborts it. */
  | { do: 'wait'; until?: string }
  | { do: 'nothing'; state: RolloutState };
