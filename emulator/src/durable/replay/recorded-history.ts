import { blobsOf, isEventType, readEvent, readRow } from '../azure-storage/rows.js';
import type { HistoryEvent } from '../history.js';

/**
 * A history in any of these forms:
 * - the events that the test environment gives;
 * - the rows that a `<hub>History` table has for an instance, the emulator's or a real host's;
 * - the management API's answer to `GET instances/ID?showHistory=true&showHistoryOutput=true`. It has no task
 *   ids: the results of calls of one function that began at the same moment are assigned in their order.
 *
 * @example
 * ```ts
 * const history = JSON.parse(await readFile('test/histories/approved.json', 'utf8')) as RecordedHistory;
 * await app.replay(history);
 * ```
 */
export type RecordedHistory = readonly HistoryEvent[] | readonly HistoryRow[] | ShownHistory;

/**
 * A row of a `History` table: column values by name, or `{ type, value }` as the storage SDK reads them.
 *
 * @example
 * ```ts
 * const rows: HistoryRow[] = [];
 * for await (const row of table.listEntities({ queryOptions: { filter } })) rows.push(row);
 * await app.replay(rows);
 * ```
 */
export type HistoryRow = Readonly<Record<string, unknown>>;

/**
 * An instance's status with its history, as the management API shows it.
 *
 * @example
 * ```ts
 * const response = await fetch(`${statusQueryGetUri}&showHistory=true&showHistoryOutput=true`);
 * await app.replay((await response.json()) as ShownHistory);
 * ```
 */
export interface ShownHistory {
  instanceId: string;
  /** Absent for an instance without a version, and on a host that does not show versions. */
  version?: string | null;
  parentInstanceId?: string | null;
  historyEvents: readonly ShownEvent[];
}

/**
 * An event of a {@link ShownHistory}. Its further fields depend on its type.
 *
 * @example
 * ```ts
 * const event: ShownEvent = { EventType: 'TimerFired', Timestamp: '2026-03-01T08:00:00Z' };
 * ```
 */
export interface ShownEvent {
  readonly [field: string]: unknown;
  readonly EventType: string;
  readonly Timestamp: string;
}

/**
 * Data that is not a history, or not a whole one.
 *
 * @example
 * ```ts
 * await expect(app.replay([])).rejects.toThrow(UnreadableHistoryError);
 * ```
 */
export class UnreadableHistoryError extends Error {
  override name = 'UnreadableHistoryError';
}

/** The events of rows. @throws UnreadableHistoryError */
export function readRows(entities: readonly HistoryRow[]): HistoryEvent[] {
  // The sentinel and waiting messages are rows, too.
  return entities
    .map((entity) => readRow(entity))
    .filter(({ EventType }) => EventType !== undefined)
    .map((row) => {
      if (!isEventType(row['EventType']!))
        throw new UnreadableHistoryError(
          `There is a row of a kind that orchestrators do not have: ${row['EventType']}.`,
        );
      const [missing] = blobsOf(row).filter(([column]) => (row[column] ?? '') === '');
      if (missing !== undefined)
        throw new UnreadableHistoryError(
          `The ${missing[0]} of a ${row['EventType']} is in the blob '${missing[1]}': put its text, unzipped, into the row.`,
        );
      return readEvent(row);
    });
}
