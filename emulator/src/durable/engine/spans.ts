/**
 * The spans of the Durable extension, by the names and with the parents that its DurableTask.Core gives them: to start an orchestration
 * (producer), the orchestration over all its episodes (server), an activity or a sub-orchestration as its caller sees it (client), an
 * activity as it runs (server), a timer. An instance carries its place in the trace in its history, and so goes on in it after a restart.
 */
import type { Span } from '../../tracing/otlp.js';
import { childOf, newSpanId, spanIdOf } from '../../tracing/trace-context.js';
import type { TraceContext } from '../../tracing/trace-context.js';
import type { OpenSpan, Tracing } from '../../tracing/tracing.js';
import type {
  DistributedTraceContext,
  ExecutionCompleted,
  ExecutionStarted,
  HistoryEvent,
  SubOrchestrationInstanceCreated,
  TaskScheduled,
} from '../history.js';
import { timestamp } from '../history.js';

const SCOPE = 'DurableTask.Core';

/** What an episode was given: what had happened before, and what is new. */
interface Episode {
  history: readonly HistoryEvent[];
  inbound: readonly HistoryEvent[];
}

export class OrchestrationSpans {
  readonly #tracing: Tracing;

  constructor(tracing: Tracing) {
    this.#tracing = tracing;
  }

