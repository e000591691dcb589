/** Transactions on the partition of one instance in the History table. */
import type { TableClient, TableEntity, TransactionAction } from '@azure/data-tables';
import { statusOf } from '../../storage-errors.js';
import { CommitConflictError } from '../task-hub.js';
import { SENTINEL } from './keys.js';
import type { Columns } from './rows.js';

/** A transaction on one partition. */
export interface Write {
  events: readonly TableEntity[];
  /** Whether rows with these keys exist. */
  over: boolean;
  /** Keys of existing rows that are deleted. */
  removed: readonly string[];
  sentinel: Columns;
  mode: 'Merge' | 'Replace';
}

/**
 * The limits of one transaction. A quarter of the service's 4 MB is left for the sentinel and for deletions.
 */
export const MAX_OPERATIONS = 100;
const MAX_BYTES = 3 * 1024 * 1024;
/** The longest form of one character in JSON. */
const BYTES_PER_CHARACTER = 6;
/** The URL and headers of an operation, and its columns of fixed size. */
const BYTES_PER_OPERATION = 2048;

/**
 * Writes one transaction. It fails if another commit wrote the sentinel since `etag`.
 * @returns the sentinel's new ETag
 * @throws CommitConflictError
 */
export async function writeGuarded(
  table: TableClient,
  key: string,
  etag: string | undefined,
  { events, over, removed, sentinel, mode }: Write,
): Promise<string> {
  const entity = { partitionKey: key, rowKey: SENTINEL, ...sentinel };
  const submit = async (put: 'create' | 'upsert'): Promise<string> => {
    const { subResponses } = await table.submitTransaction([
      ...events.map((event): TransactionAction =>
        put === 'create' ? [put, event] : [put, event, 'Replace'],
      ),
      ...removed.map((rowKey): TransactionAction => ['delete', { partitionKey: key, rowKey }]),
      etag === undefined ? ['create', entity] : ['update', entity, mode, { etag }],
    ]);
    return subResponses.at(-1)!.etag!;
  };
  try {
    // Rows that a crash left behind are rare, and for Azurite an upsert takes up to three times as long as a
    // create.
    return over
      ? await submit('upsert')
      : await submit('create').catch((error: unknown) => {
          if (statusOf(error) !== 409 || events.length === 0) throw error;
          return submit('upsert');
        });
  } catch (error) {
    const status = statusOf(error);
    if (
      status === 409 ||
      status === 412 ||
      (status === 404 && (error as { code?: string }).code === 'ResourceNotFound')
    ) {
      throw new CommitConflictError(`Partition '${key}' was changed by another writer.`, { cause: error });
    }
    throw error;
  }
}

/**
 * Divides rows: those written ahead, and those in the transaction of the sentinel and the deletion of
 * `consumed` messages.
 */
export function inTransactions(
  rows: readonly Columns[],
  consumed: number,
): { ahead: Columns[][]; last: Columns[] } {
  const ahead: Columns[][] = [];
  let last: Columns[] = [];
  let bytes = 0;
  for (const row of rows) {
    const size =
      BYTES_PER_OPERATION +
      BYTES_PER_CHARACTER *
        Object.values(row).reduce<number>(
          (sum, cell) => sum + (typeof cell === 'string' ? cell.length : 0),
          0,
        );
    if (last.length === MAX_OPERATIONS - 1 || bytes + size > MAX_BYTES) {
      ahead.push(last);
      last = [];
      bytes = 0;
    }
    last.push(row);
    bytes += size;
  }
  if (last.length + consumed >= MAX_OPERATIONS) ahead.push(last.splice(0));
  return { ahead, last };
}
