import type { HttpResponseInit } from '@azure/functions';
import { Refusal, type Reason } from '../refusals/index.js';

/** A field of a request, and what is wrong with it. */
export interface FieldError {
  /**
   * As the caller wrote it, e.g. `respondWithin` or `players.0.name`; the name of a header or a query
   * parameter.
   */
  field: string;
  message: string;
}

/** What a problem can say besides its status and title. */
export interface ProblemDetails {
  /** What the caller can do about it. */
  detail: string;
  errors?: FieldError[];
}

/** Thrown anywhere under an endpoint, it becomes the answer: `application/problem+json` (RFC 9457). */
export class Problem extends Error {
  override readonly name = 'Problem';

  /**
   * @param type tells problems apart, for programs; it is answered as `urn:problem:<type>`
   * @param retryAfter when to try again, in seconds: the header `Retry-After`
   */
  constructor(
    readonly status: number,
    readonly type: string,
    readonly title: string,
    readonly details: ProblemDetails,
    readonly retryAfter?: number,
  ) {
    super(`${title}: ${details.detail}`);
  }

  /** The answer to the caller. */
  response(): HttpResponseInit {
    return {
      status: this.status,
      headers: {
        'Content-Type': 'application/problem+json',
        ...(this.retryAfter !== undefined && { 'Retry-After': String(Math.ceil(this.retryAfter)) }),
      },
      jsonBody: { type: `urn:problem:${this.type}`, title: this.title, status: this.status, ...this.details },
    };
  }
}

/** 400: what was sent breaks a rule of its form. */
export function invalid(errors: FieldError[]): Problem {
  return new Problem(400, 'invalid-request', 'The request is not valid', {
    detail: errors.map(({ field, message }) => `${field}: ${message}`).join('; '),
    errors,
  });
}

/** 404 */
export function notFound(detail: string): Problem {
  return new Problem(404, 'not-found', 'There is no such thing', { detail });
}

const statuses: Readonly<Record<Reason, number>> = {
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  over: 409,
  'too-late': 409,
  'too-many': 429,
};

/** The problem that answers a refusal. Its type is the reason. */
export function problemOf({ reason, title, detail, retryAfter }: Refusal): Problem {
  return new Problem(statuses[reason], reason, title, { detail }, retryAfter);
}

/**
 * What a store or a rule returned, if that is no refusal.
 *
 * @throws {Problem} the refusal's
 * @example
 * const { record } = unlessRefused(await orders.change(id, (order) => cancel(order, moment.utc()))) ??
 * unknown(id);
 */
export function unlessRefused<Result>(result: Result | Refusal): Exclude<Result, Refusal> {
  if (result instanceof Refusal) {
    throw problemOf(result);
  }
  return result as Exclude<Result, Refusal>;
}
