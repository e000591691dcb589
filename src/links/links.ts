import { createHmac, timingSafeEqual } from 'node:crypto';
import moment, { type Moment } from 'moment';
import { z } from 'zod';
import { linkKeys } from './keys.js';

/** What a link allows. */
export const allowed = z.object({
  /** The path of the page that it opens, such as `/decide`. */
  page: z.string().regex(/^\/[a-z]+$/),
  /** The record that it is about. */
  id: z.string(),
  /** The person for whom it is. */
  person: z.string(),
  /** What the person may do, such as `approved`. */
  actions: z.array(z.string()),
  /** When it expires. ISO 8601, UTC. */
  until: z.string(),
});
export type Allowed = z.infer<typeof allowed>;

/** Longer ones were not made here: ids have up to 300 characters, names up to 100. */
const LONGEST = 2000;

/** Whether links can be signed. @throws Error when a key is wrong */
export function canSign(): boolean {
  return linkKeys().sign !== undefined;
}

/**
 * The signed token of a link: `<what it allows>.<HMAC-SHA-256 over that>`, both in base64url. Nothing stores
 * it: a message is stored with what its link allows, and the link is signed when it is sent.
 *
 * @throws Error when there is no key
 */
function tokenOf({ page, id, person, actions, until }: Allowed): string {
  const { sign } = linkKeys();
  if (sign === undefined) throw new Error('There is no key for links: set LINK_KEY');
  const payload = Buffer.from(JSON.stringify([page, id, person, actions, until])).toString('base64url');
  return `${payload}.${mac(sign, payload).toString('base64url')}`;
}

/** The path of a link, with its token in the query: hosts log paths, and redact queries. */
export function pathOf(link: Allowed): string {
  return `${link.page}?link=${tokenOf(link)}`;
}

/**
 * The address of a link; `undefined` when the app does not know its own address: neither `PUBLIC_ORIGIN`,
 * such as `https://example.com`, nor `WEBSITE_HOSTNAME`, which the host sets.
 */
export function urlOf(path: string): string | undefined {
  const { PUBLIC_ORIGIN: configured, WEBSITE_HOSTNAME: host } = process.env;
  if (configured) return `${configured.replace(/\/+$/, '')}${path}`;
  if (!host) return undefined;
  return `${/^(localhost|127\.0\.0\.1)(:|$)/.test(host) ? 'http' : 'https'}://${host}${path}`;
}

/**
 * What a token allows.
 *
 * @param page the page that was opened with it
 * @returns `altered` when the app has not signed it for this page, `expired` when its time has passed
 */
export function verify(token: string, page: string, at: Moment): Allowed | 'altered' | 'expired' {
  const [payload = '', signature = '', ...more] = token.length > LONGEST ? [] : token.split('.');
  const given = Buffer.from(signature, 'base64url');
  const isSigned = linkKeys().accept.some((key) => {
    const right = mac(key, payload);
    return right.length === given.length && timingSafeEqual(right, given);
  });
  // The last character of a base64url text has unused bits: other spellings of one token are refused.
  if (!isSigned || more.length > 0 || given.toString('base64url') !== signature) return 'altered';
  const link = contentOf(payload);
  if (link?.page !== page) return 'altered';
  return at.isBefore(moment.utc(link.until)) ? link : 'expired';
}

function contentOf(payload: string): Allowed | undefined {
  const [page, id, person, actions, until] = JSON.parse(
    Buffer.from(payload, 'base64url').toString(),
  ) as unknown[];
  return allowed.safeParse({ page, id, person, actions, until }).data;
}

/** The prefix keeps what is signed here apart from anything else that the key may sign. */
function mac(key: string, payload: string): Buffer {
  return createHmac('sha256', key).update(`link-1\n${payload}`).digest();
}
