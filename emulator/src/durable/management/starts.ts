import { readTraceContext } from '../../tracing/trace-context.js';
import type { HttpRequestLike, HttpResponseLike } from '../../http-message.js';
import { InstanceExistsError } from '../client.js';
import { isFinished, type JsonText } from '../history.js';
import type { InstanceRecord } from '../task-hub.js';
import { answerError, answerJson, asUri } from './answers.js';
import { managementUrls } from './client-binding.js';
import { ArgumentError, TimeSpanOverflowError, UnexpectedEndError } from './errors.js';
import { JsonReaderError } from './json-reader.js';
import { jsonOrText, readJson } from './json.js';
import type { ManagementOptions } from './options.js';
import { bodyText, mediaType, type Call } from './request.js';
import type { Statuses } from './statuses.js';

const MAX_INSTANCE_ID = 256;
/** The longest single wait in .NET, in milliseconds. Node's is half of it. */
const LONGEST_DELAY = 4_294_967_294;
const LONGEST_TIMEOUT = 2_147_483_647;
/** The longest `TimeSpan` of .NET, in seconds: it counts units of 100 nanoseconds with 63 bits. */
const LONGEST_TIME_SPAN = 2 ** 63 / 1e7;

/** Requests that start instances, or start them again. */
export class Starts {
  readonly #options: ManagementOptions;
  readonly #statuses: Statuses;

  constructor(options: ManagementOptions, statuses: Statuses) {
    this.#options = options;
    this.#statuses = statuses;
  }

  async start(call: Call, name: string, instanceId: string | undefined): Promise<HttpResponseLike> {
    try {
      if (instanceId !== undefined) checkInstanceId(instanceId);
      const input = inputOf(call.request);
      const version = call.query.text('version');
      const id = await this.#options.client.startInstance({
        name,
        input,
        trace: readTraceContext(call.request.headers),
        ...(instanceId !== undefined && { instanceId }),
        ...(version !== undefined && { version }),
      });
      return await this.#started(call, id);
    } catch (error) {
      // Unlike elsewhere, the extension's answer contains only the exception's message.
      if (error instanceof ArgumentError) return answerError(400, error.message);
      throw error;
    }
  }

  /**
   * Starts an instance with the name and the input of another, under a new id unless the caller gives one.
   */
  async restart(call: Call, id: string): Promise<HttpResponseLike> {
    const { client } = this.#options;
    const record = await client.getRecord(id);
    try {
      if (record === undefined)
        throw new ArgumentError(`No instance with ID '${id}' was found. (Parameter 'instanceId')`);
      const sameId = call.query.flag('restartWithNewInstanceId') === false;
      return await this.#started(
        call,
        await client.startInstance({
          name: record.name,
          input: jsonOrText(record.input),
          ...(sameId && { instanceId: id }),
        }),
      );
    } catch (error) {
      if (error instanceof ArgumentError) {
        return answerError(400, 'InstanceId does not match a valid orchestration instance.', {
          message: error.message,
          type: 'System.ArgumentException',
          stack: error.stack,
        });
      }
      if (error instanceof InstanceExistsError) {
        const type = 'DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException';
        return answerError(409, 'A non-terminal instance with this instance ID already exists.', {
          message: error.message,
          type,
          stack: error.stack,
        });
      }
      throw error;
    }
  }

  /**
   * Answers with the URLs of a started instance. If the query asks for it, first waits for the instance's
   * end.
   */
  async #started(call: Call, id: string): Promise<HttpResponseLike> {
    const timeout = seconds(call.query.number('timeout'));
    const interval = seconds(call.query.number('pollingInterval'));
    if (timeout !== undefined && interval !== undefined) {
      const record = await this.#wait(id, timeout, interval);
      if (record?.runtimeStatus === 'Completed') return answerJson(200, jsonOrText(record.output));
      if (record !== undefined) return this.#statuses.statusOf(call, record, false);
    }
    const { hubName, connection, keys } = this.#options;
    const urls = managementUrls(
      { origin: this.#origin(call), hubName, connection, key: keys().durableTask },
      id,
    );
    delete urls['rewindPostUri'];
    return answerJson(202, JSON.stringify({ id, ...urls }), [
      ['Location', asUri(urls['statusQueryGetUri']!)],
      ['Retry-After', '10'],
    ]);
  }

  /** The address at which the caller reaches this host. */
  #origin({ request, url }: Call): string {
    const { 'x-forwarded-host': host, 'x-forwarded-proto': protocol } = request.headers;
    if (this.#options.forwardedHost !== true || host === undefined || protocol === undefined)
      return url.origin;
    return new URL(`${protocol}://${host}:${url.port}`).origin;
  }

  /**
   * Polls every `interval` seconds, for `timeout` seconds of real time.
   *
   * @returns undefined after the timeout
   */
  async #wait(id: string, timeout: number, interval: number): Promise<InstanceRecord | undefined> {
    if (!(interval <= timeout))
      throw new ArgumentError(`Total timeout ${timeout} should be bigger than retry timeout ${interval}`);
    const until = performance.now() + timeout * 1000;
    for (;;) {
      const record = await this.#options.client.getRecord(id);
      if (record !== undefined && isFinished(record.runtimeStatus)) return record;
      const left = until - performance.now();
      if (left <= 0) return undefined;
      const delay = Math.min(left, interval * 1000);
      if (delay < 0 || delay > LONGEST_DELAY) {
        throw new ArgumentError(
          "The value needs to translate in milliseconds to -1 (signifying an infinite timeout), 0, or a positive integer less than or equal to the maximum allowed timer duration. (Parameter 'delay')",
        );
      }
      await new Promise<void>((resolve) => {
        setTimeout(resolve, Math.min(delay, LONGEST_TIMEOUT));
      });
    }
  }
}

