/** What a developer does to instances, entities and functions in the console. */
import { ArgumentError } from '../durable/management/errors.js';
import { checkInstanceId } from '../durable/management/starts.js';
import {
  InstanceExistsError,
  InvalidStateError,
  UnknownFunctionError,
  type RequestResult,
} from '../durable/client.js';
import { isEntity, parseEntityId } from '../durable/entities/entity-messages.js';
import { jsonOrText } from '../durable/management/json.js';
import type { Host } from '../host.js';
import { Problem } from './answers.js';
import { recordOf } from './instance-view.js';

/** The JSON object of a request. */
export type Fields = Readonly<Record<string, unknown>>;

/** How long a function that runs at once is waited for, in milliseconds of real time. */
const PATIENCE = 10_000;

/** Starts an orchestrator: `{ name, input?, instanceId? }`. @returns the id */
export async function start({ engine }: Host, fields: Fields): Promise<{ instanceId: string }> {
  const id = text(fields, 'instanceId', '');
  const instanceId = await refused(async () => {
    if (id !== '') checkInstanceId(id);
    return engine.startInstance({
      name: text(fields, 'name'),
      // The SDK's client sends an empty text when there is no input.
      input: JSON.stringify(fields['input'] ?? ''),
      known: true,
      ...(id !== '' && { instanceId: id }),
    });
  });
  return { instanceId };
}

type Verb = (host: Host, instanceId: string, fields: Fields) => Promise<unknown>;

const VERBS: Readonly<Record<string, Verb>> = {
  /** `{ name, data? }` */
  raise: async ({ engine }, id, fields) =>
    done(id, await engine.raiseEvent(id, text(fields, 'name'), JSON.stringify(fields['data'] ?? null))),
  terminate: async ({ engine }, id, fields) => done(id, await engine.terminate(id, reason(fields))),
  suspend: async ({ engine }, id, fields) =>
    refused(async () => done(id, await engine.suspend(id, reason(fields)))),
  resume: async ({ engine }, id, fields) => done(id, await engine.resume(id, reason(fields))),
  rewind: async ({ engine }, id, fields) => {
    const result = await engine.rewind(id, reason(fields));
    if (result === 'gone') throw new Problem(409, `'${id}' has not failed, so nothing can be rewound.`);
    return done(id, result);
  },
  /** `{ sameId? }` */
  restart: async (host, id, fields) => {
    const { name, input } = await recordOf(host, id);
    const instanceId = await refused(() =>
      host.engine.startInstance({
        name,
        input: jsonOrText(input),
        known: true,
        ...(fields['sameId'] === true && { instanceId: id }),
      }),
    );
    return { instanceId };
  },
  purge: async ({ engine }, id) => {
    const result = await engine.purge(id);
    if (result === 'notFound') return done(id, result);
    if (result === 'live')
      throw new Problem(409, `'${id}' has not finished. Terminate it first, then purge it.`);
    return {};
  },
  /** `{ operation, input? }` */
  signal: async ({ engine }, id, fields) => {
    if (!isEntity(id)) throw new Problem(409, `'${id}' is an orchestration. Only entities take signals.`);
    const input = fields['input'] === undefined ? null : JSON.stringify(fields['input']);
    await refused(() => engine.signalEntity(parseEntityId(id), text(fields, 'operation'), input));
    return {};
  },
};

/** Does something to an instance or an entity. @throws Problem */
export async function act(host: Host, instanceId: string, verb: string, fields: Fields): Promise<unknown> {
  if (!Object.hasOwn(VERBS, verb)) throw new Problem(404, `There is no operation '${verb}'.`);
  return VERBS[verb]!(host, instanceId, fields);
}

/** Runs a timer or queue function now: `{ input? }`, the text of the message. */
export async function run(
  host: Host,
  name: string,
  fields: Fields,
): Promise<{ succeeded: boolean | null; message: string }> {
  const running = host.run(name, text(fields, 'input', ''));
  if (running === undefined) throw new Problem(404, `There is no timer or queue function '${name}'.`);
  let timeout: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timeout = setTimeout(resolve, PATIENCE, undefined).unref();
  });
  const outcome = await Promise.race([running, late]);
  clearTimeout(timeout);
  if (outcome === undefined) return { succeeded: null, message: 'It still runs, or waits for a retry.' };
  return outcome.ok
    ? { succeeded: true, message: 'It has succeeded.' }
    : { succeeded: false, message: `It has failed: ${outcome.message}` };
}

/** @throws Problem when a field is missing, or no text */
export function text(fields: Fields, name: string, otherwise?: string): string {
  const value = fields[name] ?? otherwise;
  if (typeof value !== 'string' || (value === '' && otherwise === undefined))
    throw new Problem(400, `The field '${name}' has to be a text.`);
  return value;
}

function reason(fields: Fields): string | null {
  return text(fields, 'reason', '') || null;
}

function done(instanceId: string, result: RequestResult): Record<string, never> {
  if (result === 'notFound') throw new Problem(404, `There is no instance '${instanceId}'.`);
  if (result === 'gone') throw new Problem(410, `'${instanceId}' has finished already.`);
  return {};
}

/** Turns what the engine refuses into a problem. */
async function refused<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (error instanceof ArgumentError || error instanceof UnknownFunctionError)
      throw new Problem(400, error.message);
    if (error instanceof InstanceExistsError || error instanceof InvalidStateError)
      throw new Problem(409, error.message);
    throw error;
  }
}
