/** Time spans of .NET: `[-][d.]hh:mm[:ss[.fffffff]]`, or a number of days. */

const SPAN = /^(-)?(?:(\d+)\.)?(\d+):(\d+)(?::(\d+)(?:\.(\d{1,7}))?)?$/;

/**
 * Reads a time span. As in .NET, three parts are days, hours and minutes when the first is above 23:
 * `24:00:00` is 24 days.
 * @returns milliseconds; undefined when `text` is not a time span
 */
export function parseTimeSpan(text: string): number | undefined {
  const trimmed = text.trim();
  if (/^-?\d+$/.test(trimmed)) return Number(trimmed) * 86_400_000;
  const found = SPAN.exec(trimmed);
  if (found === null) return undefined;
  const [, minus, ...parts] = found;
  let [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(0, 4).map((part) => Number(part ?? 0));
  const fraction = Number(`0.${parts[4] ?? '0'}`);
  if (hours > 23 && parts[0] === undefined && parts[3] !== undefined)
    [days, hours, minutes, seconds] = [hours, minutes, seconds, 0];
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const span = ((days * 24 + hours) * 60 + minutes) * 60_000 + Math.round((seconds + fraction) * 1000);
  return minus === undefined ? span : -span;
}

/** Writes a time span as .NET's `TimeSpan.ToString()` does: `00:05:00`, `1.00:00:00`, `00:00:01.5000000`. */
export function formatTimeSpan(milliseconds: number): string {
  const span = Math.abs(Math.round(milliseconds));
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const days = Math.floor(span / 86_400_000);
  const fraction = span % 1000;
  return (
    `${milliseconds < 0 ? '-' : ''}${days > 0 ? `${days}.` : ''}${two((span / 3_600_000) % 24)}:${two((span / 60_000) % 60)}:${two((span / 1000) % 60)}` +
    (fraction === 0 ? '' : `.${String(fraction).padStart(3, '0')}0000`)
  );
}
