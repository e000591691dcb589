import type { RuntimeStatus } from '../history.js';

/** In the order of the framework's numbers, which a query may use instead of names. */
const STATUSES: readonly RuntimeStatus[] = [
  'Running',
  'Completed',
  'ContinuedAsNew',
  'Failed',
  'Canceled',
  'Terminated',
  'Pending',
  'Suspended',
];

const ISO_TIME =
  /^(\d{1,4})[-/](\d\d?)[-/](\d\d?)(?:[T ](\d\d?):(\d\d)(?::(\d\d)(?:\.(\d+))?)?\s*(Z|[-+]\d\d:?\d\d)?)?$/i;
const US_TIME = /^(\d\d?)\/(\d\d?)\/(\d{4})(?:\s+(\d\d?):(\d\d)(?::(\d\d))?)?$/;

/**
 * Reads a query string like .NET: names in any case, repeated values joined by commas, values that do not
 * parse ignored.
 */
export class Query {
  readonly #values = new Map<string, string>();

  constructor(parameters: URLSearchParams) {
    for (const [name, value] of parameters) {
      const key = name.toLowerCase();
      const before = this.#values.get(key);
      this.#values.set(key, before === undefined ? value : `${before},${value}`);
    }
  }

  text(name: string): string | undefined {
    return this.#values.get(name.toLowerCase());
  }

  flag(name: string): boolean | undefined {
    const value = this.#trimmed(name).toLowerCase();
    return value === 'true' ? true : value === 'false' ? false : undefined;
  }

  integer(name: string): number | undefined {
    const value = this.#trimmed(name);
    return /^[-+]?\d{1,10}$/.test(value) && Math.abs(Number(value)) < 2 ** 31 ? Number(value) : undefined;
  }

  number(name: string): number | undefined {
    const value = this.#trimmed(name).replaceAll(',', '');
    if (/^[-+]?nan$/i.test(value)) return NaN;
    const finite = value.replace(/^([-+]?)(?:infinity|∞)$/i, '$11e999');
    return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(finite) ? Number(finite) : undefined;
  }

  /** Milliseconds since the epoch; a time without a zone is UTC, as on Azure. */
  time(name: string): number | undefined {
    const value = this.#trimmed(name);
    const iso = ISO_TIME.exec(value);
    if (iso !== null) {
      const [, year, month, day, hour, minute, second, fraction, zone] = iso;
      const time = utc(
        Number(year),
        Number(month),
        Number(day),
        Number(hour ?? 0),
        Number(minute ?? 0),
        Number(second ?? 0),
      );
      return time === undefined
        ? undefined
        : time + Number((fraction ?? '').padEnd(3, '0').slice(0, 3)) - offset(zone);
    }
    const us = US_TIME.exec(value);
    if (us === null) return undefined;
    const [, month, day, year, hour, minute, second] = us;
    return utc(
      Number(year),
      Number(month),
      Number(day),
      Number(hour ?? 0),
      Number(minute ?? 0),
      Number(second ?? 0),
    );
  }

  /** Ignores unknown names. An empty result means all statuses. */
  statuses(name: string): RuntimeStatus[] {
    const wanted = new Set(
      this.text(name)
        ?.split(',')
        .map((value) => value.trim()),
    );
    return STATUSES.filter((status, number) => wanted.has(status) || wanted.has(String(number)));
  }

  #trimmed(name: string): string {
    return (this.text(name) ?? '').trim();
  }
}

/** Undefined for a date or time that does not exist. */
function utc(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  if (year < 1 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59)
    return undefined;
  const date = new Date(Date.UTC(2000, 0, 1, hour, minute, second));
  // Date.UTC maps the years 0 to 99 to 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCDate() === day ? date.getTime() : undefined;
}

function offset(zone: string | undefined): number {
  if (zone === undefined || zone.toUpperCase() === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}
