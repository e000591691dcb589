import type { Row } from './row.js';

/** The host may fire a timer up to a second early. */
const EARLY = 1000;
/** The timer of a retry is created soon after the failure: the orchestrator only has to run once between. */
const SOON = 60_000;

/**
 * Numbers the attempts of calls that were retried. A history does not link them. A retry is a failed call, then a
 * timer, then a call of the same function when that timer has fired; an orchestrator may also do so by hand.
 *
 * @param rows the steps of one instance, ordered by their start; changed here
 */
export function markAttempts(rows: Row[]): Row[] {
  const timers = rows.filter(({ kind, state }) => kind === 'timer' && state === 'completed');
  /** Failed calls by kind and name, each with the time from which its retry may start. */
  const failures = new Map<string, { row: Row; from: number }[]>();
  const failed = rows
    .filter(({ kind, state }) => isCall(kind) && state === 'failed')
    .toSorted((a, b) => a.end - b.end);
  // Failures and timers are ordered by time, and an orchestrator creates the timers in the order of the failures.
  let next = 0;
  for (const row of failed) {
    while (next < timers.length && timers[next]!.start < row.end) next += 1;
    const timer = timers[next];
    if (timer === undefined || timer.start > row.end + SOON) continue;
    next += 1;
    const key = nameOf(row);
    failures.set(key, [...(failures.get(key) ?? []), { row, from: (timer.fireAt ?? timer.end) - EARLY }]);
  }
  for (const row of rows) {
    if (!isCall(row.kind)) continue;
    const waiting = failures.get(nameOf(row));
    const index = waiting?.findIndex(({ row: earlier, from }) => earlier !== row && from <= row.start) ?? -1;
    const [previous] = index < 0 ? [] : waiting!.splice(index, 1);
    if (previous === undefined) continue;
    previous.row.attempt ??= 1;
    row.attempt = previous.row.attempt + 1;
  }
  return rows;
}

function isCall(kind: Row['kind']): boolean {
  return kind === 'activity' || kind === 'sub-orchestration';
}

function nameOf({ kind, label }: Row): string {
  return `${kind} ${label}`;
}
