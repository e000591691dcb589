/** Levels as the Functions host names them, in `host.json` and in the worker's protocol. */
export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

/**
 * Where log records go.
 * `category` is as in host.json's `logging.logLevel`: `Function.SendReminder.User`, `Host.Startup`, ...
 */
export type Log = (level: LogLevel, category: string, message: string) => void;

const ORDER: readonly LogLevel[] = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'];
const COLOURS: Partial<Record<LogLevel, string>> = { warning: '\u001B[33m', error: '\u001B[31m', critical: '\u001B[31m', debug: '\u001B[90m', trace: '\u001B[90m' };

/**
 * Prints as `func start` does: a time in UTC and the message. What a category may say is decided by its longest prefix
 * among `levels`.
 */
export function consoleLog(levels: Readonly<Record<string, LogLevel>>, write: (line: string) => void = (line) => { process.stdout.write(`${line}\n`); }): Log {
  const thresholds = new Map<string, number>();
  const threshold = (category: string): number => {
    let found = thresholds.get(category);
    if (found === undefined) {
      const parts = category.split('.');
      let level: LogLevel | undefined;
      for (let length = parts.length; length > 0 && level === undefined; length--) level = levels[parts.slice(0, length).join('.')];
      found = ORDER.indexOf(level ?? levels['default'] ?? 'information');
      thresholds.set(category, found);
    }
    return found;
  };
  const colourful = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  return (level, category, message) => {
    if (level === 'none' || ORDER.indexOf(level) < threshold(category)) return;
    const colour = colourful ? COLOURS[level] : undefined;
    const line = `[${new Date().toISOString()}] ${message}`;
    write(colour === undefined ? line : `${colour}${line}\u001B[0m`);
  };
}
