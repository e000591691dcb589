/** Leaves out what an older version of the extension does otherwise. */
class Older {
  differs = false;

  /** Whether 3.14.1 has no such key in an object. */
  isNewer(key: string, object: object): boolean {
    const newer =
      ((key === 'parentInstanceId' || key === 'version') && 'runtimeStatus' in object) ||
      (key === 'InstanceId' && 'ScheduledTime' in object);
    this.differs ||= newer;
    return newer;
  }

  without(text: string): string {
    const without = text
      .replaceAll(/(Activity function '\w+' failed:)  /g, '$1 ')
      .replaceAll(/(Extensions\.DurableTask\/3)\.\d+\.\d+/g, '$1');
    this.differs ||= without !== text;
    return without;
  }
}

let older: Older | undefined;

/** What 3.19.0 has changed, for a table of what was compared. */
export const CHANGED =
  'where 3.19.0 differs: parentInstanceId, version, InstanceId of sub-orchestrations, one blank after "failed:", the user-agent';

/**
 * Like {@link comparable}, for a recording of the extension 3.14.1 and a host that follows 3.19.0.
 *
 * @param differs called when the two versions differ in the value
 */
export function comparableTo314(value: unknown, differs: () => void = () => {}): unknown {
  older = new Older();
  try {
    const result = comparable(value);
    if (older.differs) differs();
    return result;
  } finally {
    older = undefined;
  }
}

/** In what `callHttp` got: what the server that was asked says of itself. */
const SERVER_HEADERS: ReadonlySet<string> = new Set([
  'Server',
  'Connection',
  'Keep-Alive',
  'Transfer-Encoding',
]);

/**
 * What two hosts have to have in common: all but the ids they make up, the time, their addresses and keys,
 * and .NET's stack traces.
 */
export function comparable(value: unknown): unknown {
  if (typeof value === 'string') return comparableText(value);
  if (value instanceof Uint8Array)
    return value.length === 0 ? {} : { utf8: comparableText(Buffer.from(value).toString()) };
  if (Array.isArray(value)) return value.map(comparable);
  if (value instanceof Date) return '<time>Z';
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([key, inner]) =>
          inner !== undefined && !SERVER_HEADERS.has(key) && older?.isNewer(key, value) !== true,
      )
      .map(([key, inner]) => [
        key,
        /^(stackTrace|StackTrace)$/.test(key) ? '' : key === 'PopReceipt' ? '<receipt>' : comparable(inner),
      ]),
  );
}

function comparableText(text: string): string {
  return (
    (older?.without(withoutStacks(nested(text))) ?? withoutStacks(nested(text)))
      .replaceAll(/([xy])\1{999,}/g, ({ length }, letter: string) => `<${length} ${letter}>`)
      // .NET enumerates them in the order of their hashes, which change with the process.
      .replaceAll(
        /(known \w+ functions: )((?:'\w+'(?:, )?)+)/g,
        (_, head: string, names: string) => head + names.split(', ').toSorted().join(', '),
      )
      .replaceAll(/(http:\/\/)?(localhost|127\.0\.0\.1):\d+/g, '$1<host>')
      .replaceAll(/code=[^&\s"?]+/g, 'code=<key>')
      .replaceAll(/[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/g, '<id>')
      .replaceAll(/20\d\d-\d\d-\d\dT[\d:.]+(Z|\+00:00)?/g, '<time>$1')
      .replaceAll(/\d\d\/\d\d\/20\d\d [\d:]{8}/g, '<time>')
      .replaceAll(/\w{3}, \d\d \w{3} 20\d\d [\d:]+ GMT/g, '<date>')
      // Without a zone when the clock had not moved since the label before.
      .replaceAll(/((?:Timestamp|Last|Predecessor)\\?":\\?"<time>)Z/g, '$1')
      .replaceAll(/("startTime":|"duration":|"requestTime":)\d+/g, '$1<time>')
  );
}

/** JSON in a text is made comparable itself. */
function nested(text: string): string {
  if (!text.startsWith('{"')) return text;
  try {
    return JSON.stringify(comparable(JSON.parse(text)));
  } catch {
    return text;
  }
}

/** An exception that .NET has written into a text, without its stack traces. */
function withoutStacks(text: string): string {
  const start = text.indexOf('{"$type":"System.Exception');
  if (start < 0) return text.replace(/(StackTrace: )[\s\S]*/, '$1');
  const blank = (key: string, value: unknown): unknown =>
    typeof value !== 'string'
      ? value
      : key.endsWith('StackTrace')
        ? ''
        : key === 'Message'
          ? value.replace(/\nStack:[\s\S]*/, '').trimStart()
          : value;
  try {
    return text.slice(0, start) + JSON.stringify(JSON.parse(text.slice(start), blank));
  } catch {
    // Cut off, as the app does with what it caught: at a place that depends on the version.
    if (older !== undefined) older.differs = true;
    return `${text.slice(0, start)}<cut>`;
  }
}
