import type { HistoryEvent } from '../history.js';
import { matches, type InstancePage, type InstanceQuery, type InstanceRecord } from '../task-hub.js';
import { CommittedState } from './instance/committed-state.js';
import type { Instances } from './instances.js';
import type { Projections } from './projections.js';
import type { Recovery } from './recovery.js';
import type { Runtime } from './runtime.js';

/** Reads instances, whether they are in memory or not. */
export class Reads {
  readonly #runtime: Runtime;
  readonly #instances: Instances;
  readonly #projections: Projections;
  readonly #recovery: Recovery;

  constructor(runtime: Runtime, instances: Instances, projections: Projections, recovery: Recovery) {
    this.#runtime = runtime;
    this.#instances = instances;
    this.#projections = projections;
    this.#recovery = recovery;
  }

  async record(instanceId: string): Promise<InstanceRecord | undefined> {
    await this.#recovery.scanned;
    if (this.#instances.find(instanceId) === undefined) {
      const resting = this.#instances.recordOf(instanceId);
      if (resting !== undefined) return resting;
      if (this.#instances.parkedUntil(instanceId) === undefined)
        return this.#runtime.hub.getRecord(instanceId);
    }
    const instance = this.#instances.get(instanceId);
    if (!instance.state.isLoaded) await instance.pumpUnlessSpinning();
    return instance.currentRecord;
  }

  async history(instanceId: string): Promise<readonly HistoryEvent[] | undefined> {
    if ((await this.record(instanceId)) === undefined) return undefined;
    const instance = this.#instances.find(instanceId);
    return instance?.state.isLoaded === true
      ? instance.state.history
      : (await this.#runtime.hub.load(instanceId, true)).history;
  }

  /** The committed state of an instance, which is loaded where it was not in memory. */
  async state(instanceId: string): Promise<CommittedState> {
    const loaded = this.#instances.find(instanceId)?.state;
    if (loaded?.isLoaded === true) return loaded;
    const state = new CommittedState();
    state.load(await this.#runtime.hub.load(instanceId, true));
    return state;
  }

  /** The tasks and events that an instance in memory waits for, in words. */
  waitsFor(instanceId: string): string[] {
    const state = this.#instances.find(instanceId)?.state;
    if (state === undefined) return [];
    return [
      ...state.awaiting.map((name) => `the event '${name}'`),
      ...[...state.calls.values()].map(({ InstanceId }) => `the entity '${InstanceId}'`),
      ...[...state.openTasks.values()].map((task) =>
        task.EventType === 'TimerCreated'
          ? `a timer that fires at ${task.FireAt}`
          : task.EventType === 'TaskScheduled'
            ? `the activity '${task.Name}'`
            : `the sub-orchestration '${task.Name}' (${task.InstanceId})`,
      ),
    ];
  }

  /** A page of instances. Those whose first episode is not over yet are among them. */
  async query(query: InstanceQuery): Promise<InstancePage> {
    await this.#recovery.scanned;
    const starting = [...this.#instances.all()].filter(
      ({ state, inbox }) => state.record === undefined && inbox.hasEvents,
    );
    await Promise.all(starting.map((instance) => instance.pumpUnlessSpinning()));
    await this.#projections.flush();
    const page = await this.#runtime.hub.query(query);
    // An orchestrator that continues as new for ever has no record: its first episode never ends.
    const pending = starting.flatMap(({ state, currentRecord }) =>
      state.record === undefined && currentRecord !== undefined ? [currentRecord] : [],
    );
    return pending.length === 0 ? page : withPending(page, pending, query);
  }
}

/** Adds records that the hub does not have to a page of its records. */
function withPending(page: InstancePage, pending: InstanceRecord[], query: InstanceQuery): InstancePage {
  const { from, top } = query;
  const added = pending.filter(
    (record) =>
      matches(record, query) &&
      (from === undefined || record.instanceId >= from) &&
      (page.next === undefined || record.instanceId < page.next) &&
      !page.records.some(({ instanceId }) => instanceId === record.instanceId),
  );
  if (added.length === 0) return page;
  const records = [...page.records, ...added].toSorted((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
  const next = records[top]?.instanceId ?? page.next;
  return { records: records.slice(0, top), ...(next !== undefined && { next }) };
}
