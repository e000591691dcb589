import type { ExecutionStarted, HistoryEvent } from '../history.js';
import { isFinished } from '../history.js';
import { isEntity } from '../entities/entity-messages.js';
import type { InstanceRecord } from '../task-hub.js';
import type { CommittedState } from './instance/committed-state.js';
import type { Instances } from './instances.js';
import type { Orchestrators } from './orchestrators.js';
import type { Reads } from './reads.js';
import type { Runtime } from './runtime.js';
import type { Wait } from './wait.js';

/** What {@link Inspection.waiting} finds. */
export interface Waiting {
  waits: Wait[];
  /** The place in the app's code, `src/orders.ts:12:3`. */
  where?: string;
}

/** A time at which an instance has something to do. `at`: milliseconds since the epoch. */
export interface DueInstance {
  instanceId: string;
  at: number;
}

/** What a developer looks at: what instances wait for, and when. */
export class Inspection {
  readonly #runtime: Runtime;
  readonly #instances: Instances;
  readonly #reads: Reads;
  readonly #orchestrators: Orchestrators;

  constructor(runtime: Runtime, instances: Instances, reads: Reads, orchestrators: Orchestrators) {
    this.#runtime = runtime;
    this.#instances = instances;
    this.#reads = reads;
    this.#orchestrators = orchestrators;
  }

  /** Calls `listener` with the id of each instance that is purged. @returns a function that ends that */
  onPurge(listener: (instanceId: string) => void): () => void {
    return this.#runtime.onPurge(listener);
  }

  /** Calls `listener` with an instance's record after each change. @returns a function that ends that */
  onChange(listener: (record: InstanceRecord) => void): () => void {
    return this.#runtime.onChange(listener);
  }

  /** The next times at which instances have something to do, the earliest first. */
  due(limit: number): DueInstance[] {
    const found: DueInstance[] = [...this.#instances.parked()];
    for (const { id, work } of this.#instances.all()) {
      const at = work.nextTimer;
      if (at !== undefined) found.push({ instanceId: id, at });
    }
    return found.toSorted((a, b) => a.at - b.at).slice(0, limit);
  }

  /**
   * What an orchestration waits for, and where. Its function runs once more for this, without effect. An
   * instance that has finished waits for nothing.
   */
  async waiting(instanceId: string): Promise<Waiting> {
    const record = await this.#reads.record(instanceId);
    if (record === undefined || isFinished(record.runtimeStatus) || isEntity(instanceId))
      return { waits: [] };
    const history = await this.#reads.history(instanceId);
    const execution = history?.find((event) => event.EventType === 'ExecutionStarted');
    if (history === undefined || execution === undefined) return { waits: [] };
    return this.#inspect(execution, history);
  }

  async #inspect(execution: ExecutionStarted, history: readonly HistoryEvent[]): Promise<Waiting> {
    const state = await this.#reads.state(execution.OrchestrationInstance.InstanceId);
    const { awaiting, timers, where } = await this.#orchestrators.inspect(execution, history);
    return {
      waits: [...awaiting.map((name): Wait => ({ kind: 'event', name })), ...openWaits(state, timers)],
      ...(where !== undefined && { where }),
    };
  }
}

/** @param timers when the orchestrator's own timers fire, in milliseconds since the epoch */
function openWaits({ calls, openTasks }: CommittedState, timers: readonly number[]): Wait[] {
  return [
    ...[...calls.values()].map(({ InstanceId }): Wait => ({ kind: 'entity', instanceId: InstanceId })),
    ...[...openTasks.values()].map((task): Wait => {
      if (task.EventType === 'TaskScheduled') return { kind: 'activity', name: task.Name };
      if (task.EventType === 'SubOrchestrationInstanceCreated')
        return { kind: 'subOrchestration', name: task.Name, instanceId: task.InstanceId };
      const at = Date.parse(task.FireAt);
      // The timer of a retry is not the orchestrator's own.
      const until = Math.min(...timers.filter((time) => time >= at));
      return {
        kind: 'timer',
        at: new Date(at).toISOString(),
        ...(until > at && until < Infinity && { until: new Date(until).toISOString() }),
      };
    }),
  ];
}
