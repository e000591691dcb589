import type { RequestHead } from './http-message.js';

/** The `Host.CORS` section of local.settings.json. */
export interface CorsOptions {
  /** Origins that may call the app from a browser; `*` allows all. CORS is off when the list is empty. */
  origins: readonly string[];
  /** Whether a browser may send cookies. */
  credentials: boolean;
}

/** Whether a browser asks for permission before it sends the real request. */
export function isPreflight({ method, headers }: RequestHead): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

/** The CORS headers of the response. @returns undefined when CORS is off, or the request names no origin */
export function corsHeaders(
  request: RequestHead,
  { origins, credentials }: CorsOptions,
): [string, string][] | undefined {
  const origin = request.headers['origin'];
  if (origins.length === 0 || origin === undefined) return undefined;
  const any = origins.includes('*');
  // Browsers send origins in lower case.
  if (!any && !origins.some((allowed) => allowed.toLowerCase() === origin)) return [];
  const headers: [string, string][] = (any && credentials) || origins.length > 1 ? [['Vary', 'Origin']] : [];
  headers.push(['Access-Control-Allow-Origin', any && !credentials ? '*' : origin]);
  if (credentials) headers.push(['Access-Control-Allow-Credentials', 'true']);
  if (isPreflight(request)) {
    headers.push(['Access-Control-Allow-Methods', request.headers['access-control-request-method']!]);
    const wanted = request.headers['access-control-request-headers'];
    if (wanted !== undefined)
      headers.push(['Access-Control-Allow-Headers', wanted.replaceAll(/\s*,\s*/g, ',')]);
  }
  return headers;
}
