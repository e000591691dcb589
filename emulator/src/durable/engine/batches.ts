import { mayTakeIds } from '../episode/task-ids.js';
import type { ExecutionStarted, InboundEvent } from '../history.js';
import { isFinished } from '../history.js';
import { MAX_CONSUMED } from '../task-hub.js';
import type { QueuedEvent } from './instance/inbox.js';
import type { Instance } from './instance/instance.js';
import type { Instances } from './instances.js';
import type { Mail } from './mail.js';
import { failureOf } from './messages.js';
import type { Orchestrators } from './orchestrators.js';
import { CATEGORY, type Runtime } from './runtime.js';

/** The events of one episode. */
export interface Batch {
  inbound: InboundEvent[];
  /** Ids of the messages that this batch ends, including those of events that were dropped. */
  consumed: string[];
}

/** Decides which events an episode gets. */
export class Batches {
  readonly #runtime: Runtime;
  readonly #instances: Instances;
  readonly #mail: Mail;
  readonly #orchestrators: Orchestrators;
  readonly #oneEventAnEpisode: boolean;

  constructor(
    runtime: Runtime,
    instances: Instances,
    mail: Mail,
    orchestrators: Orchestrators,
    oneEventAnEpisode: boolean,
  ) {
    this.#runtime = runtime;
    this.#instances = instances;
    this.#mail = mail;
    this.#orchestrators = orchestrators;
    this.#oneEventAnEpisode = oneEventAnEpisode;
  }

  /**
   * Takes the next events that can be processed together, in the order in which they came.
   * @returns undefined when none wait
   */
  take(instance: Instance): Batch | undefined {
    const { inbox, state, isEntity } = instance;
    const batch: Batch = { inbound: [], consumed: [] };
    let isTaken = false;
    let alone = false;
    for (let next = inbox.next; next !== undefined; next = inbox.next) {
      if (batch.consumed.length === MAX_CONSUMED) break;
      const isFollowing = batch.inbound.length > 0 && !isEntity;
      // Whether the next event is wanted depends on the result of this episode.
      if (isFollowing && (alone || needsOwnEpisode(next))) break;
      const isWanted = instance.wants(next) || this.#replacesRunning(instance, next.event);
      if (isWanted && isFollowing && (this.#oneEventAnEpisode || mayTakeIds(next.event, state.idTaking)))
        break;
      inbox.takeNext();
      isTaken = true;
      if (next.messageId !== undefined) batch.consumed.push(next.messageId);
      if (isWanted) {
        alone = needsOwnEpisode(next);
        batch.inbound.push(next.event);
        state.close(next.event);
      }
    }
    return isTaken ? batch : undefined;
  }

  /**
   * Whether a start whose id belongs to a running instance replaces that instance: its history is overwritten
   * without an error, as in the provider. A start by a client does so only where host.json allows it, a start
   * by an orchestration always.
   */
  #replacesRunning({ id, state }: Instance, start: InboundEvent): boolean {
    if (
      start.EventType !== 'ExecutionStarted' ||
      state.record === undefined ||
      isFinished(state.record.runtimeStatus) ||
      state.beganWith(start)
    )
      return false;
    if (start.ParentInstance === null) {
      if (this.#runtime.settings.overridableStates === 'AnyState') return true;
      this.#runtime.log(
        'warning',
        CATEGORY,
        `'${id}' was started again while it runs: the second start is dropped, as in production.`,
      );
      return false;
    }
    this.#reportReplacement(id, start, start.ParentInstance.OrchestrationInstance.InstanceId);
    return !this.#runtime.strict;
  }

  /**
   * Logs that a sub-orchestration replaces a running instance; in strict mode the call of it fails instead.
   */
  #reportReplacement(id: string, start: ExecutionStarted, parentId: string): void {
    this.#runtime.retryInBackground(`the report about the second start of '${id}'`, async () => {
      const parent = this.#instances.get(parentId);
      if (!parent.state.isLoaded) await parent.pump();
      if (parent.state.execution === undefined) return;
      const reason = await this.#orchestrators.reportMistake(
        parent.state.execution,
        parent.state.history,
        `The orchestrator calls the sub-orchestrator '${start.Name}' with the id ` +
          `'${id}' while an instance of that id runs. In production the one that runs is lost: the call takes its place. Choose an id that is not in use.`,
      );
      if (reason !== undefined)
        this.#mail.send(this.#instances.get(id), parentId, failureOf(start, reason, this.#runtime.now()));
    });
  }
}

/**
 * Whether an event gets an episode of its own, because its order against other events matters. If a raised
 * event shared an episode with the event after which the orchestrator continues as new, the next execution
 * would lose it. An entity's answer is for one execution only.
 */
function needsOwnEpisode({ event, executionId }: QueuedEvent): boolean {
  return (
    (event.EventType === 'EventRaised' && executionId === undefined) ||
    event.EventType === 'ExecutionStarted' ||
    event.EventType === 'ExecutionTerminated' ||
    event.EventType === 'ExecutionSuspended' ||
    event.EventType === 'ExecutionResumed' ||
    (event.EventType === 'GenericEvent' && event.Rewind !== undefined)
  );
}
