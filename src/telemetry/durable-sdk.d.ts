/** The SDK's own names for what goes between it and the host. Its types do not include them. */
declare module 'durable-functions/lib/src/history/HistoryEventType.js' {
  export enum HistoryEventType {
    ExecutionStarted,
    OrchestratorStarted,
  }
}
declare module 'durable-functions/lib/src/actions/ActionType.js' {
  export enum ActionType {
    ContinueAsNew,
    CreateTimer,
    WaitForExternalEvent,
  }
}
