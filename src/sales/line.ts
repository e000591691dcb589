import { z } from 'zod';

/** The longest name of a store, and of an article, in UTF-16 units. */
const STORE = 200;
const SKU = 100;
/**
 * One line sells, or takes back, at most a million pieces for at most a billion in major units: sums stay
 * exact.
 */
const PIECES = 1_000_000;
export const MINOR_UNITS = 100_000_000_000;

/** Control characters, but for the tabs and line ends that a quoted field may hold. */
const noControls = /^(?:[^\p{Cc}]|[\t\r\n])*$/u;

const name = (max: number) =>
  z
    .string('It must be text')
    .trim()
    .min(1, 'It must not be empty')
    .max(max, `It must have at most ${max} characters`)
    .regex(noControls, 'It must not hold control characters')
    .refine((value) => value.isWellFormed(), 'It is not well-formed Unicode');

const whole = (limit: number) =>
  z
    .int('It must be a whole number')
    .min(-limit, `It must be at least ${-limit}`)
    .max(limit, `It must be at most ${limit}`);

/** The schema of a line of sales. Other fields are ignored. */
export const salesLine = z.object({
  /** A day, such as `2026-11-27`. */
  date: z.iso.date('It must be a date, such as 2026-11-27'),
  store: name(STORE),
  /** The article: its stock keeping unit. */
  sku: name(SKU),
  /** Pieces; negative for returns. */
  quantity: whole(PIECES).refine((pieces) => pieces !== 0, 'It must not be 0'),
  /** In minor units, such as cents; negative for a refund. */
  amount: whole(MINOR_UNITS),
});

/** A line of sales, checked. */
export type SalesLine = z.output<typeof salesLine>;

/** The fields of a line, in the order in which they are checked. */
export const FIELDS = ['date', 'store', 'sku', 'quantity', 'amount'] as const satisfies (keyof SalesLine)[];

/** Why a line is rejected. */
export interface Fault {
  /** The first invalid field; `line` when the whole line is invalid. */
  field: (typeof FIELDS)[number] | 'line';
  reason: string;
}

/** The days of each month, without 29 February, which depends on the year. */
const plainDate =
  /^\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)$/;
/** Text without control characters, unpaired surrogates, or blanks at its ends. */
const plainName =
  /^[!-~\u00a1-\u167f\u3001-\ud7ff](?:[ -~\u00a1-\u167f\u3001-\ud7ff]*[!-~\u00a1-\u167f\u3001-\ud7ff])?$/;

/**
 * A fast check: whether a line is certainly valid and needs no change, as nearly all lines are. {@link
 * checkLine} decides on the others; for all lines it would take four times as long as parsing their JSON.
 */
export function isPlain(value: unknown): value is SalesLine {
  if (typeof value !== 'object' || value === null) return false;
  const { date, store, sku, quantity, amount } = value as Readonly<Record<string, unknown>>;
  return (
    typeof date === 'string' &&
    plainDate.test(date) &&
    typeof store === 'string' &&
    store.length <= STORE &&
    plainName.test(store) &&
    typeof sku === 'string' &&
    sku.length <= SKU &&
    plainName.test(sku) &&
    isWhole(quantity, PIECES) &&
    quantity !== 0 &&
    isWhole(amount, MINOR_UNITS)
  );
}

function isWhole(value: unknown, limit: number): boolean {
  return Number.isInteger(value) && (value as number) >= -limit && (value as number) <= limit;
}

/**
 * Checks a parsed line.
 *
 * @returns the line, or its first error
 */
export function checkLine(value: unknown): { line: SalesLine } | { fault: Fault } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { fault: { field: 'line', reason: 'It is not a JSON object' } };
  }
  const checked = salesLine.safeParse(value);
  if (checked.success) {
    return { line: checked.data };
  }
  const [issue] = checked.error.issues;
  const field = issue?.path[0] as Fault['field'] | undefined;
  const isThere = field !== undefined && Object.hasOwn(value, field);
  return {
    fault: { field: field ?? 'line', reason: isThere && issue ? issue.message : 'There is no such field' },
  };
}
