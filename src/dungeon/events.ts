import { event } from '../durable/index.js';

/** The events that wake a game's workflows. What has happened, the record says. */
export const approvalTask = event<boolean>('ApprovalTask');
export const killMonster = event<null>('KillMonster');
export const gotTreasure = event<null>('GotTreasure');
