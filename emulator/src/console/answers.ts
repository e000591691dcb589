/** The console's answers: JSON, and problems (RFC 9457). */
import type { HttpResponseLike } from '../http-message.js';

/** The problem that a request meets, as its answer. */
export class Problem extends Error {
  override name = 'Problem';

  /** @param message one sentence: what is wrong, and what to do about it */
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const TITLES: Record<number, string> = {
  400: 'The request cannot be read',
  403: 'Refused',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Not possible now',
  410: 'It has finished',
  413: 'Too large',
  415: 'Not JSON',
  503: 'Storage fails',
};

export function problem({ status, message }: Problem): HttpResponseLike {
  const body = { type: 'about:blank', title: TITLES[status] ?? 'Failed', status, detail: message };
  return json(body, status, 'application/problem+json');
}

export function json(value: unknown, status = 200, type = 'application/json'): HttpResponseLike {
  return {
    status,
    headers: [['content-type', type], ...HEADERS],
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** A file to save. */
export function download(name: string, type: string, text: string): HttpResponseLike {
  return {
    status: 200,
    headers: [
      ['content-type', `${type}; charset=utf-8`],
      ['content-disposition', `attachment; filename="${name}"`],
      ...HEADERS,
    ],
    body: Buffer.from(text),
  };
}

/** The headers of every answer: nothing is kept, guessed, or shown in another site's frame. */
export const HEADERS: [string, string][] = [
  ['cache-control', 'no-store'],
  ['x-content-type-options', 'nosniff'],
  ['cross-origin-resource-policy', 'same-origin'],
];
