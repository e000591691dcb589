/**
 * The process in which the app runs: the counterpart of `worker-process.ts`. As under the Functions host, a
 * failure outside any call ends it, and the host starts another one.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { releaseIdleMemory } from '../idle-memory.js';
import type { Scope } from '../virtual/scope.js';
import { installScopes, runInScope } from '../virtual/scope.js';
import { loadApp, terminateApp } from './app-loader.js';
import { placeInApp } from './app-place.js';
import { answerClients, type ClientRequest, type ClientResponse } from './client-requests.js';
import type { Registrations } from './core-api.js';
import type { Death, FromWorker, ToWorker } from './messages.js';
import type { InvocationOutcome, InvocationRequest } from './types.js';
import { FunctionsWorker } from './worker.js';

/** The invocation to which the running code belongs. All that an invocation starts has its. */
const invocations = new AsyncLocalStorage<NonNullable<Death['during']>>();

let app: { registrations: Registrations; worker: FunctionsWorker } | undefined;
let running = 0;
/** What takes the host's answers to requests of the SDK's client. */
const requests = new Map<number, (response: ClientResponse | undefined) => void>();
let lastRequest = 0;
/** Whether the app's clock skips, and how far it is ahead of the machine's, in milliseconds. */
let skips = false;
let ahead = 0;
/** The time as functions of an app with such a clock see it. */
const scope: Scope = { now: () => realNow() + ahead, env: {} };
const realNow = Date.now;
/** Ends this process for the host's reasons, about which nothing is to be logged. */
const exit = process.exit.bind(process);

reportDeaths();
// Ctrl-C reaches every process of a terminal. The host decides when this one ends.
process.on('SIGINT', () => {});
process.on('disconnect', () => {
  exit(0);
});
process.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'load':
      skips = message.skips;
      void load(message.directory);
      break;
    case 'invoke':
      ({ ahead } = message);
      void invoke(message.id, message.request);
      break;
    case 'set':
      process.env[message.name] = message.value;
      break;
    case 'serves':
      answerClients(message.address, askHost);
      break;
    case 'answer':
      requests.get(message.id)?.(message.response);
      requests.delete(message.id);
      break;
    case 'terminate':
      void terminate();
  }
});
releaseIdleMemory({ isBusy: () => running > 0 });

/** Sends a message to the host. @returns a promise that resolves when it is sent, or cannot be */
async function send(message: FromWorker): Promise<void> {
  await new Promise<void>((resolve) => {
    if (process.connected)
      process.send!(message, undefined, undefined, () => {
        resolve();
      });
    else resolve();
  });
}

async function load(directory: string): Promise<void> {
  try {
    // `Date` has to be replaced before the app is loaded.
    if (skips) installScopes();
    const registrations = await loadApp({ directory });
    const worker = new FunctionsWorker({
      registrations,
      log: (level, category, message) => void send({ type: 'log', level, category, message }),
    });
    app = { registrations, worker };
    await send({
      type: 'loaded',
      // The host sends what it reads on as JSON. Values that JSON does not have are left out here.
      functions: JSON.parse(JSON.stringify([...worker.functions.values()])) as [],
      streamAddress: registrations.httpAddress,
    });
  } catch (error) {
    await send({ type: 'notLoaded', text: error instanceof Error ? error.message : String(error) });
    exit(1);
  }
}

async function invoke(id: number, request: InvocationRequest): Promise<void> {
  running++;
  const outcome = await invocations.run({ id, functionName: request.functionName }, () =>
    skips ? runInScope(scope, () => app!.worker.invoke(request)) : app!.worker.invoke(request),
  );
  running--;
  await send({ type: 'outcome', id, outcome: plain(outcome) });
}

async function askHost(request: ClientRequest): Promise<ClientResponse | undefined> {
  const id = ++lastRequest;
  const { promise, resolve } = Promise.withResolvers<ClientResponse | undefined>();
  requests.set(id, resolve);
  await send({ type: 'request', id, request });
  return promise;
}

/** The outcome as it can be sent. Of what the function returned and threw, the host needs no more. */
function plain(outcome: InvocationOutcome): InvocationOutcome {
  return outcome.ok
    ? { ...outcome, result: outcome.result === null || outcome.result === undefined ? outcome.result : true }
    : { ...outcome, error: undefined };
}

async function terminate(): Promise<void> {
  if (app !== undefined) await terminateApp(app.registrations);
  exit(0);
}

/** Sends the host what ends this process, where the process itself knows it. */
function reportDeaths(): void {
  process.on('uncaughtException', (error: unknown, origin) => {
    const stack = error instanceof Error ? (error.stack ?? String(error)) : String(error);
    const cause = `Nothing caught ${origin === 'unhandledRejection' ? 'the rejection of a promise' : 'an error'}`;
    void dieOf({ cause, uncaught: stack, place: placeInApp(stack) });
  });
  const abort = process.abort.bind(process);
  process.exit = (code) => report('exit', code, () => exit(code));
  process.abort = () => report('abort', undefined, abort);
}

async function dieOf(death: Death): Promise<void> {
  await send({ type: 'dies', during: invocations.getStore(), ...death });
  exit(1);
}

function report(name: string, code: string | number | null | undefined, end: () => never): never {
  // On most systems a short message is sent at once. Where it is not, only the reason is missing in the log.
  void send({
    type: 'dies',
    during: invocations.getStore(),
    cause: `The app called process.${name}(${code ?? ''})`,
    place: placeInApp(new Error().stack ?? ''),
  });
  return end();
}