  /** A client starts an orchestration, in its trace if it has one. */
  started(event: ExecutionStarted, parent: TraceContext | undefined): void {
    const { InstanceId, ExecutionId } = event.OrchestrationInstance;
    const span = this.#tracing.begin({
      name: `create_orchestration:${event.Name}`,
      kind: 'producer',
      scope: SCOPE,
      parent,
      attributes: {
        ...attributes('orchestration', event.Name, InstanceId),
        'durabletask.task.execution_id': ExecutionId,
      },
    });
    span.end();
    event.ParentTraceContext = this.#orchestration(span.context);
  }

  /** An execution is continued as new by the `next`: below the same caller, with a span of its own. */
  continued(execution: ExecutionStarted, episode: Episode, next: ExecutionStarted): void {
    this.ended(execution, episode, 'ContinuedAsNew');
    if (execution.ParentTraceContext !== undefined)
      next.ParentTraceContext = this.#orchestration(parentOf(execution.ParentTraceContext));
  }

  /** Notes on what an episode has scheduled where that will belong. */
  scheduled(
    execution: ExecutionStarted,
    activities: readonly TaskScheduled[],
    children: readonly SubOrchestrationInstanceCreated[],
  ): void {
    const within = orchestrationOf(execution);
    if (within === undefined) return;
    for (const task of activities) {
      const { traceParent, traceState } = childOf(within);
      task.ParentTraceContext = {
        TraceParent: traceParent,
        TraceState: traceState,
        Id: null,
        SpanId: null,
        ActivityStartTime: null,
      };
    }
    for (const child of children) child.ClientSpanId = newSpanId();
  }

  /** A sub-orchestration is sent off by its parent. */
  sent(
    parent: ExecutionStarted | undefined,
    { ClientSpanId }: SubOrchestrationInstanceCreated,
    child: ExecutionStarted,
  ): void {
    const within = parent === undefined ? undefined : orchestrationOf(parent);
    if (within !== undefined && ClientSpanId)
      child.ParentTraceContext = this.#orchestration(childOf(within, ClientSpanId));
  }

  /** Tells of what has ended with an episode: what it heard the end of, and the orchestration itself if it has a status now. */
  ended(
    execution: ExecutionStarted,
    { history, inbound }: Episode,
    status: ExecutionCompleted['OrchestrationStatus'] | undefined,
  ): void {
    const within = orchestrationOf(execution);
    if (within === undefined) return;
    const { InstanceId } = execution.OrchestrationInstance;
    const call = (type: string, name: string, context: TraceContext, at: string, failed: boolean): void =>
      this.#tracing.record({
        name: `${type}:${name}`,
        kind: 'client',
        scope: SCOPE,
        parent: within,
        context,
        start: Date.parse(at),
        failed,
        attributes: attributes(type, name, InstanceId),
      });
    for (const event of inbound) {
      switch (event.EventType) {
        case 'TaskCompleted':
        case 'TaskFailed': {
          const task = history.findLast(
            (past) => past.EventType === 'TaskScheduled' && past.EventId === event.TaskScheduledId,
          ) as TaskScheduled | undefined;
          const context = contextOf(task?.ParentTraceContext);
          if (task !== undefined && context !== undefined)
            call('activity', task.Name, context, task.Timestamp, event.EventType === 'TaskFailed');
          break;
        }
        case 'SubOrchestrationInstanceCompleted':
        case 'SubOrchestrationInstanceFailed': {
          const child = history.findLast(
            (past) =>
              past.EventType === 'SubOrchestrationInstanceCreated' && past.EventId === event.TaskScheduledId,
          ) as SubOrchestrationInstanceCreated | undefined;
          if (child?.ClientSpanId) {
            call(
              'orchestration',
              child.Name,
              childOf(within, child.ClientSpanId),
              child.Timestamp,
              event.EventType === 'SubOrchestrationInstanceFailed',
            );
          }
          break;
        }
        case 'TimerFired':
          this.#tracing.record({
            name: `orchestration:${execution.Name}:timer`,
            kind: 'internal',
            scope: SCOPE,
            parent: within,
            context: childOf(within),
            start: Date.parse(event.Timestamp),
            attributes: {
              ...attributes('timer', execution.Name, InstanceId),
              'durabletask.fire_at': event.FireAt,
            },
          });
          break;
        default:
          break;
      }
    }
    if (status === undefined) return;
    const { ParentTraceContext } = execution;
    this.#tracing.record({
      name: `orchestration:${execution.Name}`,
      kind: 'server',
      scope: SCOPE,
      parent: parentOf(ParentTraceContext!),
      context: within,
      start: Date.parse(ParentTraceContext!.ActivityStartTime ?? execution.Timestamp),
      failed: status === 'Failed',
      attributes: {
        ...attributes('orchestration', execution.Name, InstanceId),
        'durabletask.task.status': status,
      },
    });
  }

  /** An activity runs. @returns undefined for one without a trace */
  activity(task: TaskScheduled, instanceId: string): OpenSpan | undefined {
    const parent = contextOf(task.ParentTraceContext);
    return (
      parent &&
      this.#tracing.begin({
        name: `activity:${task.Name}`,
        kind: 'server',
        scope: SCOPE,
        parent,
        attributes: {
          ...attributes('activity', task.Name, instanceId),
          'durabletask.task.task_id': task.EventId,
        },
      })
    );
  }

  /** Chooses the span of an orchestration when it is started, so that every episode, in whatever process, has the same. */
  #orchestration(parent: TraceContext): DistributedTraceContext {
    const own = childOf(parent);
    return {
      TraceParent: parent.traceParent,
      TraceState: parent.traceState,
      Id: own.traceParent,
      SpanId: spanIdOf(own),
      ActivityStartTime: timestamp(this.#tracing.now()),
    };
  }
}

/** The place of an orchestration in its trace, which its episodes are handed. */
export function orchestrationOf({ ParentTraceContext }: ExecutionStarted): TraceContext | undefined {
  return ParentTraceContext?.Id
    ? { traceParent: ParentTraceContext.Id, traceState: ParentTraceContext.TraceState }
    : undefined;
}

function parentOf({ TraceParent, TraceState }: DistributedTraceContext): TraceContext {
  return { traceParent: TraceParent, traceState: TraceState };
}

function contextOf(stored: DistributedTraceContext | undefined): TraceContext | undefined {
  return stored ? parentOf(stored) : undefined;
}

function attributes(type: string, name: string, instanceId: string): Span['attributes'] {
  return {
    'durabletask.type': type,
    'durabletask.task.name': name,
    'durabletask.task.instance_id': instanceId,
  };
}
