import type { Cancel } from '../clock.js';
import type { InstanceRecord } from '../task-hub.js';
import { Instance } from './instance/instance.js';
import type { Runtime } from './runtime.js';

/** A hint for an instance that is not in memory. */
interface Parked {
  due: number;
  cancel: Cancel;
  isRecovering: boolean;
}

/** How many idle instances stay in memory by default. */
const MAX_IDLE = 200;
/** How many records of instances outside memory are kept: at half a kilobyte each, some ten megabytes. */
const MAX_RECORDS = 20_000;

/** The instances in memory, and the time at which each of the others has to be loaded. */
export class Instances {
  readonly #runtime: Runtime;
  readonly #maxIdle: number;
  readonly #run: (instance: Instance) => Promise<void>;
  readonly #loaded = new Map<string, Instance>();
  /** The least recently used first. */
  readonly #idle = new Map<string, Instance>();
  readonly #parked = new Map<string, Parked>();
  /**
   * Records of instances outside memory. This engine is the hub's only writer, so they hold until the
   * instance is loaded.
   */
  readonly #records = new Map<string, InstanceRecord>();
  #isScanned = false;

  /** @param run works on an instance, see {@link Instance.pump} */
  constructor(runtime: Runtime, run: (instance: Instance) => Promise<void>, maxIdle = MAX_IDLE) {
    this.#runtime = runtime;
    this.#run = run;
    this.#maxIdle = maxIdle;
  }

  /** The instance, put into memory where it was not. */
  get(instanceId: string): Instance {
    let instance = this.#loaded.get(instanceId);
    if (instance === undefined) {
      const parked = this.#parked.get(instanceId);
      parked?.cancel();
      this.#parked.delete(instanceId);
      this.#records.delete(instanceId);
      instance = new Instance(instanceId, {
        hub: this.#runtime.hub,
        hint: parked?.due,
        // Before all hints are read, any instance may be one that a dead engine has left.
        isRecovering: parked?.isRecovering ?? !this.#isScanned,
        run: this.#run,
      });
      this.#loaded.set(instanceId, instance);
    }
    this.#idle.delete(instanceId);
    return instance;
  }

  /** The instance, if it is in memory. */
  find(instanceId: string): Instance | undefined {
    return this.#loaded.get(instanceId);
  }

  all(): Iterable<Instance> {
    return this.#loaded.values();
  }

  /** When an instance outside memory has to be loaded; undefined for one that does not. */
  parkedUntil(instanceId: string): number | undefined {
    return this.#parked.get(instanceId)?.due;
  }

  /** The instances outside memory that have to be loaded, and when. */
  *parked(): Iterable<{ instanceId: string; at: number }> {
    for (const [instanceId, { due }] of this.#parked) yield { instanceId, at: due };
  }

  /** The record of an instance outside memory, as far as it is known here. */
  recordOf(instanceId: string): InstanceRecord | undefined {
    return this.#records.get(instanceId);
  }

  /**
   * Whether messages of an instance outside memory may come again: it was left by a dead engine, or may have
   * been.
   */
  mayRepeatMessages(instanceId: string): boolean {
    return !this.#isScanned || this.#parked.get(instanceId)?.isRecovering === true;
  }

  /** Loads an instance that is not in memory when `due` has come. */
  park(instanceId: string, due: number, isRecovering: boolean): void {
    this.#parked.set(instanceId, {
      due,
      isRecovering,
      cancel: this.#runtime.clock.schedule(due, () => this.wake(instanceId)),
    });
  }

  /** Puts an instance into memory and works on it. */
  wake(instanceId: string): void {
    if (!this.#runtime.isStopped) void this.get(instanceId).pump();
  }

  /** All hints of the hub were read. */
  scanned(): void {
    this.#isScanned = true;
  }

  /** The pump works on an instance. */
  busy(instance: Instance): void {
    this.#idle.delete(instance.id);
  }

  /** Nothing is left to do for an instance now. The most recently used ones stay in memory. */
  rest(instance: Instance): void {
    this.#idle.set(instance.id, instance);
    if (this.#idle.size <= this.#maxIdle) return;
    const oldest = this.#idle.values().next().value!;
    const due = oldest.work.nextTimer;
    this.forget(oldest);
    this.#records.set(oldest.id, oldest.state.record!);
    if (this.#records.size > MAX_RECORDS) this.#records.delete(this.#records.keys().next().value!);
    if (due !== undefined) this.park(oldest.id, due, false);
  }

  /** Removes an instance from memory. */
  forget(instance: Instance): void {
    instance.work.cancelTimers();
    this.#loaded.delete(instance.id);
    this.#idle.delete(instance.id);
  }

  /** Cancels all timers, and waits for the episodes under way. */
  async stop(): Promise<void> {
    for (const { cancel } of this.#parked.values()) cancel();
    for (const instance of this.#loaded.values()) instance.work.cancelTimers();
    await Promise.all([...this.#loaded.values()].map((instance) => instance.whenAtRest()));
  }
}
