import type { Attributes } from '@opentelemetry/api';

/** The type of an error: its name, and its code if it has one. */
export function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' || typeof code === 'number' ? `${error.name}:${code}` : error.name;
}

/** The stack frames of an error, without its message, because a message may quote text from people. */
export function errorAttributes(error: unknown, message: string): Attributes {
  const frames =
    error instanceof Error
      ? error.stack
          ?.split('\n')
          .filter((line) => /^\s+at /.test(line))
          .join('\n')
      : undefined;
  // Application Insights shows a record as an exception only if it has all three of these.
  return frames
    ? { 'exception.type': typeOf(error), 'exception.message': message, 'exception.stacktrace': frames }
    : { 'error.type': typeOf(error) };
}
