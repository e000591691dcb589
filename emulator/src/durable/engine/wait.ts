/** Something that an instance waits for. Times are ISO 8601, UTC. */
export type Wait =
  | { kind: 'event'; name: string }
  /** `until`: when the orchestrator goes on, if a long timer is made in hops and this is not the last one. */
  | { kind: 'timer'; at: string; until?: string }
  | { kind: 'activity'; name: string }
  | { kind: 'subOrchestration'; name: string; instanceId: string }
  | { kind: 'entity'; instanceId: string };
