/** Thrown when a valid request cannot be carried out now. `http/` answers it with 503 and `Retry-After`. */
export class TryLaterError extends Error {
  override readonly name = 'TryLaterError';

  /** @param retryAfter when to try again, in seconds */
  constructor(
    message: string,
    readonly retryAfter = 1,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
