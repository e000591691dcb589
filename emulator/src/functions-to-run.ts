import type { HostConfig } from './config/config.js';
import type { Log } from './log.js';
import { UnsupportedBindingError } from './triggers/bindings.js';
import type { FunctionDefinition } from './worker/types.js';

/** A name that the Functions host accepts. */
const NAME = /^[a-z][\w-]{0,127}$/i;

/**
 * The functions of an app that the host takes: those on the list in host.json, if there is one, with a name
 * that it accepts. The log names the others.
 * @throws UnsupportedBindingError when the names of two functions differ only by case: the host does not start then
 */
export function functionsToRun(
  all: readonly FunctionDefinition[],
  { only }: Pick<HostConfig, 'only'>,
  log: Log,
): FunctionDefinition[] {
  const names = new Map<string, string>();
  for (const { name } of all) {
    const other = names.get(name.toLowerCase());
    if (other !== undefined)
      throw new UnsupportedBindingError(
        `The names of the functions '${other}' and '${name}' differ only by case: the Functions host does not start then.`,
      );
    names.set(name.toLowerCase(), name);
  }
  const listed = all.filter(({ name }) => only === undefined || only.has(name.toLowerCase()));
  if (only !== undefined) {
    const missing = [...only].filter((wanted) => !all.some(({ name }) => name.toLowerCase() === wanted));
    const left = all.length - listed.length;
    log(
      missing.length === 0 ? 'information' : 'warning',
      'Host.Startup',
      `"functions" in host.json or in the environment lists the functions that run: ${left} ${left === 1 ? 'other does' : 'others do'} not.` +
        (missing.length === 0 ? '' : ` The app has no ${missing.map((name) => `'${name}'`).join(', ')}.`),
    );
  }
  return listed.filter(({ name }) => {
    const isName = NAME.test(name) && name.toLowerCase() !== 'host';
    if (!isName)
      log(
        'error',
        'Host.Startup',
        `The '${name}' function is in error: '${name}' is not a valid function name. It does not run: the host accepts a letter, and then up to 127 letters, digits, '_' and '-'.`,
      );
    return isName;
  });
}
