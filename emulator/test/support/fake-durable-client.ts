import type { DurableClient, RequestResult, StartRequest } from '../../src/durable/client.js';
import {
  InstanceExistsError,
  InvalidStateError,
  missingFunction,
  UnknownFunctionError,
} from '../../src/durable/client.js';
import { entityInstanceId, isEntity, type EntityId } from '../../src/durable/entities/entity-messages.js';
import type { HistoryEvent, RuntimeStatus } from '../../src/durable/history.js';
import { isFinished } from '../../src/durable/history.js';
import type { InstancePage, InstanceQuery, InstanceRecord } from '../../src/durable/task-hub.js';

/** Instances that do not run. They change only by requests. */
export class FakeDurableClient implements DurableClient {
  readonly taskHubName = 'OracleHub';
  readonly records = new Map<string, InstanceRecord>();
  readonly histories = new Map<string, HistoryEvent[]>();
  readonly events: { instanceId: string; name: string; input: string | null }[] = [];
  readonly purges: Parameters<DurableClient['purgeBy']>[0][] = [];
  /** Called with each start. */
  onStart: (record: InstanceRecord) => void = () => {};

  add(record: Partial<InstanceRecord> & { instanceId: string }): InstanceRecord {
    const whole: InstanceRecord = {
      executionId: 'e0',
      name: 'waiter',
      version: null,
      runtimeStatus: 'Running',
      input: '""',
      output: null,
      customStatus: null,
      createdTime: '2026-11-21T00:29:31.3051454Z',
      lastUpdatedTime: '2026-11-21T00:29:32.5Z',
      completedTime: null,
      parent: null,
      ...record,
    };
    this.records.set(whole.instanceId, whole);
    return whole;
  }

  async startInstance({ name, instanceId, input, version, known }: StartRequest): Promise<string> {
    if (known === true && name !== 'waiter')
      throw new UnknownFunctionError(missingFunction('orchestrator', name, ['waiter'], 1));
    const existing = instanceId === undefined ? undefined : this.records.get(instanceId);
    if (existing !== undefined && !isFinished(existing.runtimeStatus))
      throw new InstanceExistsError(existing.runtimeStatus);
    const record = this.add({
      instanceId: instanceId ?? crypto.randomUUID().replaceAll('-', ''),
      name,
      input,
      version: version ?? null,
      runtimeStatus: 'Pending',
    });
    this.onStart(record);
    return record.instanceId;
  }

  async getRecord(instanceId: string): Promise<InstanceRecord | undefined> {
    return this.records.get(instanceId);
  }

  async getHistory(instanceId: string): Promise<HistoryEvent[] | undefined> {
    return this.histories.get(instanceId);
  }

  async query({
    instanceIdPrefix = '',
    createdTimeFrom = -Infinity,
    createdTimeTo = Infinity,
    runtimeStatus = [],
    top,
    from = '',
  }: InstanceQuery): Promise<InstancePage> {
    const found = [...this.records.values()].filter(
      (record) =>
        record.instanceId.startsWith(instanceIdPrefix) &&
        record.instanceId >= from &&
        Date.parse(record.createdTime) >= createdTimeFrom &&
        Date.parse(record.createdTime) <= createdTimeTo &&
        (runtimeStatus.length === 0 || runtimeStatus.includes(record.runtimeStatus)),
    );
    const ordered = found.toSorted((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
    const next = ordered[top]?.instanceId;
    return { records: ordered.slice(0, top), ...(next !== undefined && { next }) };
  }

  async raiseEvent(instanceId: string, name: string, input: string | null): Promise<RequestResult> {
    return this.#tell(instanceId, () => {
      this.events.push({ instanceId, name, input });
    });
  }

  async terminate(instanceId: string, reason: string | null): Promise<RequestResult> {
    return this.#tell(instanceId, (record) => {
      this.#change(record, 'Terminated', reason);
    });
  }

  async suspend(instanceId: string, reason: string | null): Promise<RequestResult> {
    return this.#tell(instanceId, (record) => {
      if (record.runtimeStatus === 'Suspended') {
        throw new InvalidStateError(
          `Cannot suspend the orchestration instance ${instanceId} because instance is in the Suspended state.`,
        );
      }
      this.#change(record, 'Suspended', reason);
    });
  }

  async resume(instanceId: string): Promise<RequestResult> {
    return this.#tell(instanceId, (record) => {
      this.#change(record, 'Running', null);
    });
  }

  async rewind(instanceId: string): Promise<RequestResult> {
    const record = this.records.get(instanceId);
    if (record === undefined) return 'notFound';
    if (record.runtimeStatus !== 'Failed') return 'gone';
    this.records.set(instanceId, { ...record, runtimeStatus: 'Pending' });
    return 'accepted';
  }

  async signalEntity({ name, key }: EntityId, operation: string, input: string | null): Promise<void> {
    if (name.toLowerCase() !== 'counter')
      throw new UnknownFunctionError(missingFunction('entity', name, ['counter'], 1));
    this.events.push({ instanceId: entityInstanceId({ name, key }), name: operation, input });
  }

  async purge(instanceId: string): Promise<'purged' | 'notFound' | 'live'> {
    const record = this.records.get(instanceId);
    if (record === undefined) return 'notFound';
    if (!isFinished(record.runtimeStatus) && !isEntity(instanceId)) return 'live';
    this.records.delete(instanceId);
    return 'purged';
  }

  async purgeBy(filter: Parameters<DurableClient['purgeBy']>[0]): Promise<number> {
    this.purges.push(filter);
    const { records } = await this.query({ ...filter, top: Infinity });
    const finished = records.filter(({ runtimeStatus }) => isFinished(runtimeStatus));
    for (const { instanceId } of finished) this.records.delete(instanceId);
    return finished.length;
  }

  #tell(instanceId: string, change: (record: InstanceRecord) => void): RequestResult {
    const record = this.records.get(instanceId);
    if (record === undefined) return 'notFound';
    if (isFinished(record.runtimeStatus)) return 'gone';
    change(record);
    return 'accepted';
  }

  #change(record: InstanceRecord, runtimeStatus: RuntimeStatus, output: string | null): void {
    this.records.set(record.instanceId, { ...record, runtimeStatus, output });
  }
}
