import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { LogLevel } from './log.js';

/** A configuration file that cannot be used. The message is one line naming the file. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** What host.json, local.settings.json and the environment say. */
export interface HostConfig {
  routePrefix: string;
  hubName: string;
  /** The app setting that holds the storage connection of the hub. */
  hubConnection: string;
  storeInputs: boolean;
  maxConcurrentActivities: number | undefined;
  /** By category or prefix of one; `default` for the rest. */
  logLevels: Record<string, LogLevel>;
  /** App settings of local.settings.json; the environment's own take precedence. */
  settings: Record<string, string>;
  port: number;
  cors: { origins: string[]; credentials: boolean };
  /** `AzureWebJobsDisableHomepage`. */
  homepage: boolean;
}

type Json = Record<string, unknown>;

/** Reads an app's configuration. @throws ConfigError */
export function readConfig(directory: string, environment: Readonly<Record<string, string | undefined>> = process.env): HostConfig {
  const host = readJson(path.join(directory, 'host.json')) ?? fail(path.join(directory, 'host.json'), 'is missing');
  if (host['version'] !== '2.0') fail(path.join(directory, 'host.json'), 'has to say "version": "2.0"');
  const local = readJson(path.join(directory, 'local.settings.json')) ?? {};
  if (local['IsEncrypted'] === true) fail(path.join(directory, 'local.settings.json'), 'is encrypted: decrypt it with `func settings decrypt`');

  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(section(local, 'Values'))) settings[name] = String(value);
  for (const [name, value] of Object.entries(section(local, 'ConnectionStrings'))) settings[`ConnectionStrings:${name}`] = String(value);
  const setting = (name: string): string | undefined => environment[name] ?? settings[name];
  for (const [name, value] of Object.entries({ ...settings, ...environment })) {
    const place = /^AzureFunctionsJobHost__(.+)$/i.exec(name)?.[1];
    if (place !== undefined && value !== undefined) override(host, place.split('__'), value);
  }
  const expand = (text: string): string => text.replaceAll(/%([^%]+)%/g, (_, name: string) => setting(name) ?? fail(path.join(directory, 'host.json'), `names the setting '${name}', which is not set`));

  const durable = section(host, 'extensions', 'durableTask');
  const hosting = section(local, 'Host');
  return {
    routePrefix: String(section(host, 'extensions', 'http')['routePrefix'] ?? 'api').replaceAll(/^\/|\/$/g, ''),
    hubName: expand(String(durable['hubName'] ?? 'TestHubName')),
    hubConnection: String(section(durable, 'storageProvider')['connectionName'] ?? section(durable, 'storageProvider')['connectionStringName'] ?? 'AzureWebJobsStorage'),
    storeInputs: durable['storeInputsInOrchestrationHistory'] === true || durable['storeInputsInOrchestrationHistory'] === 'true',
    maxConcurrentActivities: durable['maxConcurrentActivityFunctions'] === undefined ? undefined : Number(durable['maxConcurrentActivityFunctions']),
    logLevels: levels(section(host, 'logging', 'logLevel'), path.join(directory, 'host.json')),
    settings,
    port: Number(hosting['LocalHttpPort'] ?? 7071),
    cors: { origins: String(hosting['CORS'] ?? '').split(',').map((origin) => origin.trim()).filter(Boolean), credentials: hosting['CORSCredentials'] === true },
    homepage: !/^(true|1)$/i.test(setting('AzureWebJobsDisableHomepage') ?? ''),
  };
}

function readJson(file: string): Json | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return fail(file, `cannot be read: ${(error as Error).message}`);
  }
  try {
    const value = JSON.parse(withoutComments(text)) as unknown;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(file, 'is not a JSON object');
    return value as Json;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    return fail(file, `is not valid JSON: ${(error as Error).message.split('\n')[0]!}`);
  }
}

/** The host's own reader allows comments in these files. */
function withoutComments(text: string): string {
  return text.replace(/^\uFEFF/, '').replaceAll(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_, kept?: string) => kept ?? '');
}

function section(from: Json, ...names: readonly string[]): Json {
  let current = from;
  for (const name of names) {
    const next = current[name];
    if (typeof next !== 'object' || next === null) return {};
    current = next as Json;
  }
  return current;
}

function override(host: Json, [name, ...rest]: string[], value: string): void {
  if (name === undefined) return;
  if (rest.length === 0) {
    host[name] = value;
    return;
  }
  if (typeof host[name] !== 'object' || host[name] === null) host[name] = {};
  override(host[name] as Json, rest, value);
}

const LEVELS: readonly string[] = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'] satisfies LogLevel[];

function levels(from: Json, file: string): Record<string, LogLevel> {
  const result: Record<string, LogLevel> = {};
  for (const [category, level] of Object.entries(from)) {
    const name = String(level).toLowerCase();
    if (!LEVELS.includes(name)) fail(file, `gives '${category}' the log level '${String(level)}', which is none of ${LEVELS.join(', ')}`);
    result[category] = name as LogLevel;
  }
  return result;
}

function fail(file: string, what: string): never {
  throw new ConfigError(`${file} ${what}.`);
}
