/** Requests to the management API, taken apart. */
import type { HttpRequestLike } from '../../http-message.js';
import type { Query } from './query.js';

/** A parsed request. */
export interface Call {
  request: HttpRequestLike;
  url: URL;
  query: Query;
  /** Whether it came to the path for the SDK's client. */
  rpc: boolean;
}

/** The header that carries a continuation token. */
export const CONTINUATION = 'x-ms-continuation-token';
/** After this id there are no others: a token that is none leads to an empty page. */
const NOTHING_FOLLOWS = '\uffff';
/** The extension's default page size, and the largest page of Azure's tables. */
const PAGE = 100;
const LARGEST_PAGE = 1000;

export function pageSize(query: Query): number {
  const top = query.integer('top') ?? PAGE;
  return top < 1 ? PAGE : Math.min(top, LARGEST_PAGE);
}

/** On the last page only the local address sends the header, with an empty value, as a real host does. */
export function continuation(next: string | undefined, rpc: boolean): [string, string][] {
  return next !== undefined || rpc ? [[CONTINUATION, encodeContinuation(next)]] : [];
}

export function decodeContinuation(token: string): string | undefined {
  const encoded = token.trim();
  if (encoded === '') return undefined;
  const id = Buffer.from(encoded, 'base64');
  return id.toString('base64') === encoded ? id.toString() : NOTHING_FOLLOWS;
}

/**
 * A continuation token: partition key and row key of the Instances table. The row key is empty, hence the
 * space.
 */
function encodeContinuation(instanceId: string | undefined): string {
  return instanceId === undefined ? '' : `${Buffer.from(instanceId).toString('base64')} `;
}

export function mediaType({ headers }: HttpRequestLike): string | undefined {
  return headers['content-type']?.split(';')[0]!.trim().toLowerCase();
}

export function bodyText({ body }: HttpRequestLike): string {
  return body === undefined ? '' : new TextDecoder().decode(body);
}

/**
 * The segments of a path, decoded before the split as in the extension, with `+` as a space. The web server
 * has decoded the path before, so it is decoded twice. An empty segment matches no route.
 *
 * @param rpc whether the SDK's client sent the path: it encodes neither ids nor names
 * @param differs called with the path when the caller can hardly have meant what comes out
 */
export function segments(path: string, rpc: boolean, differs: (path: string) => void): string[] {
  const twice = urlDecode(serverDecode(path));
  if (twice !== urlDecode(path) || (rpc && path.includes('+'))) differs(twice);
  const parts = twice.replaceAll(/^\/|\/+$/g, '').split('/');
  return parts.includes('') ? [] : parts;
}

/** Decodes like Kestrel: an encoded slash stays, and so do bytes that are not UTF-8. */
function serverDecode(text: string): string {
  return text.replaceAll(/(?:%(?!2f)[\da-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

/**
 * Decodes like .NET's `WebUtility.UrlDecode`: invalid escapes stay, and bytes that are not UTF-8 become
 * replacement characters.
 */
function urlDecode(text: string): string {
  return text
    .replaceAll('+', ' ')
    .replaceAll(/(?:%[\da-f]{2})+/gi, (escapes) =>
      Buffer.from(escapes.replaceAll('%', ''), 'hex').toString(),
    );
}
