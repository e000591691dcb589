/** The runs of orchestrator functions that the worker keeps between their episodes. */
import { SdkSession } from '../durable/protocol/sdk-session.js';
import type { SdkEvent } from '../durable/protocol/sdk-events.js';
import type { CoreInvocationContext, Handler } from './core-api.js';
import type { InvocationRequest, SessionState } from './types.js';

/** When kept runs are dropped, the one first that was used least recently. */
export interface SessionLimits {
  /** How many events they have together at most. The run that was used last is kept whatever its size. */
  events: number;
  /** How long one is kept without an episode, in milliseconds. */
  idle: number;
}

/** The real one: a test may put another in its place later. */
const startTimer = setTimeout;
const LIMITS: SessionLimits = { events: 200_000, idle: 30_000 };

/** An invocation that is kept, or that resumes one. */
export interface OpenSession {
  /** The trigger input, with the whole history. */
  trigger: unknown;
  /** Runs in place of the function. */
  handler: Handler;
  /**
   * Takes the result as the hooks have left it, and keeps the run.
   * @returns the news for the host; undefined when the run is not kept, and the host gets the whole result
   */
  end(result: unknown): { result: unknown; state: SessionState } | 'lost' | undefined;
}

/** Keeps runs by their ids. A run that is dropped is lost without harm: its host replays the whole history. */
export class Sessions {
  /** The run that was used last comes last. */
  readonly #kept = new Map<number, { session: SdkSession; usedAt: number }>();
  readonly #limits: SessionLimits;
  #events = 0;
  #isSweeping = false;

  constructor(limits: SessionLimits = LIMITS) {
    this.#limits = limits;
  }

  /**
   * @param own the function
   * @returns undefined for a request that keeps nothing; `lost` when the run to resume is not here
   */
  open(
    { session: asked, triggerValue }: InvocationRequest,
    own: Handler,
    invocation: CoreInvocationContext & { silent: boolean },
  ): OpenSession | 'lost' | undefined {
    if (asked === undefined) return undefined;
    const { id, action } = asked;
    const isNew = action === 'keep';
    const session = isNew
      ? new SdkSession(own, triggerValue, () => {
          // Code that runs on logs with the context of this invocation, which has ended by then.
          invocation.state = 'postInvocationHooks';
          invocation.silent = false;
        })
      : this.#take(id);
    if (session?.isOf(own) !== true) return 'lost';
    return {
      trigger: session.trigger,
      handler: isNew ? session.begin : session.resume(triggerValue as SdkEvent[]),
      end: (result) => {
        if (!session.owns(result)) return isNew ? undefined : 'lost';
        if (!session.goesOn) return undefined;
        this.#put(id, session);
        return session.news();
      },
    };
  }

  /** Removes a run while it is used. */
  #take(id: number): SdkSession | undefined {
    const session = this.#kept.get(id)?.session;
    if (session !== undefined) {
      this.#kept.delete(id);
      this.#events -= session.events;
    }
    return session;
  }

  #put(id: number, session: SdkSession): void {
    this.#kept.set(id, { session, usedAt: performance.now() });
    this.#events += session.events;
    for (const oldest of this.#kept.keys()) {
      if (this.#events <= this.#limits.events || this.#kept.size === 1) break;
      this.#take(oldest);
    }
    this.#sweepLater();
  }

  clear(): void {
    this.#kept.clear();
    this.#events = 0;
  }

  #sweepLater(): void {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    startTimer(() => {
      this.#isSweeping = false;
      for (const [id, { usedAt }] of this.#kept) {
        if (performance.now() - usedAt < this.#limits.idle) break;
        this.#take(id);
      }
      if (this.#kept.size > 0) this.#sweepLater();
    }, this.#limits.idle).unref();
  }
}
