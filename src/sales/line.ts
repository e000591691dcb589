import { z } from 'zod';

/** The longest name of a store, and of an article, in UTF-16 units. */
const STORE = 200;
const SKU = 100;
/** One line sells, or takes back, at most a million pieces for at most a billion in major units: sums stay exact. */
const PIECES = 1_000_000;
const MINOR_UNITS = 100_000_000_000;

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

/** What a line of sales holds. More fields than these may be there; nothing reads them. */
export const salesLine = z.object({
  /** A day, such as `2026-11-27`. */
  date: z.iso.date('It must be a date, such as 2026-11-27'),
  store: name(STORE),
  /** The article: its stock keeping unit. */
  sku: name(SKU),
  /** Pieces; negative for what came back. */
  quantity: whole(PIECES).refine((pieces) => pieces !== 0, 'It must not be 0'),
  /** In minor units, such as cents; negative for a refund. */
  amount: whole(MINOR_UNITS),
});

/** A line of sales, checked. */
export type SalesLine = z.output<typeof salesLine>;

/** The fields of a line, in the order in which they are checked. */
export const FIELDS = ['date', 'store', 'sku', 'quantity', 'amount'] as const satisfies (keyof SalesLine)[];

/** Why a line is not taken. */
export interface Fault {
  /** The first field with a fault; `line` when it is none of them. */
  field: (typeof FIELDS)[number] | 'line';
  reason: string;
}

/** Every month has these days, but for 29 February, which needs its year looked at. */
const plainDate =
  /^\d{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)$/;
/** Text of many scripts without controls, halves of surrogate pairs, or blanks at its ends. */
const plainName =
  /^[!-~\u00a1-\u167f\u3001-\ud7ff](?:[ -~\u00a1-\u167f\u3001-\ud7ff]*[!-~\u00a1-\u167f\u3001-\ud7ff])?$/;

/**
 * Whether a line is good for sure, and stays as it is. {@link salesLine} decides on all others: it would take four times as long
 * as reading the line's JSON does, and nearly all lines are plain.
 */
function isPlain(value: Readonly<Record<string, unknown>>): boolean {
  const { date, store, sku, quantity, amount } = value;
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

/** Checks what was read of a line. @returns the line, or its first fault; it may be the value itself, with fields that are not of a line */
export function checkLine(value: unknown): { line: SalesLine } | { fault: Fault } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { fault: { field: 'line', reason: 'It is not a JSON object' } };
  }
  if (isPlain(value as Record<string, unknown>)) {
    return { line: value as SalesLine };
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
