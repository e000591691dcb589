import type { InvocationContext } from '@azure/functions';
import type { Attributes } from '@opentelemetry/api';
import { SeverityNumber, type Logger } from '@opentelemetry/api-logs';
import type { OrchestrationContext } from 'durable-functions';
import { errorAttributes, typeOf } from './error.js';

const LEVELS = [
  ['log', SeverityNumber.INFO],
  ['info', SeverityNumber.INFO],
  ['warn', SeverityNumber.WARN],
  ['error', SeverityNumber.ERROR],
] as const;

/**
 * Copies a function's log lines, `context.log(template, ...values)`, to telemetry: the template of each, and
 * of an error its type and stack frames. The values stay on the host's console, because they may contain
 * names and texts of people. Lines that an orchestrator logs while it replays are not copied.
 */
export function copyLog(invocation: InvocationContext, logger: Logger, attributes: Attributes): void {
  for (const [level, severityNumber] of LEVELS) {
    const write = invocation[level].bind(invocation);
    invocation[level] = (...args: unknown[]) => {
      write(...args);
      if ((invocation as Partial<OrchestrationContext>).df?.isReplaying === true) return;
      const [template] = args;
      const error = args.find((value) => value instanceof Error);
      const body = typeof template === 'string' ? template : typeOf(template);
      logger.emit({
        severityNumber,
        body,
        attributes: { ...attributes, ...(error !== undefined && errorAttributes(error, body)) },
      });
    };
  }
}
