import { randomBytes } from 'node:crypto';
import { isLocalRun } from '../identity/index.js';
import { secretSetting } from './secret.js';

const SHORTEST = 32;

/** Signs the links of a local run. They end with the process. */
const ownKey = randomBytes(32).toString('base64');

/** The keys of links. */
export interface Keys {
  /** Signs new links; `undefined` when there is none: then there are no links. */
  sign: string | undefined;
  /** All whose links are accepted. */
  accept: readonly string[];
}

/**
 * `LINK_KEY` signs, and `LINK_KEY_PREVIOUS` is still accepted: to change the key, move it there, and remove it
 * once the links of before have expired. A local run without them makes up a key; elsewhere there are no links
 * then.
 *
 * @throws Error when a key has fewer than 32 characters, or is an unresolved reference
 */
export function linkKeys(): Keys {
  const current = checked('LINK_KEY') ?? (isLocalRun() ? ownKey : undefined);
  const previous = checked('LINK_KEY_PREVIOUS');
  return { sign: current, accept: [current, previous].filter((key) => key !== undefined) };
}

function checked(name: 'LINK_KEY' | 'LINK_KEY_PREVIOUS'): string | undefined {
  const key = secretSetting(name);
  if (key !== undefined && key.length < SHORTEST) {
    throw new Error(`The setting ${name} needs at least ${SHORTEST} characters`);
  }
  return key;
}