/**
 * Checks a number of seconds as .NET's `TimeSpan.FromSeconds` does.
 *
 * @throws ArgumentError, TimeSpanOverflowError
 */
function seconds(value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (Number.isNaN(value))
    throw new ArgumentError('TimeSpan does not accept floating point Not-a-Number values.');
  if (Math.abs(value) > LONGEST_TIME_SPAN) throw new TimeSpanOverflowError();
  return value;
}

/** The content types for which the host reads the body as a form, before the extension can read it. */
const FORMS: readonly unknown[] = ['application/x-www-form-urlencoded', 'multipart/form-data'];

/**
 * The input of an orchestrator: the text unchanged, unless only the extension's reader accepts it as JSON. The
 * extension's `HandleStartOrchestratorRequestAsync` looks at no content type. Only a form reaches it empty,
 * because the host's `HostController` binds its parameters; here the form's text is the input.
 *
 * @throws JsonReaderError, UnexpectedEndError
 */
function inputOf(request: HttpRequestLike): JsonText {
  const text = bodyText(request);
  if (text.trim() === '') return null;
  try {
    const compact = readJson(text);
    return isStandardJson(text) ? text : compact;
  } catch (error) {
    if (!(error instanceof JsonReaderError)) throw error;
    if (FORMS.includes(mediaType(request))) return JSON.stringify(text);
    throw /^[{[]\s*$/.test(text)
      ? new UnexpectedEndError(error.message.replace(/^[^.]*/, 'Unexpected end when reading JSON'))
      : error;
  }
}

function isStandardJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Stricter than the extension: an id with `@` is an entity's, storage cannot hold long ids, and XML excludes
 * two characters.
 * @throws ArgumentError
 */
export function checkInstanceId(id: string): void {
  if (id.startsWith('@')) throw new ArgumentError('Orchestration instance ids must not start with @.');
  if (/[\ufffe\uffff]/.test(id))
    throw new ArgumentError('Orchestration instance ids must not contain U+FFFE or U+FFFF.');
  if (id.length > MAX_INSTANCE_ID)
    throw new ArgumentError(`Instance ID lengths must not exceed ${MAX_INSTANCE_ID} characters.`);
}
