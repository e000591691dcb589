import { isTextInput, type HistoryEvent } from '../history.js';
import { HTTP_ACTIVITY } from '../http/http-call.js';
import { jsonOrText } from './json.js';

export interface HistoryOptions {
  /** `showInput`: whether events have the field `Input`. */
  showInput: boolean;
  /** `showHistoryOutput` */
  showOutput: boolean;
  /** host.json's `storeInputsInOrchestrationHistory`: without it the inputs of scheduled tasks are null. */
  storeInputs: boolean;
}

/**
 * A history that the extension cannot show: a task id was scheduled twice, because the orchestrator's code
 * has changed.
 */
export class DuplicateKeyError extends Error {
  override name = 'DuplicateKeyError';
}

type Scheduling = Extract<HistoryEvent, { EventType: 'TaskScheduled' | 'SubOrchestrationInstanceCreated' }>;

/** Fields in the order of the output; values are JSON text. */
type Fields = [name: string, json: string][];

/**
 * A history as `showHistory` shows it: one event for a task that was scheduled and has ended, and no
 * episodes.
 *
 * @returns JSON text, an array
 * @throws DuplicateKeyError
 */
export function historyJson(events: readonly HistoryEvent[], options: HistoryOptions): string {
  const scheduled = new Map<string, Scheduling>();
  const ended = new Set<Scheduling>();
  for (const event of events) {
    if (event.EventType === 'TaskScheduled' || event.EventType === 'SubOrchestrationInstanceCreated') {
      const key = `${event.EventType}_${event.EventId}`;
      if (scheduled.has(key))
        throw new DuplicateKeyError(`An item with the same key has already been added. Key: ${key}`);
      scheduled.set(key, event);
    } else if ('TaskScheduledId' in event) {
      const start = scheduled.get(schedulingKey(event));
      if (start !== undefined) ended.add(start);
    }
  }
  const shown: string[] = [];
  for (const event of events) {
    const isScheduling =
      event.EventType === 'TaskScheduled' || event.EventType === 'SubOrchestrationInstanceCreated';
    if (
      event.EventType === 'OrchestratorStarted' ||
      event.EventType === 'OrchestratorCompleted' ||
      (isScheduling && ended.has(event))
    )
      continue;
    const start = 'TaskScheduledId' in event ? scheduled.get(schedulingKey(event)) : undefined;
    const fields: Fields = [['EventType', text(event.EventType)], ...own(event, options)];
    if (event.EventType === 'GenericEvent') fields.reverse();
    fields.push(['Timestamp', text(event.Timestamp)]);
    if (event.EventType === 'ExecutionStarted') fields.push(['FunctionName', text(event.Name)]);
    if (start !== undefined) {
      fields.push(
        ['ScheduledTime', text(start.Timestamp.replace(/Z$/, '+00:00'))],
        ['FunctionName', text(start.Name)],
        ...(start.EventType === 'TaskScheduled'
          ? []
          : ([['InstanceId', text(start.InstanceId)]] satisfies Fields)),
        ['Input', storedInput(start, options)],
      );
    }
    shown.push(object(options.showInput ? fields : fields.filter(([name]) => name !== 'Input')));
  }
  return `[${shown.join(',')}]`;
}

/** The fields of an event between its type and its time. */
function own(event: HistoryEvent, options: HistoryOptions): Fields {
  switch (event.EventType) {
    case 'ExecutionStarted':
      return [
        ['Input', text(event.Input)],
        ['Correlation', 'null'],
        ['ParentTraceContext', JSON.stringify(event.ParentTraceContext ?? null)],
        ['ScheduledStartTime', 'null'],
        ['Generation', String(event.Generation)],
        ['GenerateNewTrace', 'false'],
      ];
    case 'ExecutionCompleted':
      return [
        ['OrchestrationStatus', text(event.OrchestrationStatus)],
        ...result(event.Result, options),
        ['FailureDetails', JSON.stringify(event.FailureDetails ?? null)],
      ];
    case 'TaskScheduled':
      return [
        ['Name', text(event.Name)],
        ['Input', storedInput(event, options)],
        ['ParentTraceContext', JSON.stringify(event.ParentTraceContext ?? null)],
        ['Tags', 'null'],
      ];
    case 'SubOrchestrationInstanceCreated':
      return [
        ['Name', text(event.Name)],
        ['InstanceId', text(event.InstanceId)],
        ['Input', storedInput(event, options)],
        ['ClientSpanId', JSON.stringify(event.ClientSpanId ?? null)],
        ['Tags', 'null'],
      ];
    case 'TaskCompleted':
    case 'SubOrchestrationInstanceCompleted':
      return result(event.Result, options);
    case 'TaskFailed':
    case 'SubOrchestrationInstanceFailed':
      return [
        ['Reason', text(event.Reason)],
        ['Details', text(event.Details)],
        ['FailureDetails', JSON.stringify(event.FailureDetails)],
      ];
    case 'TimerCreated':
    case 'TimerFired':
      return [['FireAt', text(event.FireAt)]];
    case 'EventSent':
      return [
        ['InstanceId', text(event.InstanceId)],
        ['Name', text(event.Name)],
        ['Input', text(event.Input)],
      ];
    case 'EventRaised':
      return [
        ['Name', text(event.Name)],
        ['Input', text(event.Input)],
        ['ParentTraceContext', 'null'],
      ];
    case 'ExecutionTerminated':
      return [['Input', text(event.Input)]];
    case 'ExecutionSuspended':
    case 'ExecutionResumed':
      return [['Reason', text(event.Reason)]];
    case 'GenericEvent':
      return [['Data', text(event.Data)]];
    default:
      return [];
  }
}

function schedulingKey({
  EventType,
  TaskScheduledId,
}: Extract<HistoryEvent, { TaskScheduledId: number }>): string {
  return `${EventType.startsWith('Sub') ? 'SubOrchestrationInstanceCreated' : 'TaskScheduled'}_${TaskScheduledId}`;
}

function result(stored: string | null, { showOutput }: HistoryOptions): Fields {
  return showOutput ? [['Result', jsonOrText(stored)]] : [];
}

/** The framework records an activity's input as an array with one element; a text is encoded twice. */
function storedInput(event: Scheduling, { storeInputs }: HistoryOptions): string {
  if (!storeInputs) return 'null';
  if (event.EventType !== 'TaskScheduled') return text(event.Input);
  if (event.Name === HTTP_ACTIVITY) return text(event.Input!.replace('[{', `[{${HTTP_REQUEST_TYPE},`));
  return text(
    event.Input !== null && isTextInput(event.Input) ? JSON.stringify([event.Input]) : `[${event.Input}]`,
  );
}

const NAMESPACE = 'Microsoft.Azure.WebJobs.Extensions.DurableTask';
const HTTP_REQUEST_TYPE = `"$type":"${NAMESPACE}.DurableHttpRequest, ${NAMESPACE}"`;

function text(value: string | null): string {
  return JSON.stringify(value);
}

function object(fields: Fields): string {
  return `{${fields.map(([name, json]) => `"${name}":${json}`).join(',')}}`;
}
