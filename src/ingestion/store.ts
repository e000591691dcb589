import { keyForPerson, newestFirst, recordStore } from '../storage/index.js';
import { ingestionRecord } from './model.js';
import { dueAt, overSince } from './rules.js';

/** The list of all ingestions that callers see, newest first. */
export const ALL = 'all';

/** The list of the ingestions that a person has started, newest first. */
export function listOf(person: string): string {
  return `requested-by-${keyForPerson(person)}`;
}

/** The ingestions. */
export const ingestions = recordStore({
  table: 'Ingestions',
  schema: ingestionRecord,
  indexVersion: 2,
  indexes: ({ state, startedAt, requestedBy }) =>
    state === 'removed'
      ? []
      : [ALL, ...(requestedBy === undefined ? [] : [listOf(requestedBy)])].map((partition) => ({
          partition,
          row: newestFirst(startedAt),
        })),
  dueAt,
  endedAt: overSince,
});
