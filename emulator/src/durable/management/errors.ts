import type { HttpResponseLike } from '../../http-message.js';
import { InstanceExistsError, InvalidStateError } from '../client.js';
import { answerBadArgument, answerError, answerFailure } from './answers.js';
import { DuplicateKeyError } from './history.js';
import { JsonReaderError } from './json-reader.js';

/** A request for which the .NET code throws an `ArgumentException`. */
export class ArgumentError extends Error {
  override name = 'ArgumentError';
}

/** The answer of the extension to an exception. */
export function failureAnswer(error: unknown): HttpResponseLike {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  if (error instanceof JsonReaderError)
    return answerError(400, 'Invalid JSON content', {
      message,
      type: 'Newtonsoft.Json.JsonReaderException',
      stack,
    });
  if (error instanceof ArgumentError || error instanceof DuplicateKeyError) return answerBadArgument(error);
  if (error instanceof InstanceExistsError) return answerError(409, message);
  return answerFailure({
    message,
    type: error instanceof InvalidStateError ? 'System.InvalidOperationException' : 'System.Exception',
    stack,
  });
}
