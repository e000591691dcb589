/** One instance as the console shows it. */
import { isEntity } from '../durable/entities/entity-messages.js';
import { entityView, type EntityView } from '../durable/entities/entity-view.js';
import type { Wait } from '../durable/engine/inspection.js';
import type { HistoryEvent } from '../durable/history.js';
import type { InstanceRecord } from '../durable/task-hub.js';
import type { Host } from '../host.js';
import { decoded } from '../testing/decoded.js';
import { Problem } from './answers.js';
import type { Diagnostic, Diagnostics } from './diagnostics.js';

/** The part of a history that a page has already. */
export interface Known {
  /** The {@link InstanceView.revision} of its events. */
  revision: string;
  events: number;
}

export interface InstanceView {
  instanceId: string;
  name: string;
  version: string | null;
  status: string;
  input: unknown;
  output: unknown;
  customStatus: unknown;
  /** ISO 8601. */
  created: string;
  updated: string;
  parent: string | null;
  /** It changes when a history is replaced: by continue-as-new, a rewind, or another start. */
  revision: string;
  /** The number of events that the answer leaves out, because the page has them. */
  from: number;
  history: readonly HistoryEvent[];
  /** For an orchestration that runs: what it waits for, and where in the app's code. */
  waits: Wait[];
  where?: string;
  diagnostics: Diagnostic[];
  entity?: EntityView;
}

/** @throws Problem when there is no such instance */
export async function instanceView(
  host: Host,
  diagnostics: Diagnostics,
  instanceId: string,
  known: Known,
): Promise<InstanceView> {
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
