/** The record of an instance on its sentinel row, which leaves out texts that are in the history as well. */
import { isFinished, type HistoryEvent, type JsonText } from '../history.js';
import { outputOf } from '../episode/results.js';
import type { InstanceRecord } from '../task-hub.js';
import { readRecord, recordColumns, type Columns, type Row } from './rows.js';

/**
 * The columns of a record without texts that the history has, so that a commit does not write a long input
 * again.
 */
export function sentinelColumns(
  record: InstanceRecord,
  input: JsonText,
  append: readonly HistoryEvent[],
): Columns {
  const columns = recordColumns(record);
  if (record.input === input) delete columns['Input'];
  if (isFinished(record.runtimeStatus) && record.output === endOf(append)) delete columns['Output'];
  return columns;
}

export function recordOf(
  sentinel: Row,
  instanceId: string,
  history: readonly HistoryEvent[],
): InstanceRecord {
  const record = readRecord(sentinel, instanceId);
  record.input ??= inputOf(history) ?? null;
  if (isFinished(record.runtimeStatus)) record.output ??= endOf(history) ?? null;
  return record;
}

export function inputOf(history: readonly HistoryEvent[]): JsonText {
  return history.find((event) => event.EventType === 'ExecutionStarted')?.Input ?? null;
}

function endOf(history: readonly HistoryEvent[]): string | null | undefined {
  const completed = history.findLast((event) => event.EventType === 'ExecutionCompleted');
  return completed && outputOf(completed);
}
