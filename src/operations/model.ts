import { z } from 'zod';
import { line } from '../http/index.js';

/** The states of instances, as the hub names them. */
const status = z.enum([
  'Pending',
  'Running',
  'Suspended',
  'Completed',
  'Failed',
  'Terminated',
  'Canceled',
  'ContinuedAsNew',
]);

const time = z.iso.datetime({ offset: true, error: 'It is not a time, such as 2030-01-31T12:00:00Z' });
const flag = z.stringbool({ error: 'It must be true or false' }).default(false);

/** The query of `GET /api/operations/instances`. */
export const instancesQuery = z.object({
  /** The name of an orchestrator. */
  workflow: line(200).optional(),
  /** One or more states, separated by commas. */
  status: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(status))
    .optional(),
  /** When the instance was created: the time itself is included. */
  createdFrom: time.optional(),
  createdTo: time.optional(),
  /** How the instance id begins. The hub puts it, and the character after its last one, into a filter between ' and '. */
  idPrefix: line(256)
    .regex(/^[^']*[^'&]$/, "It must not contain ', and not end with &")
    .optional(),
  top: z.coerce.number('It must be a number').int().min(1).max(1000).default(100),
  /** From the page before. */
  continuation: z.string().max(8000).optional(),
});

/** The query of `GET /api/operations/instances/{id}` and of its history. */
export const instanceQuery = z.object({
  /** Whether the answer has inputs and outputs. */
  payloads: flag,
});

/** What an operator can do with an instance, and in which of its states. */
export const actions = {
  terminate: ['Pending', 'Running', 'Suspended', 'ContinuedAsNew'],
  suspend: ['Pending', 'Running', 'ContinuedAsNew'],
  resume: ['Suspended'],
  restart: ['Completed', 'Failed', 'Terminated', 'Canceled'],
  purge: ['Completed', 'Failed', 'Terminated', 'Canceled'],
} as const satisfies Record<string, readonly z.infer<typeof status>[]>;
export type Action = keyof typeof actions;

/** The body of `POST /api/operations/instances/{id}/{action}`, which may be empty. */
export const actionRequest = z.strictObject({
  /** The history of the instance keeps it. */
  reason: line(200).optional(),
  /** Optional where the platform signs people in. */
  by: line(100).optional(),
});
