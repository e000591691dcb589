import { randomUUID } from 'node:crypto';

/**
 * A random GUID that takes 56 bytes. `randomUUID` joins 16 pieces without copying them, which takes 490 bytes for as
 * long as the string lives.
 */
export function randomGuid(): string {
  return Buffer.from(randomUUID(), 'latin1').toString('latin1');
}
