/** App settings: the values of local.settings.json and of the environment. */
import { ConfigError, get, isTrue, section, type Json } from './json.js';

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

export function readSettings(local: Json): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(section(local, 'Values'))) settings[name] = String(value);
  for (const [name, value] of Object.entries(section(local, 'ConnectionStrings'))) {
    // Its value is a text, or { ConnectionString, ProviderName }.
    settings[`ConnectionStrings:${name}`] = String(
      typeof value === 'object' && value !== null ? get(value as Json, 'ConnectionString') : value,
    );
  }
  return settings;
}

/** @throws ConfigError for a name that IANA does not have, for example a name of Windows */
export function timeZone(name: string): string {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    throw new ConfigError(
      `The setting 'WEBSITE_TIME_ZONE' names the time zone '${name}', which is not one of IANA's, such as Europe/Berlin.`,
    );
  }
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
