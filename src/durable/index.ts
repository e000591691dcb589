/**
 * How orchestrators are written here: the SDK's own tasks, with the types of their results. Nothing is hidden: `context`
 * is the SDK's, and whatever it can do can be yielded beside these.
 */
export { activity, type Activity, type ActivityHandler } from './activity.js';
export { event, eventOrDeadline, raise, waitFor, type ExternalEvent, type Outcome } from './event.js';
export { find, orchestrator, start, type Orchestrator, type OrchestratorBody, type SubOrchestrationOptions } from './orchestrator.js';
export { persistently, retryPolicy, type RetryPolicy, type RetryPolicyOptions } from './retry.js';
export { all, any, typed, type TypedTask } from './task.js';
export { now, sleepUntil } from './time.js';
