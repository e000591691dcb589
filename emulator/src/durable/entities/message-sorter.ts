/**
 * The labels by which production puts the messages from one sender to one entity in order again. Here they arrive in
 * order, and what comes twice is known by its id; the labels are kept because an entity's status shows them.
 */
import { NEVER, type EntityRequest } from './entity-messages.js';
import type { Timestamp } from '../history.js';

/** As the extension stores it with an entity. */
export interface MessageSorter {
  LastSentToInstance?: Record<string, Timestamp>;
  ReceivedFromInstance?: Record<string, { Last: Timestamp; ExecutionId?: string }>;
  ReceiveHorizon?: Timestamp;
  SendHorizon?: Timestamp;
}

/** `entityMessageReorderWindowInMinutes`, its default, in milliseconds. */
const WINDOW = 30 * 60_000;
const BETWEEN_COLLECTIONS = 10_000;
/** Nothing depends on the labels here, so an entity that hears from very many does not carry them all along. */
const MAX_SENDERS = 200;

/** The labels of the next message to a target, when the last one before it had the Timestamp `last`. */
export function label(
  now: Timestamp,
  last: Timestamp | undefined,
): Pick<EntityRequest, 'Timestamp' | 'Predecessor'> {
  if (last === undefined) return { Timestamp: now, Predecessor: NEVER };
  return { Timestamp: digits(now) > digits(last) ? now : nextTick(last), Predecessor: last };
}

/** Labels what an entity sends. */
export function labelSent(
  sorter: MessageSorter,
  to: string,
  now: Timestamp,
): Pick<EntityRequest, 'Timestamp' | 'Predecessor'> {
  if (isPast(sorter.SendHorizon, now)) {
    sorter.SendHorizon = before(now);
    forget(sorter.LastSentToInstance, (last) => digits(last) < digits(sorter.SendHorizon!));
  }
  const sent = (sorter.LastSentToInstance ??= {});
  const labels = label(now, sent[to]);
  sent[to] = labels.Timestamp;
  return labels;
}

/** Notes a request that has come. */
export function noteReceived(
  sorter: MessageSorter,
  { parent, parentExecution, Timestamp: sent, pos }: EntityRequest,
): void {
  if (parent === undefined || pos !== undefined) return;
  if (isPast(sorter.ReceiveHorizon, sent)) {
    sorter.ReceiveHorizon = before(sent);
    forget(sorter.ReceivedFromInstance, ({ Last }) => digits(Last) < digits(sorter.ReceiveHorizon!));
  }
  const received = (sorter.ReceivedFromInstance ??= {});
  received[parent] = { Last: sent, ...(parentExecution !== undefined && { ExecutionId: parentExecution }) };
  const senders = Object.keys(received);
  if (senders.length > MAX_SENDERS) delete received[senders[0]!];
}

function forget<T>(entries: Record<string, T> | undefined, isOld: (entry: T) => boolean): void {
  for (const [name, entry] of Object.entries(entries ?? {})) if (isOld(entry)) delete entries![name];
}

function isPast(horizon: Timestamp | undefined, now: Timestamp): boolean {
  return horizon === undefined || milliseconds(horizon) + WINDOW + BETWEEN_COLLECTIONS < milliseconds(now);
}

/** The start of the window that ends at `time`. */
function before(time: Timestamp): Timestamp {
  const [seconds] = time.split(/[.Z]/);
  return new Date(milliseconds(`${seconds}Z`) - WINDOW).toISOString().slice(0, 19) + time.slice(19);
}

/** A ten-millionth of a second later, written as .NET writes a time whose zone it has lost. */
function nextTick(time: Timestamp): Timestamp {
  const [seconds = '', fraction = ''] = digits(time).split('.');
  const tick = Number(fraction) + 1;
  if (tick < 10_000_000) return `${seconds}.${String(tick).padStart(7, '0').replace(/0+$/, '')}`;
  return new Date(milliseconds(`${seconds}Z`) + 1000).toISOString().slice(0, 19);
}

/** A time with all seven digits and no zone, to be compared as text. */
function digits(time: Timestamp): string {
  const [seconds, fraction = ''] = time.replace('Z', '').split('.');
  return `${seconds}.${fraction.padEnd(7, '0')}`;
}

function milliseconds(time: Timestamp): number {
  return Date.parse(time.endsWith('Z') ? time : `${time}Z`);
}
