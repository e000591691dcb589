import { jsonOrText } from './json.js';
import type { InstanceRecord } from '../task-hub.js';

/**
 * The status of an instance, with keys in the real host's order.
 *
 * @param historyEvents JSON text, if the caller requested the history
 * @returns JSON text
 */
export function statusJson(
  record: InstanceRecord,
  { showInput, historyEvents }: { showInput: boolean; historyEvents?: string | undefined },
): string {
  const fields = [
    `"name":${JSON.stringify(record.name)}`,
    ...(record.version ? [`"version":${JSON.stringify(record.version)}`] : []),
    `"instanceId":${JSON.stringify(record.instanceId)}`,
    ...(record.parent === null
      ? []
      : [`"parentInstanceId":${JSON.stringify(record.parent.OrchestrationInstance.InstanceId)}`]),
    `"runtimeStatus":"${record.runtimeStatus}"`,
    `"input":${showInput ? jsonOrText(record.input) : 'null'}`,
    `"customStatus":${jsonOrText(record.customStatus)}`,
    `"output":${jsonOrText(record.output)}`,
    `"createdTime":"${seconds(record.createdTime)}"`,
    `"lastUpdatedTime":"${seconds(record.lastUpdatedTime)}"`,
  ];
  if (historyEvents !== undefined) fields.push(`"historyEvents":${historyEvents}`);
  return `{${fields.join(',')}}`;
}

function seconds(time: string): string {
  return `${time.slice(0, 19)}Z`;
}
