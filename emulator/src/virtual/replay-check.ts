import type { Answer } from '../durable/episode/actions.js';

/** Describes where two replays of one history differ. @returns undefined when they are equal */
export function difference(first: Answer, second: Answer): string | undefined {
  const steps = Math.max(first.actions.length, second.actions.length);
  for (let index = 0; index < steps; index++) {
    const [before, after] = [JSON.stringify(first.actions[index]), JSON.stringify(second.actions[index])];
    if (before !== after)
      return `step ${index + 1}\n  before: ${before ?? 'nothing'}\n  after:  ${after ?? 'nothing'}`;
  }
  for (const what of ['done', 'output', 'error', 'customStatus'] as const) {
    const [before, after] = [JSON.stringify(first[what]), JSON.stringify(second[what])];
    if (before !== after)
      return `its ${what}\n  before: ${before ?? 'nothing'}\n  after:  ${after ?? 'nothing'}`;
  }
  return undefined;
}
