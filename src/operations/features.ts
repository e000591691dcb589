import { supervised as approvals } from '../approvals/index.js';
import { supervised as devices } from '../devices/index.js';
import { supervised as dungeon } from '../dungeon/index.js';
import { supervised as ingestions } from '../ingestion/index.js';
import { supervised as jobs } from '../jobs/index.js';
import { supervisedOrders, supervisedReceipts } from '../orders/index.js';
import { supervised as reminders } from '../reminders/index.js';
import { supervised as rollouts } from '../rollouts/index.js';
import type { Supervised } from '../supervision/index.js';

/** The features whose records the sweep supervises. */
export const features: readonly Supervised[] = [
  approvals,
  devices,
  dungeon,
  ingestions,
  jobs,
  reminders,
  rollouts,
  supervisedOrders,
  supervisedReceipts,
];
