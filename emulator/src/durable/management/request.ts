/** Requests to the management API, taken apart. */
import type { HttpRequestLike } from '../../http-message.js';
import { ArgumentError } from './errors.js';
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
  if (id.toString('base64') !== encoded) throw new ArgumentError(`'${encoded}' is not a continuation token.`);
  return id.toString();
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
 * The segments of a path, decoded before the split as in the extension, with `+` as a space. An empty segment
 * matches no route.
 */
export function segments(path: string): string[] {
  const parts = urlDecode(path)
    .replaceAll(/^\/+|\/+$/g, '')
    .split('/');
  return parts.includes('') ? [] : parts;
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
