import { nameOf } from './actions.js';
import type { TaskSlot } from './episode.js';
import type { Replayed } from './non-determinism.js';

/** Describes the task with a task id, in the framework's words. */
export function replayed({ role, action }: TaskSlot): Replayed {
  if (role !== 'call' || action.kind === 'timer')
    return { action: 'CreateTimerOrchestratorAction', name: '' };
  const name = nameOf(action);
  switch (action.kind) {
    case 'subOrchestration':
      return { action: 'CreateSubOrchestrationAction', name };
    case 'operation':
    case 'lock':
    case 'release':
      return { action: 'SendEventOrchestratorAction', name };
    default:
      return { action: 'ScheduleTaskOrchestratorAction', name };
  }
}
