import type { InvocationContext } from '@azure/functions';
import moment, { type Moment } from 'moment';
import { activity } from '../durable/index.js';
import { readDevice } from '../fleet/index.js';
import { notify, operator } from '../notifications/index.js';
import { approvalEnded, approvalId, approvalWanted } from './approval-rules.js';
import type { ApprovalOutcome, ApprovalRequest } from './approval-rules.js';
import type { Lane, Rollout, RolloutState, Step, Update } from './model.js';
import { findPart } from './plan.js';
import { atOnce } from './at-once.js';
import {
  advanced,
  concluded,
  isOver,
  nextStep,
  plannedUntil,
  presentWave,
  stateOf,
  stopped,
} from './rules.js';
import {
  changeRollout,
  changeUpdate,
  claim,
  listUpdates,
  post,
  readUpdate,
  rolloutOf,
  writePart,
} from './store.js';
import {
  awaited,
  begun,
  commandOf,
  gaveUp,
  gotWorse,
  nextFor,
  posted,
  sending,
  skipped,
} from './update-rules.js';

/** Which rollout an activity is about. */
export interface Reference {
  id: string;
}

/** How many parts of a plan one call writes. */
const PARTS = 10;
/** How many devices of a lane one call reads, and how many it gives at most. */
const LANE_READS = 50;
const LANE_GIVES = 10;

/** Finds out what the workflow does next, and records how far the rollout is. */
export const advanceRollout = activity(
  'AdvanceRollout',
  async ({ id }: Reference, context): Promise<Step> => {
    for (;;) {
      const rollout = await rolloutOf(id);
      const at = moment.utc();
      let updates = await listUpdates(id, presentWave(rollout));
      if (rollout.stage === 'soaking' && !at.isBefore(rollout.soakUntil)) {
        updates = await checkHealth(id, updates, at);
      }
      const isSame = ({ stage, wave }: Rollout): boolean => stage === rollout.stage && wave === rollout.wave;
      if (rollout.stage === 'draining' && advanced(rollout, updates, at).stage === 'rolling-back') {
        await report(rollout, 'rolling-back', 'It rolls back, the last wave first.', context);
      }
      const after = await changeRollout(id, (current, now) =>
        isSame(current) ? advanced(current, updates, now) : current,
      );
      if (isSame(after)) return nextStep(after, updates, moment.utc());
    }
  },
);

/** Marks the devices of a wave whose health has got worse since their update. */
async function checkHealth(id: string, updates: readonly Update[], at: Moment): Promise<Update[]> {
  return atOnce(updates, async (update) => {
    if (update.state !== 'updated') return update;
    const { health = 'removed' } = (await readDevice(update.device)) ?? {};
    if (health === 'healthy' || health === 'unknown' || health === update.healthBefore) return update;
    return changeUpdate(id, update.index, (current) => gotWorse(current, health, at));
  });
}

/** Writes the next parts of the plan: which devices take part, and in which order. */
export const planRollout = activity('PlanRollout', async ({ id }: Reference): Promise<void> => {
  for (let part = 0; part < PARTS; part += 1) {
    const rollout = await rolloutOf(id);
    if (rollout.stage !== 'planning') return;
    const from = rollout.plannedTo;
    const written = await writePart(id, await findPart(rollout), moment.utc());
    await changeRollout(id, (current, at) => plannedUntil(current, { ...written, from }, at));
  }
});

/** Finds the next devices of a lane about which something is to be done, and where it goes on after them. */
export const findInLane = activity(
  'FindInLane',
  async ({ id, from, to, stride }: Reference & Lane): Promise<{ indexes: number[]; next?: number }> => {
    const rollout = await rolloutOf(id);
    const at = moment.utc();
    const last = Math.min(to, from + LANE_READS * stride);
    const places = Array.from({ length: Math.ceil((last - from) / stride) }, (_, n) => from + n * stride);
    const updates = await atOnce(places, async (index) => readUpdate(id, index));
    const open = updates.filter((update) => !['held', 'done'].includes(nextFor(update, rollout, at)));
    const indexes = open.slice(0, LANE_GIVES).map(({ index }) => index);
    const next = open.length > LANE_GIVES ? indexes.at(-1)! + stride : from + places.length * stride;
    return { indexes, ...(next < to && { next }) };
  },
);

