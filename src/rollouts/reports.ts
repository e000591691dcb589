import type { HttpRequest, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import type { DurableClient } from 'durable-functions';
import moment from 'moment';
import { raise } from '../durable/index.js';
import { setFirmware } from '../fleet/index.js';
import { check, notFound, readJson, unlessRefused, withProblems, type Handler } from '../http/index.js';
import { Refusal, TryLaterError } from '../refusals/index.js';
import { triggerQueue } from '../storage/index.js';
import { reportMessage, reportRequest, type Report, type Rollout, type Update } from './model.js';
import { updateReported } from './orchestrators.js';
import { rollouts, tryToChangeUpdate } from './store.js';
import { firmwareOf, parseCommand, reported } from './update-rules.js';
import { shownUpdate } from './view.js';

/** `POST /api/devices/{id}/updates/{command}` `{ outcome, detail? }`: what a device reports about a command. */
export const reportUpdate: Handler = async (request, client) => {
  const { id = '', command = '' } = request.params;
  const report = check(reportRequest, await readJson(request));
  const taken = (await take(client, { device: id, command, report })) ?? unknown(request);
  const { rollout, update } = taken instanceof Refusal ? unlessRefused(taken) : taken;
  return { jsonBody: shownUpdate(rollout, update) };
};

/**
 * A message on the queue `update-reports`, for devices that do not speak HTTP. One that is wrong, or comes too late, is
 * logged and dropped: it would be so each time.
 */
export async function receiveReport(
  message: unknown,
  client: DurableClient,
  context: InvocationContext,
): Promise<void> {
  const parsed = reportMessage.safeParse(message);
  if (!parsed.success) {
    context.error('A report is dropped, because it has a wrong form', parsed.error.issues);
    return;
  }
  const { device, command, ...report } = parsed.data;
  const taken = await take(client, { device, command, report });
  if (taken === undefined || taken instanceof Refusal) {
    context.warn('A report of %s about %s is dropped: %s', device, command, taken?.title ?? 'it is unknown');
  }
}

/**
 * Records a report, and the firmware that the device has now, and wakes the workflow that waits for it.
 *
 * @returns `undefined` when the device has no such command
 * @throws {TryLaterError} when the workflow was not woken
 */
async function take(
  client: DurableClient,
  { device, command, report }: { device: string; command: string; report: Report },
): Promise<{ rollout: Rollout; update: Update } | Refusal | undefined> {
  const parsed = parseCommand(command);
  const rollout = parsed && (await rollouts.read(parsed.rollout));
  if (parsed === undefined || rollout === undefined) return undefined;
  const at = moment.utc();
  const update = await tryToChangeUpdate(rollout.id, parsed.index, async (current) => {
    const next = current.device === device ? reported(current, parsed.direction, report, at) : current;
    if (next === current || next instanceof Refusal) return next;
    // Before the report is recorded: a device whose report was not answered repeats it.
    const firmware = firmwareOf(next, rollout);
    if (firmware !== undefined) await setFirmware(device, firmware, at);
    return next;
  });
  if (update === undefined || update instanceof Refusal) return update;
  if (update.device !== device) return undefined;
  if (update.waiter !== undefined) {
    try {
      await raise(client, update.waiter, updateReported, null);
    } catch (error) {
      // The report is recorded. Its repeat wakes the workflow, which otherwise reads it at the deadline.
      throw new TryLaterError(`The workflow of ${command} was not woken`, 1, { cause: error });
    }
  }
  return { rollout, update };
}

function unknown({ params: { id = '', command = '' } }: HttpRequest): never {
  throw notFound(`The device ${id} has no command ${command}.`);
}

df.app.client.http('ReportUpdate', {
  route: 'api/devices/{id}/updates/{command}',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(reportUpdate),
});
df.app.client.storageQueue('UpdateReportFromQueue', {
  queueName: triggerQueue('update-reports'),
  connection: 'AppStorage',
  handler: receiveReport,
});
