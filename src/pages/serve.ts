import type { HttpResponseInit } from '@azure/functions';
import type { Encoding, Site } from './site.js';

/**
 * The Content-Security-Policy of the pages: nothing inline, nothing from others, in no frame, and no forms.
 *
 * @param instead directives for a page that differs
 */
export function policy(instead: Readonly<Record<string, string>> = {}): string {
  return Object.entries({
    'default-src': "'self'",
    'object-src': "'none'",
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    'require-trusted-types-for': "'script'",
    'trusted-types': "'none'",
    ...instead,
  })
    .map((directive) => directive.join(' '))
    .join('; ');
}

/** Headers of every page. The address of a page goes nowhere: it may be a signed link. */
export const security = {
  'Content-Security-Policy': policy(),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

/**
 * How long a browser may keep a file. It revalidates pages at each use; an asset has a hash in its name and
 * never changes.
 */
export const caching = { page: 'no-cache', asset: 'public, max-age=31536000, immutable' };

interface Asked {
  headers: { get(name: string): string | null };
}

/**
 * Answers with a built file, in the smallest form that the caller accepts; 304 when the caller has it
 * already. HEAD is answered like GET: the host sends only the headers, with the length of the body.
 *
 * @returns nothing when there is no such file
 */
export async function serve(
  site: Site,
  path: string,
  asked: Asked,
  cacheControl: string,
): Promise<HttpResponseInit | undefined> {
  const file = site.find(path, accepts(asked.headers.get('accept-encoding')));
  if (!file) return undefined;
  const headers: Record<string, string> = {
    ...security,
    ETag: file.etag,
    'Cache-Control': cacheControl,
    Vary: 'Accept-Encoding',
  };
  if (matches(asked.headers.get('if-none-match'), file.etag)) return { status: 304, headers };

  headers['Content-Type'] = file.type;
  if (file.encoding) headers['Content-Encoding'] = file.encoding;
  return { headers, body: await file.bytes() };
}

/** Reads Accept-Encoding (RFC 9110, 12.5.3): `*` covers encodings that are not named, `q=0` refuses one. */
function accepts(header: string | null): (encoding: Encoding) => boolean {
  const weights = new Map<string, number>();
  for (const part of header?.toLowerCase().split(',') ?? []) {
    const [coding = '', ...parameters] = part.split(';').map((text) => text.trim());
    const q = parameters.find((parameter) => parameter.startsWith('q='));
    weights.set(coding, q ? Number(q.slice(2)) : 1);
  }
  return (encoding) => (weights.get(encoding) ?? weights.get('*') ?? 0) > 0;
}

/**
 * Reads If-None-Match (RFC 9110, 13.1.2). The comparison is weak, because a proxy may have marked the tag as
 * weak.
 */
function matches(header: string | null, etag: string): boolean {
  return (
    header?.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag) ?? false
  );
}
