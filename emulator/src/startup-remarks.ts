import type { HostConfig } from './config/config.js';
import type { LogLevel } from './log.js';
import type { Queues } from './triggers/queues.js';
import type { FunctionDefinition } from './worker/types.js';

/** Says, in one line each, what of an app does not run here as it is written, and why. */
export function* startupRemarks(
  functions: Iterable<FunctionDefinition>,
  queues: Pick<Queues, 'problem'>,
  { extendedSessions }: Pick<HostConfig, 'extendedSessions'>,
): Iterable<{ level: LogLevel; line: string }> {
  const warning = (line: string): { level: LogLevel; line: string } => ({ level: 'warning', line });
  for (const { name, bindings, trigger, retryOptions } of functions) {
    if (retryOptions !== undefined && trigger.type !== 'timerTrigger')
      yield warning(
        `The retry policy of '${name}' works, but the Functions host warns that it will ignore it soon: of the triggers here, only timers keep theirs.`,
      );
    if (trigger.type === 'warmupTrigger')
      yield warning(`The function '${name}' is never called: the emulator has no instances to warm up.`);
    for (const binding of Object.values(bindings)) {
      if (binding.type !== 'queueTrigger' && binding.type !== 'queue') continue;
      const problem = queues.problem(binding);
      if (problem !== undefined)
        yield warning(
          `The function '${name}' ${binding === trigger ? 'is never called' : 'fails when it writes a message'}: ${problem}.`,
        );
    }
  }
  if (extendedSessions)
    yield {
      level: 'information',
      line: 'extendedSessionsEnabled is ignored: every episode replays its orchestrator from the beginning.',
    };
}
