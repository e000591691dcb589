import type { HttpResponseLike } from '../../http-message.js';
import { InstanceExistsError, InvalidStateError } from '../client.js';
import { answerBadArgument, answerError, answerFailure } from './answers.js';
import { DuplicateKeyError } from './history.js';
import { JsonReaderError } from './json-reader.js';

/** A request for which the .NET code throws an `ArgumentException`. */
export class ArgumentError extends Error {
  override name = 'ArgumentError';
}

/** A request with a time for which .NET's `TimeSpan` is too short. The extension does not expect it. */
export class TimeSpanOverflowError extends Error {
  override name = 'TimeSpanOverflowError';

  constructor() {
    super('TimeSpan overflowed because the duration is too long.');
  }
}

/** A body ends before its JSON has begun. Only starts meet it: other requests have a `JsonReaderError`. */
export class UnexpectedEndError extends Error {
  override name = 'UnexpectedEndError';
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
  return answerFailure({ message, type: typeOf(error), stack });
}

function typeOf(error: unknown): string {
  if (error instanceof InvalidStateError) return 'System.InvalidOperationException';
  if (error instanceof UnexpectedEndError) return 'Newtonsoft.Json.JsonSerializationException';
  return error instanceof TimeSpanOverflowError ? 'System.OverflowException' : 'System.Exception';
}
