import type { Setting } from '../config/settings.js';
import type { Binding, FunctionDefinition } from '../worker/types.js';

/**
 * A binding cannot work: the emulator does not have its type, or a setting in it is not set. The message is
 * one line for a person.
 */
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
]);

/** The properties in which `%SETTING%` is replaced by the value of the setting. */
const RESOLVED: Readonly<Record<string, readonly string[]>> = {
  queueTrigger: ['queueName', 'connection'],
  queue: ['queueName', 'connection'],
  timerTrigger: ['schedule'],
};

/** Fills the settings into the bindings of a function. @throws UnsupportedBindingError */
export function resolveBindings(definition: FunctionDefinition, setting: Setting): FunctionDefinition {
  const bindings: Record<string, Binding> = {};
  for (const [key, binding] of Object.entries(definition.bindings))
    bindings[key] = resolve(definition.name, { ...binding, name: key }, setting);
  return { ...definition, bindings, trigger: bindings[definition.trigger.name]! };
}

function resolve(functionName: string, binding: Binding, setting: Setting): Binding {
  const { type } = binding;
  if (!SUPPORTED.has(type))
    throw new UnsupportedBindingError(
      `The function '${functionName}' uses the binding '${type}', which the emulator does not have.`,
    );
  const resolved = { ...binding };
  for (const property of RESOLVED[type] ?? []) {
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
  if (type === 'queue' && /[{}]/.test(String(resolved['queueName']))) {
    throw new UnsupportedBindingError(
      `The function '${functionName}' computes the name of a queue ('${String(resolved['queueName'])}'). The emulator cannot do that.`,
    );
  }
  return resolved;
}
