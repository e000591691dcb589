const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Distances between ticks that people read easily, in milliseconds. */
const STEPS = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map((count) => count * DAY),
];

/** A mark on the time axis. */
export interface Tick {
  /** Milliseconds since the epoch. */
  at: number;
  label: string;
}

/**
 * Up to `most` ticks at round times (UTC) of a time axis.
 *
 * @example
 * ticks(from, to, 6).map(({ at, label }) => draw(label, (at - from) / (to - from)));
 */
export function ticks(from: number, to: number, most: number): Tick[] {
  const step = STEPS.find((size) => (to - from) / size <= most) ?? Math.ceil((to - from) / most / DAY) * DAY;
  const found: Tick[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to && found.length < most; at += step) {
    found.push({ at, label: labelOf(at, step) });
  }
  return found;
}

function labelOf(at: number, step: number): string {
  const text = new Date(at).toISOString();
  if (step >= DAY || (at % DAY === 0 && step >= MINUTE)) return text.slice(0, 10);
  if (step >= MINUTE) return text.slice(11, 16);
  return step >= SECOND ? text.slice(11, 19) : text.slice(14, 23);
}

/** A length of time for people: `85 ms`, `1.2 s`, `3 min 20 s`, `2 d 4 h`. */
export function lengthOf(milliseconds: number): string {
  if (milliseconds < SECOND) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < MINUTE) return `${Math.floor(milliseconds / 100) / 10} s`;
  const [large, small, first, second] =
    milliseconds < HOUR
      ? [MINUTE, SECOND, 'min', 's']
      : milliseconds < DAY
        ? [HOUR, MINUTE, 'h', 'min']
        : [DAY, HOUR, 'd', 'h'];
  const rest = Math.floor((milliseconds % large) / small);
  return `${Math.floor(milliseconds / large)} ${first}${rest > 0 ? ` ${rest} ${second}` : ''}`;
}
