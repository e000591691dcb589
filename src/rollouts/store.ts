import moment, { type Moment } from 'moment';
import { Refusal } from '../refusals/index.js';
import {
  insertIfAbsent,
  keyFor,
  keyForPerson,
  odata,
  queryRows,
  queue,
  readRow,
  recordStore,
  replaceIfUnchanged,
  table,
  transact,
  untilItWins,
  type Columns,
} from '../storage/index.js';
import {
  MOST_DEVICES,
  rolloutRecord,
  updateRecord,
  type Command,
  type Rollout,
  type Span,
  type Update,
  type UpdateState,
} from './model.js';
import { dueAt, isOver } from './rules.js';
import { planned as waiting, skipped } from './update-rules.js';

/** The list of all rollouts, newest first. */
export const ALL = 'all';

/** The list of the rollouts that a person has asked for, newest first. */
export function listOf(person: string): string {
  return `requested-by-${keyForPerson(person)}`;
}

/** The rollouts. */
export const rollouts = recordStore({
  table: 'Rollouts',
  schema: rolloutRecord,
  indexVersion: 2,
  indexes: ({ createdAt, requestedBy }) =>
    [ALL, listOf(requestedBy)].map((partition) => ({ partition, row: newestFirst(createdAt) })),
  dueAt,
  endedAt: (rollout) => (isOver(rollout) ? rollout.progressAt : undefined),
});

/** The rollout of that id. @throws Error when there is none */
export async function rolloutOf(id: string): Promise<Rollout> {
  return (await rollouts.read(id)) ?? unknown(id);
}

/** The rollout after a rule that never refuses. @throws Error when there is none of that id */
export async function changeRollout(
  id: string,
  rule: (rollout: Rollout, at: Moment) => Rollout,
): Promise<Rollout> {
  const result = await rollouts.change(id, (rollout) => rule(rollout, moment.utc()));
  return result === undefined || result instanceof Refusal ? unknown(id) : result.record;
}

/**
 * The devices of the rollouts. The partition is the rollout. The row is the device's place in its order, or a place after
 * all others for a device that it leaves out.
 */
const UPDATES = 'RolloutUpdates';

/** Reads the record of a device. @throws Error when there is none */
export async function readUpdate(rollout: string, index: number): Promise<Update> {
  const row = await readRow(await table(UPDATES), { partitionKey: rollout, rowKey: rowOf(index) });
  return row === undefined ? unknown(`${rollout} ${index}`) : decode(row.columns);
}

/**
 * Changes the record of a device by a rule, if there was no other change meanwhile; otherwise it calls the rule again.
 *
 * @returns the record, or the refusal of the rule; `undefined` when there is no such device
 */
export async function tryToChangeUpdate(
  rollout: string,
  index: number,
  rule: (update: Update) => Update | Refusal | Promise<Update | Refusal>,
): Promise<Update | Refusal | undefined> {
  const { result } = await untilItWins(`the device ${index} of ${rollout}`, async () => {
    const updates = await table(UPDATES);
    const row = await readRow(updates, { partitionKey: rollout, rowKey: rowOf(index) });
    if (row === undefined) return { result: undefined };
    const update = decode(row.columns);
    const next = await rule(update);
    if (next === update || next instanceof Refusal) return { result: next };
    return (await replaceIfUnchanged(updates, { ...row, columns: next })) ? { result: next } : undefined;
  });
  return result;
}

/** The record of a device after a rule that never refuses. @throws Error when there is none */
export async function changeUpdate(
  rollout: string,
  index: number,
  rule: (update: Update) => Update | Promise<Update>,
): Promise<Update> {
  const update = await tryToChangeUpdate(rollout, index, rule);
  return update === undefined || update instanceof Refusal ? unknown(`${rollout} ${index}`) : update;
}

/** The records of a wave, or only those in some states. */
export async function listUpdates(
  rollout: string,
  { from, to }: Span,
  states: readonly UpdateState[] = [],
): Promise<Update[]> {
  if (to === from) return [];
  const range = odata`PartitionKey eq ${rollout} and RowKey ge ${rowOf(from)} and RowKey lt ${rowOf(to)}`;
  const filter = [range, anyOf(states)].filter(Boolean).join(' and ');
  return (await queryRows(await table(UPDATES), filter, to - from)).map(({ columns }) => decode(columns));
}

/** A page of the records of a rollout, in its order; devices that it leaves out come last. */
export async function pageOfUpdates(
  rollout: string,
  range: { from: string; to: string; after?: string | undefined },
  options: { top: number; state?: UpdateState | undefined },
): Promise<{ updates: Update[]; continuation?: string }> {
  const { top, state } = options;
  const start = range.after === undefined ? odata`RowKey ge ${range.from}` : odata`RowKey gt ${range.after}`;
  const filter = [
    odata`PartitionKey eq ${rollout}`,
    start,
    odata`RowKey lt ${range.to}`,
    anyOf(state === undefined ? [] : [state]),
  ];
  const rows = await queryRows(await table(UPDATES), filter.filter(Boolean).join(' and '), top + 1);
  return {
    updates: rows.slice(0, top).map(({ columns }) => decode(columns)),
    ...(rows.length > top && { continuation: rows[top - 1]!.rowKey }),
  };
}

