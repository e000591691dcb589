import type { InstanceRecord } from '../durable/task-hub.js';
import type { InstanceState } from './options.js';

/** An instance's record as a test sees it. */
export function instanceState(record: InstanceRecord): InstanceState {
  return {
    name: record.name,
    instanceId: record.instanceId,
    runtimeStatus: record.runtimeStatus,
    input: decoded(record.input),
    output: record.runtimeStatus === 'Completed' ? decoded(record.output) : record.output,
    customStatus: decoded(record.customStatus),
    createdTime: new Date(record.createdTime),
    lastUpdatedTime: new Date(record.lastUpdatedTime),
  };
}

/** The value of a JSON text, or the text itself when it is not JSON. */
export function decoded(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
