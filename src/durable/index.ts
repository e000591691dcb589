/**
 * Typed activities, entities, events and timers for orchestrators. They use the SDK's own tasks and
 * `context`, all of which stay usable.
 */
export {
  activity,
  clientActivity,
  type Activity,
  type ActivityHandler,
  type ClientActivityHandler,
} from './activity.js';
export { allRetried } from './all-retried.js';
export {
  ensureRunning,
  find,
  isFinished,
  isHubUnavailable,
  raise,
  removeInstance,
  type Ensured,
} from './client.js';
export { entity, type Entity, type Operation } from './entity.js';
export { event, eventOrDeadline, waitFor, type ExternalEvent, type WaitResult } from './event.js';
export { orchestrator, type Orchestrator, type SubOrchestrationOptions } from './orchestrator.js';
export { forSideEffects, retryPolicy, type RetryPolicy, type RetryPolicyOptions } from './retry.js';
export { all, any, typed, type TypedTask } from './task.js';
export { now, sleepUntil } from './time.js';
export { sinceVersion } from './version.js';
