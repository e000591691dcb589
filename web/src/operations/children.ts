import type { Row } from '../../timeline';
import { list, read, type Shown } from './api';

/** How many instances are read to find the right one. */
const CANDIDATES = 50;

/**
 * Finds the instance of a sub-orchestration. The hub names it only while the sub-orchestration runs; otherwise
 * its name, its times, and its input or output identify it.
 *
 * @param parent with payloads if possible
 * @returns `undefined` when the hub has none: it was purged
 * @throws Refused, Unreachable
 */
export async function findChild(
  row: Row,
  parent: Shown,
  taken: ReadonlySet<string>,
): Promise<Shown | undefined> {
  if (row.instanceId !== undefined) return read(row.instanceId, parent.payloads);
  const second = 1000;
  const { value } = await list(
    {
      workflow: row.label,
      // The hub rounds no times in its filter, but clocks of two machines differ.
      createdFrom: new Date(row.start - second).toISOString(),
      createdTo: new Date(row.end + second).toISOString(),
    },
    undefined,
  );
  const free = value.filter(({ id }) => !taken.has(id) && id !== parent.instanceId).slice(0, CANDIDATES);
  if (free.length === 1) return read(free[0]!.id, parent.payloads);
  const found = await Promise.all(free.map(({ id }) => read(id, true)));
  const { Input, Result } = parent.historyEvents?.[Number(row.key.split('/').at(-1))] ?? {};
  const sameInput = found.filter(({ input }) => same(input, Input));
  const likely = sameInput.length > 0 ? sameInput : found;
  return likely.find(({ output }) => equal(output, Result)) ?? likely[0];
}

/** Whether a value is what JSON text stands for. */
function same(value: unknown, text: string | null | undefined): boolean {
  try {
    return typeof text === 'string' && equal(value, JSON.parse(text));
  } catch {
    return false;
  }
}

function equal(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
