/** A log level of the Functions host, in host.json and in the worker's protocol. */
export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

/** The log levels, from the lowest to the highest. */
export const LOG_LEVELS: readonly LogLevel[] = [
  'trace',
  'debug',
  'information',
  'warning',
  'error',
  'critical',
  'none',
];

/**
 * Takes log records.
 * The category is one of host.json's `logging.logLevel`: `Function.SendReminder.User`, `Host.Startup`, ...
 *
 * @example
 * ```ts
 * const log: Log = (level, category, message) => console.log(`${level} ${category}: ${message}`);
 * ```
 */
export type Log = (level: LogLevel, category: string, message: string) => void;

export interface ConsoleLogOptions {
  /**
   * Levels by category or prefix of a category (up to a dot); `default` is for the rest. Without it the level
   * is `information`.
   */
  levels: Readonly<Record<string, LogLevel>>;
  /** Prints records of level `debug` and above, whatever `levels` say. */
  verbose?: boolean;
  /** The time that is printed, in milliseconds since the epoch. Default: the machine's. */
  now?: () => number;
  /** Takes the text of one record: one line or more. Default: standard output. */
  write?: (text: string) => void;
  colour?: boolean;
}

const COLOURS: Partial<Record<LogLevel, string>> = {
  trace: '90',
  debug: '90',
  warning: '33',
  error: '31',
  critical: '31',
};

/**
 * Prints as `func start` does: the time in UTC and the message. Before a message of a function comes the
 * function's name.
 */
export function consoleLog({
  levels,
  verbose = false,
  now = Date.now,
  write = toStandardOutput,
  colour = wantsColour(),
}: ConsoleLogOptions): Log {
  const threshold = thresholds(levels, verbose);
  return (level, category, message) => {
    if (level === 'none' || LOG_LEVELS.indexOf(level) < threshold(category)) return;
    const name = /^Function\.(.+)\.User$/.exec(category)?.[1];
    const line = `[${new Date(now()).toISOString()}] ${name === undefined ? '' : `${name}: `}${message}`;
    const code = colour ? COLOURS[level] : undefined;
    write(code === undefined ? line : `\u001B[${code}m${line}\u001B[0m`);
  };
}

/** The lowest level that is printed for a category: the level of its longest prefix in `levels`. */
function thresholds(
  levels: Readonly<Record<string, LogLevel>>,
  verbose: boolean,
): (category: string) => number {
  const lowerCase = new Map(
    Object.entries(levels).map(([category, level]) => [category.toLowerCase(), level]),
  );
  const known = new Map<string, number>();
  return (category) => {
    let threshold = known.get(category);
    if (threshold === undefined) {
      let level: LogLevel | undefined = verbose ? 'debug' : undefined;
      for (
        let prefix = category.toLowerCase();
        prefix !== '' && level === undefined;
        prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf('.')))
      ) {
        level = lowerCase.get(prefix);
      }
      threshold = LOG_LEVELS.indexOf(level ?? lowerCase.get('default') ?? 'information');
      known.set(category, threshold);
    }
    return threshold;
  };
}

function toStandardOutput(text: string): void {
  process.stdout.write(`${text}\n`);
}

function wantsColour(): boolean {
  return process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
}

/** The first line of an error's message, for a record of the log. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
}
