import { isIPv4, isIPv6 } from 'node:net';
import type { HttpRequest } from '@azure/functions';

const HEADER = 'X-Forwarded-For';
/** The setting: how many proxies in front of the app append to the header. In Azure it is 1, and 2 behind Front Door. */
const SETTING = 'TrustedProxies';

/**
 * The address of the client: what tells anonymous callers apart. It is the entry of `X-Forwarded-For` that the outermost
 * trusted proxy appended. The client itself may have sent any entries before that one. An IPv6 address counts by its
 * first 64 bits, since whoever has one address has all that share them.
 *
 * @returns `undefined` without the header, which a front end always sends; `unknown` when the entry is no address
 */
export function clientAddress(request: HttpRequest): string | undefined {
  const header = request.headers.get(HEADER);
  if (header === null) {
    return undefined;
  }
  const trusted = Number(process.env[SETTING] || 1);
  const entry = header.split(',').at(-trusted)?.trim() ?? '';
  const address = withoutPort(entry).replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIPv4(address)) {
    return address;
  }
  return isIPv6(address) ? networkOf(address) : 'unknown';
}

/** `192.0.2.1:443`, `[2001:db8::1]:443` and `[2001:db8::1]` have more than the address. */
function withoutPort(entry: string): string {
  return entry.replace(/^\[([^\]]*)\](?::\d+)?$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
}

function networkOf(address: string): string {
  const [bare = ''] = address.split('%', 1);
  const [head = '', tail] = bare.split('::', 2);
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  const filled = [...groups, ...Array.from({ length: missing }, () => '0'), ...(tail ?? '').split(':')];
  return `${filled
    .slice(0, 4)
    .map((group) => Number.parseInt(group || '0', 16).toString(16))
    .join(':')}::/64`;
}
