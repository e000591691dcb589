import type { SubOrchestrationInstanceCreated, TaskScheduled, TimerCreated } from '../history.js';
import { HTTP_ACTIVITY, type HttpAnswer, type HttpCall } from '../http/http-call.js';
import { runHttpActivity, sendHttp } from '../http/http-client.js';
import { Semaphore } from '../../parallel.js';
import type { ActivityResult, DurableFunctions } from '../protocol/functions.js';
import type { Instance } from './instance/instance.js';
import type { Mail } from './mail.js';
import { endOf, rewindRequest, startOf } from './messages.js';
import { rewindOfChild } from './rewind.js';
import type { Runtime } from './runtime.js';

/** Makes the requests of `callHttp`. */
export type SendHttp = (call: HttpCall, instanceId: string) => Promise<HttpAnswer>;

/**
 * Carries out what follows from a commit: activities, timers, starts of sub-orchestrations, and results for
 * parents. All of it can be derived from the history, and is started again when an instance is loaded.
 */
export class TaskRunner {
  readonly #runtime: Runtime;
  readonly #mail: Mail;
  readonly #functions: DurableFunctions;
  readonly #sendHttp: SendHttp;
  readonly #activities: Semaphore;

  constructor(runtime: Runtime, mail: Mail, functions: DurableFunctions, send: SendHttp = sendHttp) {
    this.#runtime = runtime;
    this.#mail = mail;
    this.#functions = functions;
    this.#sendHttp = send;
    this.#activities = new Semaphore(runtime.settings.maxConcurrentActivities);
  }

  /** Starts the open tasks of an instance that was loaded or rewound. */
  resume(instance: Instance): void {
    const due: TimerCreated[] = [];
    for (const event of instance.state.openTasks.values()) {
      switch (event.EventType) {
        case 'TaskScheduled':
          this.runActivity(instance, event);
          break;
        case 'TimerCreated':
          if (Date.parse(event.FireAt) <= this.#runtime.clock.now()) due.push(event);
          else this.startTimer(instance, event);
          break;
        default:
          if (instance.isRecovering) {
            this.startChild(instance, event, false);
            this.rewindChild(instance, event);
          }
      }
    }
    // At once: an instance that was loaded for its timer must not be unloaded again before the timer has
    // fired.
    for (const timer of due.toSorted((a, b) => Date.parse(a.FireAt) - Date.parse(b.FireAt)))
      this.#fire(instance, timer, instance.state.record!.executionId);
  }

  runActivity(instance: Instance, task: TaskScheduled): void {
    const { executionId } = instance.state.record!;
    if (
      instance.inbox.hasResultOf(executionId, task.EventId) ||
      !instance.work.beginActivity(executionId, task.EventId)
    )
      return;
    void this.#runtime.running.run(async () => {
      try {
        const result = await this.#activities.run(async () =>
          this.#runtime.isStopped ? undefined : this.#invoke(task, instance.id),
        );
        if (result === undefined) return;
        const base = { EventId: -1, Timestamp: this.#runtime.now(), TaskScheduledId: task.EventId };
        instance.inbox.add({
          executionId,
          event: result.ok
            ? { EventType: 'TaskCompleted', ...base, Result: result.result }
            : {
                EventType: 'TaskFailed',
                ...base,
                Reason: result.reason,
                Details: result.details,
                FailureDetails: result.failureDetails,
              },
        });
      } catch (error) {
        instance.fail(error);
      }
      instance.work.endActivity(executionId, task.EventId);
      if (!this.#runtime.isStopped) await instance.pump();
    });
  }

  async #invoke(task: TaskScheduled, instanceId: string): Promise<ActivityResult> {
    const span = this.#runtime.spans?.activity(task, instanceId);
    const result = await (task.Name === HTTP_ACTIVITY
      ? runHttpActivity(task.Input, (call) => this.#sendHttp(call, instanceId))
      : this.#functions.runActivity(task, instanceId, span?.context));
    span?.end({ failed: !result.ok });
    return result;
  }

  startTimer(instance: Instance, timer: TimerCreated): void {
    const { executionId } = instance.state.record!;
    instance.work.startTimer(timer, this.#runtime.clock, () => {
      if (this.#runtime.isStopped) return;
      this.#fire(instance, timer, executionId);
      void instance.pump();
    });
  }

  #fire(instance: Instance, timer: TimerCreated, executionId: string): void {
    instance.inbox.add({
      executionId,
      // The real host's event has the time at which the timer was made.
      event: {
        EventType: 'TimerFired',
        EventId: -1,
        Timestamp: timer.Timestamp,
        TimerId: timer.EventId,
        FireAt: timer.FireAt,
      },
    });
  }

  /**
   * `fresh`: the child's id is derived from this execution and the call, and its start was not sent before.
   */
  startChild(instance: Instance, child: SubOrchestrationInstanceCreated, fresh: boolean): void {
    const message = startOf(child, instance.state.record!);
    this.#runtime.spans?.sent(instance.state.execution, child, message.event);
    this.#mail.send(instance, child.InstanceId, message, fresh);
  }

  /** Has a sub-orchestration rewound, if the last rewind of its parent was meant for it too. */
  rewindChild(instance: Instance, child: SubOrchestrationInstanceCreated): void {
    const rewind = rewindOfChild(instance.state.history, child);
    if (rewind !== undefined)
      this.#mail.send(instance, child.InstanceId, rewindRequest(rewind, this.#runtime.now()));
  }

  /** Sends the result of an instance that has ended to its parent, if it has one. */
  notifyParent(instance: Instance): void {
    const completed = instance.state.history.findLast((event) => event.EventType === 'ExecutionCompleted');
    const end = completed && endOf(instance.state.record!, completed);
    if (end !== undefined) this.#mail.send(instance, end.to, end.message);
  }
}
