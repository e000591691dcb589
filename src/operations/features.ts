import { purgeable as purgeableApprovals, supervised as approvals } from '../approvals/index.js';
import {
  purgeableAlerts,
  purgeableDevices,
  supervised as devices,
  supervisedAlerts,
} from '../devices/index.js';
import { supervised as dungeon } from '../dungeon/index.js';
import { purgeable as purgeableIngestions, supervised as ingestions } from '../ingestion/index.js';
import { purgeable as purgeableJobs, supervised as jobs } from '../jobs/index.js';
import { purgeable as purgeableDeliveries, supervised as deliveries } from '../notifications/index.js';
import { purgeableOrders, purgeableReceipts, supervisedOrders, supervisedReceipts } from '../orders/index.js';
import { purgeable as purgeableReminders, supervised as reminders } from '../reminders/index.js';
import { purgeable as purgeableRollouts, supervised as rollouts } from '../rollouts/index.js';
import type { Purgeable, Supervised } from '../supervision/index.js';

/** The features whose records the sweep supervises. */
export const features: readonly Supervised[] = [
  approvals,
  deliveries,
  devices,
  dungeon,
  ingestions,
  jobs,
  reminders,
  rollouts,
  supervisedAlerts,
  supervisedOrders,
  supervisedReceipts,
];

/** The features whose records are removed some time after they have ended. The dungeon removes its games itself. */
export const purged: readonly Purgeable[] = [
  purgeableApprovals,
  purgeableAlerts,
  purgeableDeliveries,
  purgeableDevices,
  purgeableIngestions,
  purgeableJobs,
  purgeableReminders,
  purgeableRollouts,
  purgeableOrders,
  purgeableReceipts,
];
