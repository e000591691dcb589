import { vi } from 'vitest';

/**
 * Repeats a check until it passes. The limit is only there for what never happens: on a busy machine
 * everything may take long.
 * @throws the check's last error after a minute
 */
export async function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 60_000, interval: 50 });
}