/** The range of rows of a rollout, or of one of its waves. */
export function rowsOf(span?: Span): { from: string; to: string } {
  return span === undefined ? { from: DEVICE, to: PART } : { from: rowOf(span.from), to: rowOf(span.to) };
}

/** A part of a plan: devices, those that it leaves out, and where it and the next part begin. */
export interface Part {
  /** Where the part begins: absent for the first one. */
  from?: string | undefined;
  /** Where the next one begins: absent for the last one. */
  to?: string | undefined;
  devices: Update[];
  left: { device: string; reason: string }[];
  /** How many devices are planned with this part. */
  planned: number;
}

/** The most devices of a part: with its own row, they are one transaction. */
export const PART_SIZE = 90;

/**
 * Writes a part of a plan, all or nothing. If an interrupted run has written it, that part counts, because devices may have
 * changed since.
 */
export async function writePart(
  rollout: string,
  { from = '', to, devices, left, planned }: Part,
  at: Moment,
): Promise<Pick<Part, 'planned' | 'to'>> {
  const updates = await table(UPDATES);
  const key = { partitionKey: rollout, rowKey: `${PART}${keyFor(from)}` };
  const rows = [
    { ...key, planned, ...(to !== undefined && { to }) },
    ...devices.map((update) => ({ ...update, partitionKey: rollout, rowKey: rowOf(update.index) })),
    ...left.map(({ device, reason }) => ({
      ...skipped(waiting(MOST_DEVICES, device), reason, at),
      partitionKey: rollout,
      rowKey: `${LEFT}${device}`,
    })),
  ];
  if (
    await transact(
      updates,
      rows.map((row) => ['create', row]),
    )
  ) {
    return { planned, to };
  }
  const found = await readRow(updates, key);
  if (found === undefined) throw new Error(`A part of the plan of ${rollout} could not be written`);
  const { planned: count, to: next } = found.columns;
  return { planned: Number(count), to: next === undefined ? undefined : String(next) };
}

/** Removes the plan of a rollout, and the records of its devices. */
export async function removeUpdates(rollout: string): Promise<void> {
  const updates = await table(UPDATES);
  for (;;) {
    const rows = await queryRows(updates, odata`PartitionKey eq ${rollout}`, 100);
    if (rows.length === 0) return;
    await transact(
      updates,
      rows.map(({ partitionKey, rowKey }) => ['delete', { partitionKey, rowKey }]),
    );
  }
}

/** Which rollout a device belongs to, so that two of them do not update it at once. */
const CLAIMS = 'RolloutClaims';

/**
 * Claims a device for a rollout, unless another one that is not over has it.
 *
 * @returns the id of the rollout that has it
 */
export async function claim(device: string, rollout: string): Promise<string> {
  return untilItWins(`the claim of ${device}`, async () => {
    const claims = await table(CLAIMS);
    const key = { partitionKey: device, rowKey: 'claim' };
    if (await insertIfAbsent(claims, key, { rollout })) return rollout;
    const row = await readRow(claims, key);
    if (row === undefined) return undefined;
    const holder = String(row.columns['rollout']);
    const other = holder === rollout ? undefined : await rollouts.read(holder);
    if (holder === rollout || (other !== undefined && !isOver(other))) return holder;
    return (await replaceIfUnchanged(claims, { ...row, columns: { rollout } })) ? rollout : undefined;
  });
}

/** Puts a command into the queue of a device. */
export async function post(device: string, command: Command): Promise<void> {
  // Base64 is what a queue trigger expects, and what devices decode.
  await (
    await queue(`device-${device}`)
  ).sendMessage(Buffer.from(JSON.stringify(command)).toString('base64'));
}

/** The starts of row keys: of devices, of devices that are left out, and of parts of the plan. */
const DEVICE = 'd';
const LEFT = 's';
const PART = 'z';

function rowOf(index: number): string {
  return `${DEVICE}${String(index).padStart(5, '0')}`;
}

function anyOf(states: readonly UpdateState[]): string {
  const each = states.map((state) => odata`state eq ${state}`);
  return each.length > 1 ? `(${each.join(' or ')})` : each.join('');
}

function decode(columns: Columns): Update {
  return updateRecord.parse(columns);
}

/** Orders times in an index, the latest first. */
function newestFirst(time: string): string {
  return String(Number.MAX_SAFE_INTEGER - moment.utc(time).valueOf()).padStart(16, '0');
}

function unknown(id: string): never {
  throw new Error(`There is no record ${id}`);
}
