import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { HostConfig } from './config/config.js';
import type { LogLevel } from './log.js';
import type { StorageBindings } from './triggers/storage-bindings.js';
import type { FunctionDefinition } from './worker/types.js';

/** Says, in one line each, what of an app does not run here as it is written, and why. */
export function* startupRemarks(
  functions: Iterable<FunctionDefinition>,
  storage: Pick<StorageBindings, 'problem'>,
  {
    directory,
    extendedSessions,
    ignored,
    otherProvider,
  }: Pick<HostConfig, 'directory' | 'extendedSessions' | 'ignored' | 'otherProvider'>,
): Iterable<{ level: LogLevel; line: string }> {
  const warning = (line: string): { level: LogLevel; line: string } => ({ level: 'warning', line });
  for (const { name, bindings, trigger, retryOptions, problem: unsupported } of functions) {
    if (unsupported !== undefined) {
      yield { level: 'error', line: unsupported };
      continue;
    }
    if (retryOptions !== undefined && trigger.type !== 'timerTrigger')
      yield warning(
        `The retry policy of '${name}' works, but the Functions host warns that it will ignore it soon: of the triggers here, only timers keep theirs.`,
      );
    if (trigger.type === 'warmupTrigger')
      yield warning(`The function '${name}' is never called: the emulator has no instances to warm up.`);
    for (const binding of Object.values(bindings)) {
      const found = storage.problem(binding);
      if (found === undefined) continue;
      const what =
        binding === trigger
          ? 'is never called'
          : binding.type === 'queue'
            ? 'fails when it writes a message'
            : binding.direction === 'in'
              ? 'fails'
              : `fails when it writes a ${binding.type === 'blob' ? 'blob' : 'row'}`;
      yield warning(`The function '${name}' ${what}: ${found}.`);
    }
  }
  const old = oldSdk(directory);
  if (old !== undefined)
    yield warning(
      `durable-functions ${old} does not run on Node ${process.versions.node}, here and in Azure: createTimer calls util.isDate, which Node 23 has removed. Update it to 3.4 or later.`,
    );
  if (ignored.length > 0)
    yield {
      level: 'information',
      line: `These settings of host.json are ignored here: ${ignored.join(', ')}.`,
    };
  if (otherProvider !== undefined)
    yield {
      level: 'information',
      line: `The storage provider ${otherProvider} of host.json is not here: the emulator's own hub takes its place.`,
    };
  if (extendedSessions)
    yield warning(
      'extendedSessionsEnabled is ignored. In Azure, the Durable extension refuses it for an app in JavaScript: remove it from host.json.',
    );
}

/** The version of the app's durable-functions, if it is one that needs an older Node than this one. */
function oldSdk(directory: string): string | undefined {
  if (Number(process.versions.node.split('.')[0]) < 23) return undefined;
  try {
    const file = createRequire(path.join(directory, 'package.json')).resolve(
      'durable-functions/package.json',
    );
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
    return /^(?:[0-2]\.|3\.[0-3]\.)/.test(version) ? version : undefined;
  } catch {
    return undefined;
  }
}
