/** Responses of functions that the real host's web server, Kestrel, does not send. */
import { isBodiless, type HttpResponseLike } from '../http-message.js';

/** Kestrel writes headers in ASCII, without control characters. */
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

/**
 * Why the real host fails to send a response, as a sentence; undefined when it sends it. Its own answer is
 * 500, and for a function's own `transfer-encoding` it never answers.
 *
 * @param method the request's
 */
export function responseProblem(
  method: string,
  { status, headers, body }: HttpResponseLike,
): string | undefined {
  const problem = headerProblem(headers);
  if (problem !== undefined) return problem;
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (lower === 'transfer-encoding')
      return 'It has a header transfer-encoding, which belongs to the server. Production never answers then.';
    if (
      lower === 'content-length' &&
      !isBodiless(status) &&
      // To HEAD, a response may have the length of a body that is not sent.
      (method === 'HEAD' ? Number(value) < body.length : Number(value) !== body.length)
    )
      return `Its content-length is ${value}, and its body has ${body.length} bytes: leave the header to the server.`;
  }
  return undefined;
}

/** Why the real host does not send headers: {@link responseProblem}. */
export function headerProblem(headers: HttpResponseLike['headers']): string | undefined {
  const found = headers.find(([, value]) => !HEADER_VALUE.test(value));
  return found && `Its header '${found[0]}' has a character that is not ASCII: encode it.`;
}
