/** How the pages call the app. */

/** The server refused the request (4xx). */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
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
  return status >= 500 || status === 0
    ? new Unreachable(status === 0 ? 'It cannot be reached.' : `It answers with an error (${status}).`)
    : new Refused(status, reason(status, body));
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

/** The explanation of a refusal: the text of a problem document (RFC 9457), or the whole body. */
function reason(status: number, text: string): string {
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem === 'object' && problem && 'detail' in problem && typeof problem.detail === 'string')
      return problem.detail;
  } catch {
    // not a problem document
  }
  return text || `The server says no (${status}).`;
}
