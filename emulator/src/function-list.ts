import type { Host } from './host.js';
import { authLevel } from './triggers/http-functions.js';

/** The functions as `func start` prints them. */
export function functionList(host: Host): string {
  const all = host.functions;
  const enabled = all.filter((definition) => !host.isDisabled(definition));
  const lines = [
    ...host.httpFunctions.map(({ name, methods, url }) => `\t${name}: [${methods.join(',')}] ${url}\n`),
    ...enabled
      .filter(({ trigger, problem }) => trigger.type !== 'httpTrigger' && problem === undefined)
      .map(({ name, trigger }) => `\t${name}: ${trigger.type}\n`),
    ...enabled.flatMap(({ name, problem }) =>
      problem === undefined ? [] : [`Function ${name} does not run here. ${problem}\n`],
    ),
    ...all
      .filter((definition) => host.isDisabled(definition))
      .map(({ name }) => `Function ${name} is disabled.\n`),
  ];
  return `\nFunctions:\n\n${lines.join('\n')}`;
}

/** The keys that open the app with `--enforce-keys`. */
export function keyList({ keys, functions }: Host): string {
  const lines = [
    `\tmaster: ${keys.master}`,
    `\thost: ${keys.host}`,
    `\tdurabletask_extension: ${keys.durableTask}`,
  ];
  for (const definition of functions) {
    if (authLevel(definition) === 'function')
      lines.push(`\t${definition.name}: ${keys.functions[definition.name]}`);
  }
  return `Keys, for the header x-functions-key or ?code= in the URL:\n\n${lines.join('\n')}\n`;
}
