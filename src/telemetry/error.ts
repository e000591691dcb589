import type { Attributes } from '@opentelemetry/api';

/** What kind of error it is: its name, and the code where it has one. */
export function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' || typeof code === 'number' ? `${error.name}:${code}` : error.name;
}

/** Where an error came from, without its message: that may quote what people wrote. */
export function errorAttributes(error: unknown, message: string): Attributes {
  const frames =
    error instanceof Error
      ? error.stack
          ?.split('\n')
          .filter((line) => /^\s+at /.test(line))
          .join('\n')
      : undefined;
  // Application Insights lists as an exception what has all three of these, and loses what has a type alone.
  return frames
    ? { 'exception.type': typeOf(error), 'exception.message': message, 'exception.stacktrace': frames }
    : { 'error.type': typeOf(error) };
}
