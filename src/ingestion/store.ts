import { newestFirst, recordStore } from '../storage/index.js';
import { ingestionRecord } from './model.js';
import { dueAt, overSince } from './rules.js';

/** The list of all ingestions that callers see, newest first. */
export const ALL = 'all';

/** The ingestions. */
export const ingestions = recordStore({
  table: 'Ingestions',
  schema: ingestionRecord,
  indexVersion: 2,
  indexes: ({ state, startedAt }) =>
    state === 'removed' ? [] : [{ partition: ALL, row: newestFirst(startedAt) }],
  dueAt,
  endedAt: overSince,
});
