import type { HttpRequestLike, HttpResponseLike } from '../../http-message.js';
import { UnknownFunctionError } from '../client.js';
import { entityInstanceId, parseEntityId, type EntityId } from '../entities/entity-messages.js';
import { entityState, hasEntity } from '../entities/entity.js';
import { answer, answerError, answerJson } from './answers.js';
import { ArgumentError } from './errors.js';
import { JsonReaderError } from './json-reader.js';
import { jsonOrText, readJsonValue } from './json.js';
import type { ManagementOptions } from './options.js';
import {
  bodyText,
  continuation,
  CONTINUATION,
  decodeContinuation,
  mediaType,
  pageSize,
  type Call,
} from './request.js';

/** Replaces an empty entity key in a path. */
const EMPTY_KEY = '$';

/** Requests that read, list and signal entities. */
export class Entities {
  readonly #options: ManagementOptions;

  constructor(options: ManagementOptions) {
    this.#options = options;
  }

  /** Reads or signals an entity. As above, the extension's answer contains only an exception's message. */
  async readOrSignal(call: Call, name: string | undefined, key = ''): Promise<HttpResponseLike> {
    try {
      if (name === undefined)
        throw new ArgumentError(
          "Invalid entity id: entity name must not be a null or empty string. (Parameter 'entityName')",
        );
      return await (call.request.method === 'GET'
        ? this.#read({ name, key: key === EMPTY_KEY ? '' : key })
        : this.#signal(call, { name, key }));
    } catch (error) {
      if (error instanceof ArgumentError || error instanceof UnknownFunctionError)
        return answerError(400, error.message);
      if (error instanceof JsonReaderError)
        return answerError(400, `Could not parse JSON content: ${error.message}`);
      throw error;
    }
  }

  /** A page may be short or empty: it leaves out entities that no longer exist. */
  async list({ request, query, rpc }: Call, name: string | undefined): Promise<HttpResponseLike> {
    const from = query.time('lastOperationTimeFrom');
    const to = query.time('lastOperationTimeTo');
    const fetchState = query.flag('fetchState') === true;
    const first = decodeContinuation(request.headers[CONTINUATION] ?? '');
    const page = await this.#options.client.query({
      top: pageSize(query),
      instanceIdPrefix: name === undefined ? '@' : `@${name.toLowerCase()}@`,
      // An entity's instance starts again with each batch, so its creation time is that of the last
      // operation.
      ...(from !== undefined && { createdTimeFrom: from }),
      ...(to !== undefined && { createdTimeTo: to }),
      ...(first !== undefined && { from: first }),
    });
    const entities = page.records.flatMap((record) => {
      const found = entityState(record);
      // Only a list with states leaves out the entities that have none.
      if (fetchState ? found === undefined : !hasEntity(record)) return [];
      const entityId = JSON.stringify(parseEntityId(record.instanceId));
      return [
        `{"entityId":${entityId},"lastOperationTime":"${record.lastUpdatedTime}","state":${fetchState ? jsonOrText(found!.state) : 'null'}}`,
      ];
    });
    return answerJson(200, `[${entities.join(',')}]`, continuation(page.next, rpc));
  }

  async #read(entity: EntityId): Promise<HttpResponseLike> {
    const found = entityState(await this.#options.client.getRecord(entityInstanceId(entity)));
    return found === undefined ? answer(404) : answerJson(200, jsonOrText(found.state));
  }

  async #signal({ request, query }: Call, entity: EntityId): Promise<HttpResponseLike> {
    // The text is the extension's, which passes the arguments to .NET in the wrong order.
    if (/[/\\?#\p{Cc}]/u.test(entity.key))
      throw new ArgumentError(
        "entityKey (Parameter 'Entity keys must not contain /, \\, #, ?, or control characters.')",
      );
    const operation = request.method === 'DELETE' ? 'delete' : (query.text('op') ?? '');
    await this.#options.client.signalEntity(entity, operation, operationInput(request));
    return answer(202);
  }
}

/**
 * A body without a JSON content type is text. So is an absent body without a length (as of a DELETE), as on a
 * real host.
 */
function operationInput(request: HttpRequestLike): string | null {
  if (request.headers['content-length'] === '0') return null;
  const text = bodyText(request);
  return mediaType(request) === 'application/json' ? readJsonValue(text) : JSON.stringify(text);
}
