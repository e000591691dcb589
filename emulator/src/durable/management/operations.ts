import type { HttpResponseLike } from '../../http-message.js';
import { InvalidStateError, type RequestResult } from '../client.js';
import { isEntity } from '../entities/entity-messages.js';
import { isFinished } from '../history.js';
import { answer, answerError, answerJson, answerString } from './answers.js';
import { NO_JSON, readJsonValue } from './json.js';
import type { ManagementOptions } from './options.js';
import { bodyText, mediaType, type Call } from './request.js';

/** Requests that change instances which exist: events, states, purges. */
export class Operations {
  readonly #options: ManagementOptions;

  constructor(options: ManagementOptions) {
    this.#options = options;
  }

  async terminate(id: string, reason: string | null): Promise<HttpResponseLike> {
    this.#checkReason(id, reason);
    return requestAnswer(await this.#options.client.terminate(id, reason));
  }

  async suspend(id: string, reason: string | null): Promise<HttpResponseLike> {
    this.#checkReason(id, reason);
    return requestAnswer(await this.#options.client.suspend(id, reason));
  }

  async raiseEvent({ request }: Call, id: string, name: string): Promise<HttpResponseLike> {
    const { client } = this.#options;
    // For a finished instance the answer is the same for any body.
    const record = await client.getRecord(id);
    if (record === undefined) return answer(404);
    if (isFinished(record.runtimeStatus)) return answer(410);
    if (mediaType(request) !== 'application/json')
      return answerError(400, 'Only application/json request content is supported');
    return requestAnswer(await client.raiseEvent(id, name, readJsonValue(bodyText(request))));
  }

  async resume(id: string, reason: string | null): Promise<HttpResponseLike> {
    const { client } = this.#options;
    const status = (await client.getRecord(id))?.runtimeStatus;
    if (status !== undefined && !isFinished(status) && status !== 'Suspended') {
      throw new InvalidStateError(
        `Cannot resume the orchestration instance ${id} because instance is in the ${status} state.`,
      );
    }
    this.#checkReason(id, reason);
    return requestAnswer(await client.resume(id, reason));
  }

  /** The SDK's client sends `undefined` for a reason that it was not given. The status shows it as the output. */
  #checkReason(id: string, reason: string | null): void {
    if (reason === null || !NO_JSON.test(reason.trim())) return;
    this.#options.log?.(
      'error',
      'Host.Triggers.DurableTask',
      `The reason '${reason}' becomes the output of '${id}'. As in production, its status and lists with it are not JSON, and getStatus throws. Give terminate, suspend and resume a reason.`,
    );
  }

  /** The bodies are strings, because the SDK builds its error from them. */
  async rewind(id: string, reason: string | null): Promise<HttpResponseLike> {
    const { client } = this.#options;
    const record = await client.getRecord(id);
    if (record === undefined) return answerString(404, `No orchestration with instance ID "$${id}" found.`);
    if (record.runtimeStatus !== 'Failed') {
      return answerString(
        412,
        `This orchestration has status ${record.runtimeStatus}, but only orchestrations in the "Failed" state can be rewound.`,
      );
    }
    return requestAnswer(await client.rewind(id, reason));
  }

  async purge(id: string): Promise<HttpResponseLike> {
    const purged = await this.#options.client.purge(id);
    if (purged === 'purged') return answerJson(200, '{"instancesDeleted":1}');
    // The extension does not check whether the entity exists.
    if (purged === 'notFound') return isEntity(id) ? answerJson(200, '{"instancesDeleted":0}') : answer(404);
    const status = (await this.#options.client.getRecord(id))?.runtimeStatus;
    return answerString(
      412,
      `Only orchestrations in a terminal state can be purged, but the orchestration with instance ID ${id} has status ${status}`,
    );
  }

  async purgeBy({ query }: Call): Promise<HttpResponseLike> {
    const createdTimeFrom = query.time('createdTimeFrom');
    if (createdTimeFrom === undefined)
      return answerString(400, "Please provide value for 'createdTimeFrom' parameter.");
    const createdTimeTo = query.time('createdTimeTo');
    const purged = await this.#options.client.purgeBy({
      createdTimeFrom,
      runtimeStatus: query.statuses('runtimeStatus'),
      ...(createdTimeTo !== undefined && { createdTimeTo }),
    });
    return purged === 0 ? answer(404) : answerJson(200, JSON.stringify({ instancesDeleted: purged }));
  }
}

function requestAnswer(of: RequestResult): HttpResponseLike {
  return answer({ accepted: 202, notFound: 404, gone: 410 }[of]);
}
