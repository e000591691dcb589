/** Levels as the Functions host names them, in `host.json` and in the worker's protocol. */
export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

export interface LogRecord {
  level: LogLevel;
  /** As in host.json's `logging.logLevel`: `Function.SendReminder.User`, `Host.Startup`, `DurableTask` ... */
  category: string;
  message: string;
}

/** Where log records go. Implementations filter by level and category. */
export type Log = (level: LogLevel, category: string, message: string) => void;
