import type { HttpResponseInit } from '@azure/functions';

/** A field of a request, and what is wrong with it. */
export interface FieldError {
  /** As the caller wrote it, e.g. `respondWithin` or `players.0.name`; the name of a header or a query parameter. */
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

  /** @param type tells problems apart, for programs; it is answered as `urn:problem:<type>` */
  constructor(
    readonly status: number,
    readonly type: string,
    readonly title: string,
    readonly details: ProblemDetails,
  ) {
    super(`${title}: ${details.detail}`);
  }

  /** The answer to the caller. */
  response(): HttpResponseInit {
    return {
      status: this.status,
      headers: { 'Content-Type': 'application/problem+json' },
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

/** 403: the caller may not do this. */
export function forbidden(detail: string): Problem {
  return new Problem(403, 'forbidden', 'That is for somebody else', { detail });
}

/** 404 */
export function notFound(detail: string): Problem {
  return new Problem(404, 'not-found', 'There is no such thing', { detail });
}

/** 409: it was valid, but came too late or met something else. */
export function conflict(type: string, title: string, detail: string): Problem {
  return new Problem(409, type, title, { detail });
}
