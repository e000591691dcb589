import { entityInstanceId, type EntityId } from '../durable/entities/entity-messages.js';
import { entityState } from '../durable/entities/entity.js';
import type { HistoryEvent } from '../durable/history.js';
import { decoded, instanceState } from './decoded.js';
import type { Environment } from './environment.js';
import type { HostKeys } from '../triggers/keys.js';
import type { InstanceState, RequestOptions } from './options.js';
import { toRequest, toResponse } from './requests.js';
import type { Skipping } from './skipping.js';

/** The part of {@link TestApp} that acts as a client of the app: HTTP, instances and entities. */
export abstract class TestClient {
  readonly #environment: Environment;
  readonly #skipping: Skipping;

  /** @internal */
  protected constructor(environment: Environment, skipping: Skipping) {
    this.#environment = environment;
    this.#skipping = skipping;
  }

  get #engine(): Environment['host']['engine'] {
    return this.#environment.host.engine;
  }

  /**
   * The origin under which the app is served over real HTTP, for browsers and other programs.
   * @example await fetch(`${app.url}/api/approvals`);
   */
  get url(): string {
    return `http://localhost:${this.#environment.port}`;
  }

  /**
   * The keys that open the app when it was started with `enforceKeys`.
   * @example await app.get('/api/approvals', { 'x-functions-key': app.keys.host });
   */
  get keys(): HostKeys {
    return this.#environment.host.keys;
  }

  /**
   * The app's HTTP functions.
   * @example expect(app.httpFunctions.map(({ name }) => name)).toContain('RequestApproval');
   */
  get httpFunctions(): { name: string; methods: string[]; url: string }[] {
    return this.#environment.host.httpFunctions;
  }

  // ---- HTTP -----------------------------------------------------------------------------------------------

  /**
   * Calls one of the app's HTTP functions, or the management API, by its path or its whole URL.
   * @example await app.request('PUT', '/api/rooms/7', { body: { name: 'Cellar' } });
   */
  async request(method: string, pathOrUrl: string, options: RequestOptions = {}): Promise<Response> {
    const request = toRequest(method, new URL(pathOrUrl, this.url), options);
    const { host, failures } = this.#environment;
    return toResponse(await failures.race(host.handle(request)));
  }

  /** @example const { state } = await (await app.get(`/api/approvals/${id}`)).json(); */
  async get(pathOrUrl: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.request('GET', pathOrUrl, { headers });
  }

  /**
   * @param body see {@link RequestOptions.body}
   * @example expect((await app.post('/api/approvals', { approver: 'kim' })).status).toBe(202);
   */
  async post(pathOrUrl: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.request('POST', pathOrUrl, { body, headers });
  }

  /** @example await app.delete(`/api/reminders/${id}`); */
  async delete(pathOrUrl: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.request('DELETE', pathOrUrl, { headers });
  }

  // ---- instances ------------------------------------------------------------------------------------------

  /**
   * Starts an orchestration.
   * @returns its instance id
   * @example const id = await app.start('Reminders', { to: 'pat' });
   */
  async start(name: string, input?: unknown, instanceId?: string): Promise<string> {
    return this.#engine.startInstance({
      name,
      // The SDK's client sends an empty text when there is no input.
      input: JSON.stringify(input ?? ''),
      ...(instanceId !== undefined && { instanceId }),
    });
  }

  /**
   * An instance as it is now; undefined when there is none with that id.
   * @example expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
   */
  async instance(instanceId: string): Promise<InstanceState | undefined> {
    const record = await this.#engine.getRecord(instanceId);
    return record && instanceState(record);
  }

  /**
   * All instances, ordered by id.
   * @example expect(await app.instances()).toHaveLength(2);
   */
  async instances(): Promise<InstanceState[]> {
    const states: InstanceState[] = [];
    for (let from: string | undefined; ;) {
      const page = await this.#engine.query({ top: 1000, ...(from !== undefined && { from }) });
      states.push(...page.records.map(instanceState));
      if (page.next === undefined) return states;
      from = page.next;
    }
  }

  /**
   * The history of an instance, event by event; empty when there is no such instance.
   * @example expect((await app.history(id)).at(-1)).toMatchObject({ EventType: 'OrchestratorCompleted' });
   */
  async history(instanceId: string): Promise<readonly HistoryEvent[]> {
    return (await this.#engine.getHistory(instanceId)) ?? [];
  }

  /**
   * Raises an external event and waits until nothing runs.
   * @throws Error when there is no such instance, or it has finished
   * @example await app.raise(id, 'Approval', { by: 'kim' });
   */
  async raise(instanceId: string, name: string, data: unknown = null): Promise<void> {
    const outcome = await this.#engine.raiseEvent(instanceId, name, JSON.stringify(data));
    if (outcome === 'notFound') throw new Error(`There is no instance '${instanceId}'.`);
    if (outcome === 'gone') throw new Error(`'${instanceId}' has finished already.`);
    await this.quiet();
  }

  /**
   * Terminates an instance and waits until nothing runs.
   * @example await app.terminate(id, 'no longer needed');
   */
  async terminate(instanceId: string, reason: string | null = null): Promise<void> {
    await this.#engine.terminate(instanceId, reason);
    await this.quiet();
  }

  /**
   * Suspends an instance and waits until nothing runs.
   * @example await app.suspend(id, 'maintenance');
   */
  async suspend(instanceId: string, reason: string | null = null): Promise<void> {
    await this.#engine.suspend(instanceId, reason);
    await this.quiet();
  }

  /**
   * Resumes a suspended instance and waits until nothing runs.
   * @example await app.resume(id);
   */
  async resume(instanceId: string, reason: string | null = null): Promise<void> {
    await this.#engine.resume(instanceId, reason);
    await this.quiet();
  }

  /**
   * Makes a failed instance repeat what failed, and waits until nothing runs.
   * @throws Error when there is no such instance, or it has not failed
   * @example await app.rewind(id, 'the mail server is back');
   */
  async rewind(instanceId: string, reason: string | null = null): Promise<void> {
    const outcome = await this.#engine.rewind(instanceId, reason);
    if (outcome === 'notFound') throw new Error(`There is no instance '${instanceId}'.`);
    if (outcome === 'gone') throw new Error(`'${instanceId}' has not failed.`);
    await this.quiet();
  }

  // ---- entities -------------------------------------------------------------------------------------------

  /**
   * Signals an entity and waits until nothing runs.
   * @throws UnknownFunctionError when the app has no entity function of that name
   * @example await app.signal({ name: 'counter', key: 'visits' }, 'add', 1);
   */
  async signal(entity: EntityId, operation: string, input?: unknown): Promise<void> {
    await this.#engine.signalEntity(entity, operation, input === undefined ? null : JSON.stringify(input));
    await this.quiet();
  }

  /**
   * The decoded state of an entity; undefined when there is no such entity.
   * @example expect(await app.entity({ name: 'counter', key: 'visits' })).toBe(1);
   */
  async entity(entity: EntityId): Promise<unknown> {
    const found = entityState(await this.#engine.getRecord(entityInstanceId(entity)));
    return found && decoded(found.state);
  }

  /**
   * Resolves when no function and no episode runs, and no message waits in the queues that the app listens
   * to. Time does not move.
   * @example await app.quiet();
   */
  async quiet(): Promise<void> {
    await this.#skipping.quiet();
  }
}
