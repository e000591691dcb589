import type { HttpRequest } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import {
  approvalOrchestrator,
  approvalSimulation,
  startApproval,
  startSimulation,
} from '../approvals/index.js';
import { runUserParallel, startGame } from '../dungeon/index.js';
import { reminderOrchestrator, startReminders } from '../reminders/index.js';

/**
 * A feature's function to start its orchestrator, which its own POST uses too: it checks the request, writes
 * the record and returns the instance id.
 */
type Start = (client: DurableClient, request: HttpRequest, body: unknown) => Promise<{ id: string }>;

/** The orchestrators that may be started by name. */
export const startable: ReadonlyMap<string, Start> = new Map<string, Start>([
  [approvalSimulation.orchestratorName, startSimulation],
  [approvalOrchestrator.orchestratorName, startApproval],
  [reminderOrchestrator.orchestratorName, startReminders],
  [runUserParallel.orchestratorName, startGame],
]);
