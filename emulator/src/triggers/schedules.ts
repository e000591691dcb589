/** The schedules of timer triggers: NCRONTAB expressions of five or six fields, and time spans. */
import { Cron } from 'croner';
import { formatTimeSpan, parseTimeSpan } from '../time-span.js';

export interface Schedule {
  /** The schedule as the host logs it: `Cron: '0 0 * * * *'`. */
  description: string;
  /** Whether daylight saving time moves the schedule. */
  onWallClock: boolean;
  /** Whether it runs more often than once a minute. The host then does not record its runs. */
  frequent: boolean;
  /** The first run after `time`, or {@link NEVER}. Both are milliseconds since the epoch. */
  next(time: number): number;
}

/** The last second of .NET's `DateTime`: the due time of a run that never happens. */
export const NEVER = Date.UTC(9999, 11, 31, 23, 59, 59);

interface Field {
  least: number;
  most: number;
  names?: readonly string[];
}

const SECOND: Field = { least: 0, most: 59 };
const HOUR: Field = { least: 0, most: 23 };
const DAY: Field = { least: 1, most: 31 };
const MONTH: Field = {
  least: 1,
  most: 12,
  names: [
    'january',
    'february',
    'march',
    'april',
    'may',
    'june',
    'july',
    'august',
    'september',
    'october',
    'november',
    'december',
  ],
};
const WEEKDAY: Field = {
  least: 0,
  most: 6,
  names: ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'],
};
const FIELDS = [SECOND, SECOND, HOUR, DAY, MONTH, WEEKDAY];

/**
 * Reads a schedule as the host does.
 * @param timeZone the IANA name of the schedule's time zone
 * @returns undefined when `text` is not a schedule
 */
export function parseSchedule(text: string, timeZone: string): Schedule | undefined {
  const parts = text.split(/\s+/).filter((part) => part !== '');
  if (parts.length === 5) parts.unshift('0');
  const fields = parts.length === 6 ? FIELDS.map((field, index) => valuesOf(parts[index]!, field)) : [];
  if (parts.length === 6 && !fields.includes(undefined)) return cronSchedule(fields as number[][], timeZone);
  const interval = parseTimeSpan(text);
  if (interval === undefined || interval <= 0) return undefined;
  return {
    description: `Constant: ${formatTimeSpan(interval)}`,
    onWallClock: false,
    frequent: interval < 60_000,
    next: (time) => time + interval,
  };
}

/**
 * There is one difference from the host. A time that daylight saving skips (02:30 in spring) runs at the end
 * of the gap; on the host it runs an hour later.
 */
function cronSchedule(fields: readonly number[][], timeZone: string): Schedule {
  const isFull = (values: readonly number[], index: number): boolean =>
    values.length === FIELDS[index]!.most - FIELDS[index]!.least + 1;
  const parts = fields.map((values, index) => (isFull(values, index) ? '*' : values.join(',')));
  // In autumn one hour repeats. By the host's rule, a schedule runs in both when two of its seconds, minutes
  // or hours are consecutive.
  const isInterval = fields
    .slice(0, 3)
    .some((values) => values.some((value, index) => values[index + 1] === value + 1));
  const cron = new Cron(parts.join(' '), {
    paused: true,
    mode: '6-part',
    domAndDow: true,
    timezone: timeZone,
    fixedTimeRule: isInterval ? 'single-value' : 'no-wildcard',
  });
  return {
    description: `Cron: '${parts.join(' ')}'`,
    onWallClock: true,
    frequent: fields[0]!.length > 1 && parts.slice(1).every((part) => part === '*'),
    next: (time) => cron.nextRun(new Date(time))?.getTime() ?? NEVER,
  };
}

/**
 * The values of a field in ascending order. A field is `*`, `5`, `1-5` or `MON`, each with or without a step,
 * or a list of them.
 */
function valuesOf(text: string, field: Field): number[] | undefined {
  const found = new Set<number>();
  for (const item of text.split(',')) {
    const [, range, step] = /^([^/]+)(?:\/(\d+))?$/.exec(item) ?? [];
    const bounds =
      range === '*' ? [field.least, field.most] : range?.split('-').map((value) => valueOf(value, field));
    if (bounds === undefined || bounds.length > 2) return undefined;
    const [from, to = step === undefined ? from : field.most] = bounds;
    if (from === undefined || to === undefined || (bounds.length === 2 && bounds[1] === undefined))
      return undefined;
    for (let value = Math.min(from, to); value <= Math.max(from, to); value += Math.max(1, Number(step ?? 1)))
      found.add(value);
  }
  return [...found].toSorted((a, b) => a - b);
}

function valueOf(text: string, { least, most, names = [] }: Field): number | undefined {
  if (/^[a-z]+$/i.test(text)) {
    const index = names.findIndex((name) => name.startsWith(text.toLowerCase()));
    return index < 0 ? undefined : index + least;
  }
  const value = /^\d+$/.test(text) ? Number(text) : -1;
  return value >= least && value <= most ? value : undefined;
}
