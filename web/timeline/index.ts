/** The history of an orchestration instance as a timeline. It needs `timeline.css`, and has no code of an app. */
export { hasEnded, type HistoryEvent, type Instance } from './history.js';
export { layout, type Layout } from './layout.js';
export type { Kind, Row, State } from './row.js';
export { JsonView } from './json-view.js';
export { Timeline, type TimelineProps } from './timeline.js';
export { useWindow, type Window } from './use-window.js';
