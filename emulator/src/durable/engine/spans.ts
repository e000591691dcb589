/**
 * The spans of the Durable extension, with the names and parents of its DurableTask.Core: the start of an
 * orchestration (producer), the orchestration over all its episodes (server), an activity or a
 * sub-orchestration from its caller's side (client), the run of an activity (server), a timer. The history of
 * an instance has its place in the trace, so the instance keeps it after a restart.
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

/** The history before an episode, and its new events. */
interface Episode {
  history: readonly HistoryEvent[];
  inbound: readonly HistoryEvent[];
}

export class OrchestrationSpans {
  readonly #tracing: Tracing;

  constructor(tracing: Tracing) {
    this.#tracing = tracing;
  }

  /** Records that a client starts an orchestration, in the client's trace if it has one. */
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

  /**
   * Records that an execution continued as new. The `next` one has the same caller, and a span of its own.
   */
  continued(execution: ExecutionStarted, episode: Episode, next: ExecutionStarted): void {
    this.ended(execution, episode, 'ContinuedAsNew');
    if (execution.ParentTraceContext !== undefined)
      next.ParentTraceContext = this.#orchestration(parentOf(execution.ParentTraceContext));
  }

  /** Gives the tasks that an episode has scheduled their places in the trace. */
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

  /** Gives the start of a sub-orchestration its place in the trace of its parent. */
  sent(
    parent: ExecutionStarted | undefined,
    { ClientSpanId }: SubOrchestrationInstanceCreated,
    child: ExecutionStarted,
  ): void {
    const within = parent === undefined ? undefined : orchestrationOf(parent);
    if (within !== undefined && ClientSpanId)
      child.ParentTraceContext = this.#orchestration(childOf(within, ClientSpanId));
  }

  /**
   * Records the tasks whose ends came with an episode, and the orchestration itself if it has ended with
   * `status`.
   */
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

  /** Begins the span of an activity. @returns undefined for an activity without a trace */
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

  /**
   * Chooses the span id of an orchestration at its start, so that all episodes, also in other processes, use
   * the same.
   */
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

/** The place of an orchestration in its trace, for its episodes. */
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
