/** Retry options of durable-functions 3.x, read as the extension's `RetryOptionsConverter` reads them. */
import { LONGEST_TIMER, type RetryOptions } from '../episode/actions.js';
import { UnreadableActionError, type SdkAction } from './sdk-action-types.js';

/** Why .NET's `Convert` refuses a value. */
const NULL = 'Null object cannot be converted to a value type.';
const TOO_LARGE = 'Value was either too large or too small for an Int32.';

const LARGEST = 2 ** 31 - 1;

/**
 * The extension reads all intervals and the number of attempts as whole numbers of 32 bits. It refuses the options
 * in the order of the calls below.
 *
 * @param name the function that is called with them
 * @throws UnreadableActionError
 */
export function readRetryOptions(
  name: string,
  options: NonNullable<SdkAction['retryOptions']>,
): RetryOptions {
  const read = (option: string, limit: number): number | undefined => {
    const given = options[option];
    if (given === undefined) return undefined;
    // .NET reads a text of a number, too.
    const value = given === null ? NaN : Number(given);
    const problem = !Number.isFinite(value) ? NULL : Math.abs(value) > limit ? TOO_LARGE : undefined;
    if (problem === undefined) return limit === Infinity ? value : toInt32(value);
    throw new UnreadableActionError(
      problem,
      `'${name}' is called with retry options in which ${option} is ${given ?? 'no finite number'}. The host reads numbers up to ${LARGEST}, which are 24 days in milliseconds.`,
    );
  };
  const firstRetryInterval = read('firstRetryIntervalInMilliseconds', LARGEST)!;
  const maxNumberOfAttempts = read('maxNumberOfAttempts', LARGEST)!;
  return {
    firstRetryInterval,
    maxNumberOfAttempts,
    backoffCoefficient: read('backoffCoefficient', Infinity) ?? 1,
    maxRetryInterval: read('maxRetryIntervalInMilliseconds', LARGEST) ?? LONGEST_TIMER,
    retryTimeout: read('retryTimeoutInMilliseconds', LARGEST) ?? Infinity,
  };
}

/** Rounds as .NET's `Convert.ToInt32` does: a half goes to the even number. */
function toInt32(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
