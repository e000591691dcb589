/** Which requests may reach the console. It has the power of the system key, and asks for no key. */
import { isLoopback } from '../host-names.js';
import type { RequestHead } from '../http-message.js';

/** The headers that proxies and tunnels add. */
const FORWARDED = ['forwarded', 'x-forwarded-host', 'x-forwarded-for', 'x-original-host'];

/**
 * Why a request is refused, as one sentence; undefined when it may pass.
 *
 * - The host has to be this machine's own name, also where the app is served under others.
 * - A browser's request has to come from the console's own page. Another port of this machine is another origin.
 * - A request that comes through a proxy or a tunnel may come from anywhere.
 * @param isPage whether the request is for the page itself, to which other pages may link
 */
export function refusal({ method, url, headers }: RequestHead, isPage: boolean): string | undefined {
  const { origin, hostname } = new URL(url);
  if (!isLoopback(hostname))
    return `The console is served under the names localhost and 127.0.0.1, not under '${hostname}'.`;
  const forwarded = FORWARDED.find((name) => headers[name] !== undefined);
  if (forwarded !== undefined)
    return `The console takes no requests through a proxy, and this one has the header '${forwarded}'.`;
  const from = headers['origin'];
  if (from !== undefined && from !== origin)
    return `The console takes no requests from the pages of '${from}'.`;
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return undefined;
  const isLink =
    isPage &&
    method === 'GET' &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document';
  return isLink ? undefined : 'The console takes no requests from the pages of another origin.';
}
