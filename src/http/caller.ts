import { createHash } from 'node:crypto';
import type { HttpRequest } from '@azure/functions';
import {
  folded,
  identifies,
  isSignInOn,
  principalOf,
  samePerson,
  type Principal,
} from '../identity/index.js';
import { invalid, Problem } from './problem.js';
import { personName } from './text.js';

const HEADER = 'x-ms-client-principal';

/**
 * The person or program that the platform has signed in; `undefined` when it has signed in nobody, or does
 * not sign callers in at all: then the header is worth nothing.
 *
 * @throws {Problem} 400 when the header is malformed
 */
export function signedIn(request: HttpRequest): Principal | undefined {
  const header = isSignInOn() ? request.headers.get(HEADER) : null;
  if (header === null) return undefined;
  const principal = principalOf(header, (text) => personName.safeParse(text).data);
  if (principal === undefined) {
    throw invalid([{ field: HEADER, message: 'It is not a principal with a name, as JSON in base64' }]);
  }
  return principal;
}

/**
 * The person who acts: the one that the platform has signed in, or else the one that the request names. The
 * program that holds the function key vouches for that name.
 *
 * @param named the name in the request, and its field
 * @param people names in a record: if the caller is one of them, the answer is that name as it is written
 *   there
 * @throws {Problem} 400 when neither names a person, or the header is malformed
 */
export function callerOf(
  request: HttpRequest,
  named: { field: string; name: string | undefined },
  people: readonly string[] = [],
): string {
  const principal = signedIn(request);
  if (principal !== undefined) {
    return people.find((person) => identifies(principal, person)) ?? principal.name;
  }
  const { field, name } = named;
  if (name === undefined) {
    throw invalid([{ field, message: 'Say who acts' }]);
  }
  return people.find((person) => samePerson(person, name)) ?? name;
}

/**
 * The text of a caller as part of a key: two people whom the platform has signed in, and who send the same text,
 * get two keys. Of a caller whom it has not signed in, it is the text itself.
 *
 * @param text without a blank at its start, so that no text of a caller is the key of another
 * @throws {Problem} 400 when the header is malformed
 */
export function ownKey(request: HttpRequest, text: string): string {
  const principal = signedIn(request);
  if (principal === undefined) return text;
  // The object id, if there is one: a user name can change.
  const whose = [folded(principal.ids.at(-1)!), text];
  return ` ${createHash('sha256').update(JSON.stringify(whose)).digest('hex')}`;
}

/**
 * Lets operators and programs pass: what a signed-in person has in the browser opens no more than their own.
 *
 * @throws {Problem} 403, 400 as {@link requireInvolved}
 */
export function requireOperator(request: HttpRequest): void {
  requireInvolved(request, []);
}

/**
 * The one check whether a caller may see or change a record: a person whom the record names, an operator, or
 * a program with the function key.
 *
 * @param people the names in the record; with none, only operators and programs pass
 * @throws {Problem} 403 when the platform has signed in somebody else; 400 when the header is malformed
 */
export function requireInvolved(request: HttpRequest, people: readonly (string | undefined)[]): void {
  const principal = signedIn(request);
  if (principal === undefined || principal.isOperator) return;
  if (!people.some((person) => person !== undefined && identifies(principal, person))) {
    throw new Problem(403, 'forbidden', 'That is for somebody else', {
      detail: `You are signed in as ${principal.name}, and this is about others.`,
    });
  }
}
