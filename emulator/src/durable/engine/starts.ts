import { Semaphore } from '../../parallel.js';
import { InstanceExistsError, UnknownFunctionError, type StartRequest } from '../client.js';
import { isFinished, type ExecutionStarted } from '../history.js';
import type { DurableFunctions } from '../protocol/functions.js';
import { randomGuid } from '../random-guid.js';
import type { Mail } from './mail.js';
import type { Reads } from './reads.js';
import type { Runtime } from './runtime.js';

/**
 * How many starts are written at once. When many come together, the others wait, so that storage also works for
 * the instances that were started before.
 */
const MAX_STARTING = 20;

/** Starts instances for clients. */
export class Starts {
  readonly #runtime: Runtime;
  readonly #mail: Mail;
  readonly #reads: Reads;
  readonly #functions: DurableFunctions;
  readonly #places = new Semaphore(MAX_STARTING);
  /** The starts under way, by the id that the caller chose. */
  readonly #underWay = new Map<string, { request: StartRequest; id: Promise<string> }>();

  constructor(runtime: Runtime, mail: Mail, reads: Reads, functions: DurableFunctions) {
    this.#runtime = runtime;
    this.#mail = mail;
    this.#reads = reads;
    this.#functions = functions;
  }

  /**
   * Starts an instance. Of several equal starts of one id at the same moment one is made, and all callers get
   * its result, as from the provider. A different start of that id is made after it.
   * @returns its id
   * @throws UnknownFunctionError, InstanceExistsError
   */
  async start(request: StartRequest): Promise<string> {
    const { instanceId } = request;
    if (instanceId === undefined) return this.#start(request);
    for (;;) {
      const other = this.#underWay.get(instanceId);
      if (other === undefined) break;
      if (isSame(other.request, request)) return other.id;
      await other.id.catch(() => {});
    }
    const id = this.#start(request).finally(() => {
      this.#underWay.delete(instanceId);
    });
    this.#underWay.set(instanceId, { request, id });
    return id;
  }

  async #start(request: StartRequest): Promise<string> {
    const missing =
      request.known === true ? this.#functions.missing('orchestration', request.name) : undefined;
    if (missing !== undefined) throw new UnknownFunctionError(missing);
    return this.#runtime.running.run(async () => {
      const { settings, spans } = this.#runtime;
      const existing =
        request.instanceId === undefined ? undefined : await this.#reads.record(request.instanceId);
      const instanceId = request.instanceId ?? randomGuid().replaceAll('-', '');
      if (
        existing !== undefined &&
        !isFinished(existing.runtimeStatus) &&
        settings.overridableStates === 'NonRunningStates'
      ) {
        throw new InstanceExistsError(existing.runtimeStatus);
      }
      const event: ExecutionStarted = {
        EventType: 'ExecutionStarted',
        EventId: -1,
        Timestamp: this.#runtime.now(),
        Name: request.name,
        Version: request.version ?? settings.defaultVersion,
        Input: request.input,
        OrchestrationInstance: { InstanceId: instanceId, ExecutionId: randomGuid() },
        ParentInstance: null,
        Generation:
          existing === undefined ? 0 : existing.generation === undefined ? null : existing.generation + 1,
      };
      spans?.started(event, request.trace);
      const message = { id: `start-${event.OrchestrationInstance.ExecutionId}`, event };
      await this.#places.run(() => this.#mail.post(instanceId, message, request.instanceId === undefined));
      return instanceId;
    });
  }
}

/** Whether two requests ask for the same start. Their traces may differ. */
function isSame(a: StartRequest, b: StartRequest): boolean {
  return a.name === b.name && a.input === b.input && a.version === b.version && a.known === b.known;
}
