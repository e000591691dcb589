import type { Host } from './host.js';

/** The functions as `func start` prints them. */
export function functionList(host: Host): string {
  const http = host.httpFunctions.map(({ name, methods, url }) => `\t${name}: [${methods.join(',')}] ${url}\n`);
  const others = [...host.worker.functions.values()].filter(({ trigger }) => trigger.type !== 'httpTrigger').map(({ name, trigger }) => `\t${name}: ${trigger.type}\n`);
  return `\nFunctions:\n\n${[...http, ...others].join('\n')}`;
}
