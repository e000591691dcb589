/** App settings: the values of local.settings.json and of the environment. */
import { fail, get, isTrue, section, type Json } from './json.js';

/**
 * Reads an app setting: a variable of the environment, else a value of local.settings.json. @returns
 * undefined when it is missing or empty
 */
export type Setting = (name: string) => string | undefined;

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads settings as .NET does: names ignore case, and `__` stands for `:`. */
export function settingOf(all: Environment): Setting {
  const byKey = new Map(Object.entries(all).map(([name, value]) => [settingKey(name), value]));
  return (name) => byKey.get(settingKey(name)) || undefined;
}

export function settingKey(name: string): string {
  return name.replaceAll('__', ':').toLowerCase();
}

/** @throws ConfigError for a value that is an object or a list */
export function readSettings(local: Json, file: string): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(section(local, 'Values'))) {
    // A null sets nothing. Numbers and booleans become text.
    if (value === null) continue;
    if (typeof value === 'object')
      fail(
        file,
        `has ${Array.isArray(value) ? 'a list' : 'an object'} for '${name}', which has to be a text`,
      );
    settings[name] = typeof value === 'string' ? value : JSON.stringify(value);
  }
  for (const [name, value] of Object.entries(section(local, 'ConnectionStrings'))) {
    // Its value is a text, or { ConnectionString, ProviderName }.
    settings[`ConnectionStrings:${name}`] = String(
      typeof value === 'object' && value !== null ? get(value as Json, 'ConnectionString') : value,
    );
  }
  return settings;
}

/** The variables that Core Tools set for an app, unless the app's settings or the environment have others. */
export function coreToolsEnvironment(directory: string): Record<string, string> {
  return {
    AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
    AzureWebJobsScriptRoot: directory,
    FUNCTIONS_CORETOOLS_ENVIRONMENT: 'true',
    FUNCTIONS_WORKER_RUNTIME: 'node',
  };
}

/**
 * Reads `AzureWebJobs.<name>.Disabled`. Some platforms allow no dots in names of variables: there it has
 * underscores.
 */
export function disabledFunctions(environment: Environment): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [setting, value] of Object.entries(environment)) {
    const name = /^AzureWebJobs[._](.+)[._]Disabled$/i.exec(setting)?.[1];
    if (name !== undefined && isTrue(value)) names.add(name.toLowerCase());
  }
  return names;
}
