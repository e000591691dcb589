/** The messages between the host and the process in which the app runs. */
import type { LogLevel } from '../log.js';
import type { ClientRequest, ClientResponse } from './client-requests.js';
import type { FunctionDefinition, InvocationOutcome, InvocationRequest } from './types.js';

/** To the process of the app. */
export type ToWorker =
  /** The first message. */
  | { type: 'load'; directory: string; skips: boolean }
  /** `ahead`: how far the app's clock is ahead of the machine's, in milliseconds. */
  | { type: 'invoke'; id: number; request: InvocationRequest; ahead: number }
  | { type: 'set'; name: string; value: string }
  /** The host answers the requests of the SDK's client to addresses that begin with this one. */
  | { type: 'serves'; address: string }
  /** To a request: undefined when the host serves no more. */
  | { type: 'answer'; id: number; response: ClientResponse | undefined }
  /** Runs the app's appTerminate hooks, and ends. */
  | { type: 'terminate' };

/** From the process of the app. */
export type FromWorker =
  | { type: 'loaded'; functions: FunctionDefinition[]; streamAddress: string | undefined }
  /** The app cannot be loaded. The text is one line for a person. */
  | { type: 'notLoaded'; text: string }
  | { type: 'log'; level: LogLevel; category: string; message: string }
  | { type: 'outcome'; id: number; outcome: InvocationOutcome }
  /** Of the SDK's client. */
  | { type: 'request'; id: number; request: ClientRequest }
  | ({ type: 'dies' } & Death);

/** Why the process of the app ends, as far as it knows it itself. */
export interface Death {
  /** What ends it, as a sentence: `The app called process.exit(3)`, without its end. */
  cause: string;
  /** The stack of an error that nothing caught. */
  uncaught?: string;
  /** The place in the app's code: `src/orders.js:12:3`. */
  place?: string | undefined;
  /** The invocation that caused it: the code ran in it, or in what it had started. */
  during?: { id: number; functionName: string } | undefined;
}
