/** One instance as the console shows it. */
import { isEntity } from '../durable/entities/entity-messages.js';
import type { HistoryEvent } from '../durable/history.js';
import type { InstanceRecord } from '../durable/task-hub.js';
import type { Host } from '../host.js';
import { decoded } from '../testing/decoded.js';
import { Problem } from './answers.js';
import type { Diagnostics } from './diagnostics.js';
import { entityView } from './entity-view.js';
import type { InstanceView } from './view.js';

/** The part of a history that a page has already. */
export interface Known {
  /** The {@link InstanceView.revision} of its events. */
  revision: string;
  events: number;
}

/** @throws Problem when there is no such instance */
export async function instanceView(
  host: Host,
  diagnostics: Diagnostics,
  instanceId: string,
  known: Known,
): Promise<InstanceView<HistoryEvent>> {
  const { engine } = host;
  const record = await recordOf(host, instanceId);
  const history = (await engine.getHistory(instanceId)) ?? [];
  const revision = revisionOf(record, history);
  const from = known.revision === revision && known.events <= history.length ? known.events : 0;
  const { waits, where } = await engine.inspection.waiting(instanceId);
  const entity = isEntity(instanceId) ? entityView(record) : undefined;
  return {
    instanceId,
    name: record.name,
    version: record.version,
    status: record.runtimeStatus,
    input: entity === undefined ? decoded(record.input) : null,
    output: record.runtimeStatus === 'Completed' ? decoded(record.output) : record.output,
    customStatus: decoded(record.customStatus),
    created: record.createdTime,
    updated: record.lastUpdatedTime,
    parent: record.parent?.OrchestrationInstance.InstanceId ?? null,
    revision,
    from,
    history: history.slice(from),
    waits,
    ...(where !== undefined && { where }),
    diagnostics: diagnostics.about(instanceId),
    ...(entity !== undefined && { entity }),
  };
}

/** @throws Problem when there is no such instance */
export async function recordOf({ engine }: Host, instanceId: string): Promise<InstanceRecord> {
  const record = await engine.getRecord(instanceId);
  if (record === undefined) throw new Problem(404, `There is no instance '${instanceId}'.`);
  return record;
}

function revisionOf({ executionId }: InstanceRecord, history: readonly HistoryEvent[]): string {
  const rewinds = history.filter(({ EventType }) => EventType === 'GenericEvent').length;
  return `${executionId}/${rewinds}`;
}
