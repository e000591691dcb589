import type { Setting } from '../config/settings.js';
import type { Binding, FunctionDefinition } from '../worker/types.js';

/** A binding cannot work, for example because a setting in it is not set. The message is one line for a person. */
export class UnsupportedBindingError extends Error {
  override name = 'UnsupportedBindingError';
}

/** The binding types that the emulator has. */
const SUPPORTED: ReadonlySet<string> = new Set([
  'httpTrigger',
  'queueTrigger',
  'timerTrigger',
  'warmupTrigger',
  'orchestrationTrigger',
  'activityTrigger',
  'entityTrigger',
  'durableClient',
  'orchestrationClient',
  'http',
  'queue',
  'blobTrigger',
  'blob',
  'table',
]);

/** The properties in which `%SETTING%` is replaced by the value of the setting. */
const RESOLVED: Readonly<Record<string, readonly string[]>> = {
  queueTrigger: ['queueName', 'connection'],
  queue: ['queueName', 'connection'],
  timerTrigger: ['schedule'],
  blobTrigger: ['path', 'connection'],
  blob: ['path', 'connection'],
  table: ['tableName', 'partitionKey', 'rowKey', 'filter', 'connection'],
};

/**
 * Fills the settings into the bindings of a function. A function with bindings that the emulator does not have
 * gets its {@link FunctionDefinition.problem}, which names them all.
 * @throws UnsupportedBindingError when a setting is missing
 */
export function resolveBindings(definition: FunctionDefinition, setting: Setting): FunctionDefinition {
  const { name, trigger } = definition;
  const missing = new Set<string>();
  for (const { type } of Object.values(definition.bindings))
    if (!SUPPORTED.has(type)) missing.add(`'${type}'`);
  if (missing.size > 0)
    return {
      ...definition,
      problem: `The function '${name}' uses ${missing.size === 1 ? 'the binding' : 'the bindings'} ${[...missing].join(' and ')}, which the emulator does not have. Everything else runs; the setting AzureWebJobs.${name}.Disabled=true switches it off.`,
    };
  const bindings: Record<string, Binding> = {};
  for (const [key, binding] of Object.entries(definition.bindings))
    bindings[key] = resolve(name, { ...binding, name: key }, setting);
  return { ...definition, bindings, trigger: bindings[trigger.name]! };
}

function resolve(functionName: string, binding: Binding, setting: Setting): Binding {
  const resolved = { ...binding };
  for (const property of RESOLVED[binding.type] ?? []) {
    const value = binding[property];
    if (typeof value !== 'string') continue;
    resolved[property] = value.replaceAll(/%([^%]+)%/g, (_, name: string) => {
      const found = setting(name);
      if (found === undefined)
        throw new UnsupportedBindingError(
          `The function '${functionName}' names the setting '${name}' in its ${property}, which is not set.`,
        );
      return found;
    });
  }
  return resolved;
}
