/** Times, spans and waits in words. */
import type { Wait } from './api.js';

/** `2026-11-27 19:30:05`, in UTC. */
export function timeText(time: string | number): string {
  return new Date(time).toISOString().slice(0, 19).replace('T', ' ');
}

const UNITS: [number, string][] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
];

/** A span in milliseconds: `3 days 2 hours`. */
export function spanText(span: number): string {
  const index = UNITS.findIndex(([unit]) => span >= unit);
  if (index < 0) return 'less than a second';
  const [unit, name] = UNITS[index]!;
  const whole = Math.floor(span / unit);
  const smaller = UNITS[index + 1];
  const rest = smaller === undefined ? 0 : Math.floor((span - whole * unit) / smaller[0]);
  const text = (count: number, of: string): string => `${count} ${of}${count === 1 ? '' : 's'}`;
  return rest === 0 ? text(whole, name) : `${text(whole, name)} ${text(rest, smaller![1])}`;
}

/** How long from now: `in 3 days`, `now`. */
export function untilText(at: number, now: number): string {
  return at - now < 1_000 ? 'now' : `in ${spanText(at - now)}`;
}

/** What an instance waits for, as the end of a sentence. */
export function waitText(wait: Wait, now: number): string {
  switch (wait.kind) {
    case 'event':
      return `the event '${wait.name}'`;
    case 'timer': {
      const end = wait.until ?? wait.at;
      const hop = wait.until === undefined ? '' : `, in steps; the next ends at ${timeText(wait.at)}`;
      return `a timer until ${timeText(end)} (${untilText(Date.parse(end), now)}${hop})`;
    }
    case 'activity':
      return `the activity '${wait.name}'`;
    case 'subOrchestration':
      return `the sub-orchestration '${wait.name}'`;
    case 'entity':
      return `the entity '${wait.instanceId}'`;
  }
}