/** What an instance that updates a device does next. */
export type UpdateStep = { do: 'wait'; until: string } | { do: 'nothing'; isHeld: boolean };

/** Sends the command to a device if that is to be done now, or gives it up, and records that. */
export const advanceUpdate = activity(
  'AdvanceUpdate',
  async ({ id, index, waiter }: Reference & { index: number; waiter: string }): Promise<UpdateStep> => {
    const rollout = await rolloutOf(id);
    const at = moment.utc();
    const update = await changeUpdate(id, index, async (current) => {
      switch (nextFor(current, rollout, at)) {
        case 'send': {
          const ready = current.state === 'waiting' ? await prepared(rollout, current, at) : current;
          return ready.state === 'skipped' ? ready : sending(ready, rollout, waiter, at);
        }
        case 'wait':
          return awaited(current, waiter);
        case 'give up':
          return gaveUp(current, at);
        default:
          return current;
      }
    });
    const isOpen = nextFor(update, rollout, at) === 'wait';
    if (isOpen && update.posted < update.attempts) {
      await post(update.device, commandOf(rollout, update));
      await changeUpdate(id, index, (current) => posted(current, update.attempts));
    }
    if (isOpen) return { do: 'wait', until: update.deadline! };
    if (update.state === 'failed') await stopIfTooMany(rollout);
    return { do: 'nothing', isHeld: nextFor(update, rollout, at) === 'held' };
  },
);

/** The device as it is before its first command; skipped if it must not get one. */
async function prepared(rollout: Rollout, update: Update, at: Moment): Promise<Update> {
  const { device } = update;
  const found = await readDevice(device);
  if (found === undefined) return skipped(update, 'It was removed', at);
  if (found.firmware === rollout.firmware) return skipped(update, 'It has this firmware already', at);
  const holder = await claim(device, rollout.id);
  if (holder !== rollout.id) return skipped(update, `The rollout ${holder} has it`, at);
  return begun(update, found.firmware, found.health);
}

/** Stops the rollout as soon as more devices of the present wave have failed than may. */
async function stopIfTooMany(rollout: Rollout): Promise<void> {
  if (rollout.stage !== 'updating') return;
  const { id, wave } = rollout;
  const span = presentWave(rollout);
  const found = await listUpdates(id, span, ['failed', 'skipped']);
  const failed = found.filter(({ state }) => state === 'failed').length;
  const devices = span.to - span.from - (found.length - failed);
  await changeRollout(id, (current, at) =>
    current.wave === wave ? stopped(current, { failed, devices }, at) : current,
  );
}

/** The approval that a rollout waits for; absent when it does not. */
export const askForWave = activity(
  'AskForWave',
  async ({ id }: Reference): Promise<{ approval?: ApprovalRequest }> => {
    const rollout = await rolloutOf(id);
    return rollout.stage === 'approving' ? { approval: approvalWanted(rollout, operator()) } : {};
  },
);

/** Records how the approval of a wave has ended, if it has. */
export const noteWaveApproval = activity(
  'NoteWaveApproval',
  async ({
    id,
    approval,
    outcome,
  }: Reference & { approval: string; outcome: ApprovalOutcome }): Promise<{ waits: boolean }> => {
    const rollout = await changeRollout(id, (current, at) => approvalEnded(current, approval, outcome, at));
    return { waits: rollout.stage === 'approving' && approvalId(rollout) === approval };
  },
);

/** Ends a rollout, and notifies the person who asked for it. @returns its state */
export const concludeRollout = activity(
  'ConcludeRollout',
  async ({ id }: Reference, context): Promise<RolloutState> => {
    const rollout = await rolloutOf(id);
    if (isOver(rollout)) return stateOf(rollout);
    const outcome = rollout.ending?.outcome ?? 'completed';
    await report(rollout, outcome, 'It is over.', context);
    return stateOf(await changeRollout(id, concluded));
  },
);

async function report(
  { id, firmware, requestedBy, ending }: Rollout,
  what: 'rolling-back' | NonNullable<Rollout['ending']>['outcome'],
  text: string,
  context: InvocationContext,
): Promise<void> {
  await notify(
    {
      to: requestedBy,
      subject: `Firmware ${firmware}: the rollout is ${what}`,
      text: `${ending === undefined ? '' : `${ending.reason}. `}${text}`,
      about: `/api/rollouts/${id}`,
      key: `${id}-${what}`,
    },
    context,
  );
}
