import { recordStore } from '../storage/index.js';
import { remindersRecord } from './model.js';
import { dueAt } from './rules.js';

/** All reminders. */
export const reminders = recordStore({
  table: 'Reminders',
  schema: remindersRecord,
  rowKey: 'reminders',
  indexVersion: 2,
  dueAt,
  endedAt: ({ endedAt }) => endedAt,
});
