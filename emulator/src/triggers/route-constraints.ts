/**
 * The inline constraints of ASP.NET Core's route templates. Values are read as .NET does in the invariant
 * culture.
 */

type Constraint = (value: string) => boolean;

const INT: readonly [bigint, bigint] = [-(2n ** 31n), 2n ** 31n - 1n];
const LONG: readonly [bigint, bigint] = [-(2n ** 63n), 2n ** 63n - 1n];
const DIGITS = '[0-9a-f]';
const HYPHENED = `${DIGITS}{8}-${DIGITS}{4}-${DIGITS}{4}-${DIGITS}{4}-${DIGITS}{12}`;
const GUID = new RegExp(`^\\s*(?:${DIGITS}{32}|${HYPHENED}|\\{${HYPHENED}\\}|\\(${HYPHENED}\\))\\s*$`, 'i');
const DOUBLE = /^\s*[-+]?(?:(?:\d[\d,]*\.?\d*|\.\d+)(?:e[-+]?\d+)?|infinity|∞)\s*$|^\s*[-+]?nan\s*$/i;
/** The sign may be at either end. */
const DECIMAL = /^\s*(?:[-+]?(?:\d[\d,]*\.?\d*|\.\d+)|(?:\d[\d,]*\.?\d*|\.\d+)[-+])\s*$/;
/** The largest number of .NET's `decimal`, plus one. */
const DECIMAL_LIMIT = 2n ** 96n;

/** @throws Error with the mistake in the constraint */
export function parseConstraint(text: string): Constraint {
  const found = /^\s*([a-z]+)\s*(?:\((.*)\))?\s*$/is.exec(text);
  const name = found?.[1]?.toLowerCase();
  const argument = found?.[2];
  switch (name) {
    case 'int':
      return within(INT);
    case 'long':
      return within(LONG);
    case 'bool':
      return (value) => /^\s*(true|false)\s*$/i.test(value);
    case 'guid':
      return (value) => GUID.test(value);
    case 'alpha':
      return (value) => /^[a-z]*$/i.test(value);
    case 'decimal':
      return (value) =>
        DECIMAL.test(value) &&
        BigInt(/^[\d,]*/.exec(value.replaceAll(/[\s+-]/g, ''))![0].replaceAll(',', '')) < DECIMAL_LIMIT;
    case 'double':
    case 'float':
      return (value) => DOUBLE.test(value);
    case 'datetime':
      return isDateTime;
    case 'file':
      return isFile;
    case 'nonfile':
      return (value) => !isFile(value);
    case 'required':
      return (value) => value !== '';
    case 'length': {
      const [low, high = low] = numbers(argument, 1, 2);
      return (value) => value.length >= low! && value.length <= high!;
    }
    case 'minlength': {
      const [low] = numbers(argument, 1);
      return (value) => value.length >= low!;
    }
    case 'maxlength': {
      const [high] = numbers(argument, 1);
      return (value) => value.length <= high!;
    }
    case 'min':
      return within([integers(argument, 1)[0]!, LONG[1]]);
    case 'max':
      return within([LONG[0], integers(argument, 1)[0]!]);
    case 'range': {
      const [low, high] = integers(argument, 2);
      return within([low!, high!]);
    }
    case 'regex': {
      if (argument === undefined) throw new Error('it needs a pattern in parentheses');
      const pattern = new RegExp(argument, 'i');
      return (value) => pattern.test(value);
    }
    default:
      throw new Error('there is no such constraint');
  }
}

/** Whether .NET reads a text as a date, a time or both, in its common forms. */
function isDateTime(value: string): boolean {
  const text = value.trim();
  const [, hour, minute, second = '0', half] =
    /^(\d\d?)(?::(\d\d?)(?::(\d\d?)(?:\.\d+)?)?)?\s*([ap]m)?$/i.exec(text) ?? [];
  if (hour !== undefined)
    return (
      (minute !== undefined || half !== undefined) &&
      (half === undefined ? Number(hour) < 24 : Number(hour) <= 12) &&
      Number(minute ?? 0) < 60 &&
      Number(second) < 60
    );
  const [, year, month, day] = /^(\d{4})[-./](\d\d?)[-./](\d\d?)(?!\d)/.exec(text) ?? [];
  // Date.parse takes the last of February for the first of March, and a number for a year.
  if (day !== undefined && Number(day) > new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate())
    return false;
  return !/^\d+$/.test(text) && !Number.isNaN(Date.parse(text));
}

/** Whether the last segment has a dot with something after it. */
function isFile(value: string): boolean {
  return /\.[^./]*[^./ ][^./]*$/.test(value.slice(value.lastIndexOf('/') + 1));
}

function within([low, high]: readonly [bigint, bigint]): Constraint {
  return (value) => {
    const number = integer(value);
    return number !== undefined && number >= low && number <= high;
  };
}

function integer(text: string): bigint | undefined {
  const digits = /^\s*([-+]?\d+)\s*$/.exec(text)?.[1];
  return digits === undefined ? undefined : BigInt(digits.replace('+', ''));
}

function integers(argument: string | undefined, ...counts: number[]): bigint[] {
  const found = (argument ?? '').split(',').map(integer);
  if (!counts.includes(found.length) || found.includes(undefined))
    throw new Error(`it needs ${counts.join(' or ')} whole number(s) in parentheses`);
  return found as bigint[];
}

function numbers(argument: string | undefined, ...counts: number[]): number[] {
  return integers(argument, ...counts).map(Number);
}
