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
      .filter(([key, inner]) => inner !== undefined && !SERVER_HEADERS.has(key))
      .map(([key, inner]) => [
        key,
        /^(stackTrace|StackTrace)$/.test(key) ? '' : key === 'PopReceipt' ? '<receipt>' : comparable(inner),
      ]),
  );
}

function comparableText(text: string): string {
  return (
    withoutStacks(nested(text))
      .replaceAll(/y{1000,}/g, ({ length }) => `<${length} y>`)
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
          ? value.replace(/\nStack:[\s\S]*/, '')
          : value;
  try {
    return text.slice(0, start) + JSON.stringify(JSON.parse(text.slice(start), blank));
  } catch {
    // Cut off, as the app does with what it caught.
    return text;
  }
}
