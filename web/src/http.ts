/** How the pages call the app. */

/** A field of a request, and what is wrong with it. */
export interface FieldError {
  field: string;
  message: string;
}

/** The server refused the request (4xx). */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** The fields that are wrong, and why. */
    readonly errors: readonly FieldError[] = [],
  ) {
    super(message);
  }
}

/** There was no answer, or an answer that reports a failure of the server (5xx). */
export class Unreachable extends Error {}

const patience = 15_000;

/**
 * Sends a request, and waits 15 seconds for the head of the answer.
 *
 * @throws Refused, with the server's explanation
 * @throws Unreachable
 */
export async function send(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      cache: 'no-store',
      signal: AbortSignal.timeout(patience),
    });
  } catch (error) {
    throw new Unreachable(
      error instanceof DOMException
        ? `It has not answered for ${patience / 1000} seconds.`
        : 'It cannot be reached.',
    );
  }
  if (response.ok) return response;
  throw failure(response.status, await response.text().catch(() => ''));
}

/** The error that an answer stands for. */
export function failure(status: number, body: string): Refused | Unreachable {
  if (status >= 500 || status === 0) {
    return new Unreachable(status === 0 ? 'It cannot be reached.' : `It answers with an error (${status}).`);
  }
  const { detail, errors } = problem(body);
  return new Refused(status, detail ?? (body || `The server says no (${status}).`), errors);
}

/** Reads an answer as JSON. @throws Unreachable when it is none */
export async function json<T>(response: Response): Promise<T> {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this app's own answers, whose shapes its tests hold
    return (await response.json()) as T;
  } catch {
    throw new Unreachable('Its answer cannot be read.');
  }
}

/** The explanation of a refusal, if it is a problem document (RFC 9457). */
function problem(text: string): { detail?: string; errors?: FieldError[] } {
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found === 'object' && found && 'detail' in found && typeof found.detail === 'string')
      return found as { detail: string; errors?: FieldError[] };
  } catch {
    // not a problem document
  }
  return {};
}
