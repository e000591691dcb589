/** Tests of whole apps: their HTTP functions, orchestrations and activities, on a clock that skips. */
export type { HistoryEvent } from './durable/history.js';
export {
  UnreadableHistoryError,
  type HistoryRow,
  type RecordedHistory,
  type ShownEvent,
  type ShownHistory,
} from './durable/replay/recorded-history.js';
export { HistoryMismatchError } from './durable/replay/replay.js';
export type { HttpAnswer, HttpCall } from './durable/http/http-call.js';
export {
  AppFailedError,
  NeverFinishesError,
  type ActivityCall,
  type Duration,
  type InstanceState,
  type RequestOptions,
  type TestAppOptions,
} from './testing/options.js';
export { TestApp } from './testing/test-app.js';
