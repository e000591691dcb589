import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { DurableSettings } from './durable/settings.js';
import { DEFAULT_SETTINGS } from './durable/settings.js';
import type { LogLevel } from './log.js';
import { LOG_LEVELS } from './log.js';
import { parseTimeSpan } from './time-span.js';

/** A configuration file that cannot be used. The message is one line naming the file and what is wrong. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** An app setting by its name: the environment's, else local.settings.json's. Undefined when there is none, or an empty one. */
export type Setting = (name: string) => string | undefined;

/** How queues are listened to: `extensions.queues` of host.json. Times in milliseconds. */
export interface QueueOptions {
  /** How many messages are asked for at once. */
  batchSize: number;
  /** With how many messages left at work the next batch is asked for. */
  newBatchThreshold: number;
  /** The longest wait between two looks at an empty queue. */
  maxPollingInterval: number;
  /** For how long a message whose function failed stays invisible. */
  visibilityTimeout: number;
  /** How often a message is tried before it goes to the poison queue. */
  maxDequeueCount: number;
  /** How messages are written and read: base64, or as they are. */
  base64: boolean;
}

/** What host.json, local.settings.json and the environment say. */
export interface HostConfig {
  routePrefix: string;
  hubName: string;
  /** The app setting that holds the storage connection of the hub. */
  hubConnection: string;
  /** That connection's name, as the addresses of the management API have it. */
  hubConnectionName: string;
  storeInputs: boolean;
  /** Whether these addresses name the host that a proxy names in `X-Forwarded-Host`. */
  forwardedHost: boolean;
  durable: DurableSettings;
  /** Whether host.json asks for extended sessions, which there are none of here. */
  extendedSessions: boolean;
  /** By category or prefix of one; `default` for the rest. */
  logLevels: Record<string, LogLevel>;
  /** App settings of local.settings.json; the environment's own take precedence. */
  settings: Record<string, string>;
  setting: Setting;
  queues: QueueOptions;
  /** Milliseconds that a function may run; Infinity for ever. */
  functionTimeout: number;
  /** In which zone timer functions read their schedules: that of `WEBSITE_TIME_ZONE`, else UTC, as in Azure. */
  timeZone: string;
  /** Functions that `AzureWebJobs.<name>.Disabled` switches off, in lower case. */
  disabledFunctions: ReadonlySet<string>;
  port: number;
  cors: { origins: string[]; credentials: boolean };
  /** False with `AzureWebJobsDisableHomepage`. */
  homepage: boolean;
  /** With `"telemetryMode": "OpenTelemetry"`: the host's own traces, sent nowhere without an address. */
  tracing: { endpoint: string | undefined; service: string } | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;
type Json = Record<string, unknown>;

/** Reads an app's configuration: host.json, overlaid by the settings `AzureFunctionsJobHost__*`. @throws ConfigError */
export function readConfig(directory: string, environment: Environment = process.env): HostConfig {
  const hostFile = path.join(directory, 'host.json');
  const localFile = path.join(directory, 'local.settings.json');
  const host = readJson(hostFile) ?? fail(hostFile, 'is missing');
  if (get(host, 'version') !== '2.0') fail(hostFile, 'has to say "version": "2.0"');
  const local = readJson(localFile) ?? {};
  if (get(local, 'IsEncrypted') === true)
    fail(localFile, 'is encrypted: decrypt it with `func settings decrypt`');

  const settings = readSettings(local);
  const all: Environment = { ...settings, ...environment };
  for (const [name, value] of Object.entries(all)) {
    const place = /^AzureFunctionsJobHost(?:__|:)(.+)$/i.exec(name)?.[1];
    if (place !== undefined && value !== undefined) set(host, place.split(/__|:/), value);
  }
  const expand = (template: string): string =>
    template.replaceAll(
      /%([^%]+)%/g,
      (_, name: string) => all[name] ?? fail(hostFile, `names the setting '${name}', which is not set`),
    );

  const durable = section(host, 'extensions', 'durableTask');
  const storage = section(durable, 'storageProvider');
  const serving = section(local, 'Host');
  const connection = text(get(storage, 'connectionName')) ?? text(get(storage, 'connectionStringName'));
  return {
    routePrefix: (text(get(section(host, 'extensions', 'http'), 'routePrefix')) ?? 'api').replaceAll(
      /^\/|\/$/g,
      '',
    ),
    hubName: expand(text(get(durable, 'hubName')) ?? 'TestHubName'),
    hubConnection: connection ?? 'AzureWebJobsStorage',
    hubConnectionName: connection ?? 'Storage',
    storeInputs: isTrue(get(durable, 'storeInputsInOrchestrationHistory')),
    forwardedHost: isTrue(get(section(durable, 'httpSettings'), 'useForwardedHost')),
    durable: readDurable(durable, hostFile),
    extendedSessions: isTrue(get(durable, 'extendedSessionsEnabled')),
    logLevels: readLevels(section(host, 'logging', 'logLevel'), hostFile),
    settings,
    setting: settingOf(all),
    functionTimeout: readFunctionTimeout(get(host, 'functionTimeout'), hostFile),
    queues: readQueues(section(host, 'extensions', 'queues'), hostFile),
    timeZone: timeZone(all['WEBSITE_TIME_ZONE'] ?? 'UTC'),
    disabledFunctions: disabledFunctions(all),
    port: number(get(serving, 'LocalHttpPort'), localFile, 'LocalHttpPort', 0) ?? 7071,
    cors: {
      origins: (text(get(serving, 'CORS')) ?? '')
        .split(',')
        .map((origin) => origin.trim())
        .filter((origin) => origin !== ''),
      credentials: isTrue(get(serving, 'CORSCredentials')),
    },
    homepage: !isTrue(all['AzureWebJobsDisableHomepage']),
    tracing:
      text(get(host, 'telemetryMode'))?.toLowerCase() === 'opentelemetry'
        ? {
            endpoint: all['OTEL_EXPORTER_OTLP_ENDPOINT'] || undefined,
            service: all['OTEL_SERVICE_NAME'] || all['WEBSITE_SITE_NAME'] || 'functions-host',
          }
        : undefined,
  };
}

/** The configuration with another storage under the setting that the hub's connection is named by. */
export function withStorage(config: HostConfig, connection: string): HostConfig {
  const hub = settingKey(config.hubConnection);
  return { ...config, setting: (name) => (settingKey(name) === hub ? connection : config.setting(name)) };
}

/** .NET's names of settings ignore case, and `__` stands for `:`. */
function settingOf(all: Environment): Setting {
  const byKey = new Map(Object.entries(all).map(([name, value]) => [settingKey(name), value]));
  return (name) => byKey.get(settingKey(name)) || undefined;
}

function settingKey(name: string): string {
  return name.replaceAll('__', ':').toLowerCase();
}

/** Half an hour unless host.json says otherwise, as on a plan of one's own; -1 is for ever. */
function readFunctionTimeout(value: unknown, file: string): number {
  const timeout = span(value, file, 'functionTimeout') ?? 30 * 60_000;
  if (timeout === -86_400_000) return Infinity;
  return timeout >= 1000 ? timeout : fail(file, 'has a functionTimeout below 00:00:01');
}

/** The longest wait is two seconds on a developer's machine, where production's own default is a minute. */
function readQueues(queues: Json, file: string): QueueOptions {
  const batchSize = number(get(queues, 'batchSize'), file, 'queues.batchSize', 1) ?? 16;
  if (batchSize > 32) fail(file, `has ${batchSize} for queues.batchSize, which is 32 at most`);
  const maxPollingInterval =
    span(get(queues, 'maxPollingInterval'), file, 'queues.maxPollingInterval') ?? 2000;
  if (maxPollingInterval < 100) fail(file, 'has a queues.maxPollingInterval below 00:00:00.100');
  const encoding = text(get(queues, 'messageEncoding'))?.toLowerCase() ?? 'base64';
  if (encoding !== 'base64' && encoding !== 'none')
    fail(file, `has '${encoding}' for queues.messageEncoding, which is neither base64 nor none`);
  return {
    batchSize,
    maxPollingInterval,
    base64: encoding === 'base64',
    newBatchThreshold:
      number(get(queues, 'newBatchThreshold'), file, 'queues.newBatchThreshold', 0) ??
      Math.floor(batchSize / 2),
    visibilityTimeout: span(get(queues, 'visibilityTimeout'), file, 'queues.visibilityTimeout') ?? 0,
    maxDequeueCount: number(get(queues, 'maxDequeueCount'), file, 'queues.maxDequeueCount', 1) ?? 5,
  };
}

function readDurable(from: Json, file: string): DurableSettings {
  const limit = (name: string): number | undefined => number(get(from, name), file, name, 1);
  const version = get(from, 'defaultVersion');
  return {
    maxConcurrentActivities:
      limit('maxConcurrentActivityFunctions') ?? DEFAULT_SETTINGS.maxConcurrentActivities,
    maxConcurrentOrchestrators:
      limit('maxConcurrentOrchestratorFunctions') ?? DEFAULT_SETTINGS.maxConcurrentOrchestrators,
    maxConcurrentEntities: limit('maxConcurrentEntityFunctions') ?? DEFAULT_SETTINGS.maxConcurrentEntities,
    maxEntityBatch: limit('maxEntityOperationBatchSize') ?? DEFAULT_SETTINGS.maxEntityBatch,
    overridableStates:
      oneOf(['AnyState', 'NonRunningStates'], from, 'overridableExistingInstanceStates', file) ??
      DEFAULT_SETTINGS.overridableStates,
    defaultVersion: typeof version === 'number' ? String(version) : (text(version) ?? null),
    versionMatch:
      oneOf(['None', 'Strict', 'CurrentOrOlder'], from, 'versionMatchStrategy', file) ??
      DEFAULT_SETTINGS.versionMatch,
    versionFailure:
      oneOf(['Reject', 'Fail'], from, 'versionFailureStrategy', file) ?? DEFAULT_SETTINGS.versionFailure,
    httpPollInterval:
      number(
        get(section(from, 'httpSettings'), 'defaultAsyncRequestSleepTimeMilliseconds'),
        file,
        'defaultAsyncRequestSleepTimeMilliseconds',
        1,
      ) ?? DEFAULT_SETTINGS.httpPollInterval,
  };
}

/** One of .NET's names for a choice, in any case, or its number. */
function oneOf<T extends string>(
  names: readonly T[],
  from: Json,
  setting: string,
  file: string,
): T | undefined {
  const value = get(from, setting);
  if (value === undefined || value === null) return undefined;
  const said = typeof value === 'number' ? String(value) : text(value)?.toLowerCase();
  const found = names.find((name, index) => name.toLowerCase() === said || String(index) === said);
  return (
    found ??
    fail(file, `has ${JSON.stringify(value)} for ${setting}, which has to be one of ${names.join(', ')}`)
  );
}

function readSettings(local: Json): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const [name, value] of Object.entries(section(local, 'Values'))) settings[name] = String(value);
  for (const [name, value] of Object.entries(section(local, 'ConnectionStrings'))) {
    // A plain text, or { ConnectionString, ProviderName }.
    settings[`ConnectionStrings:${name}`] = String(
      typeof value === 'object' && value !== null ? get(value as Json, 'ConnectionString') : value,
    );
  }
  return settings;
}

/** @throws ConfigError for a name that is not IANA's, such as those of Windows */
function timeZone(name: string): string {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    throw new ConfigError(
      `The setting 'WEBSITE_TIME_ZONE' names the time zone '${name}', which is not one of IANA's, such as Europe/Berlin.`,
    );
  }
}

/** `AzureWebJobs.<name>.Disabled`, with underscores where a platform allows no dots in the names of variables. */
function disabledFunctions(environment: Environment): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [setting, value] of Object.entries(environment)) {
    const name = /^AzureWebJobs[._](.+)[._]Disabled$/i.exec(setting)?.[1];
    if (name !== undefined && isTrue(value)) names.add(name.toLowerCase());
  }
  return names;
}

/** @returns undefined when there is no such file. */
function readJson(file: string): Json | undefined {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? undefined : fail(file, `cannot be read (${code})`);
  }
  let value: unknown;
  try {
    value = JSON.parse(withoutComments(content));
  } catch (error) {
    return fail(file, `is not valid JSON: ${(error as Error).message.split('\n')[0]!}`);
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : fail(file, 'is not a JSON object');
}

/** The host's own reader allows comments in these files. Positions in messages stay right: a comment becomes blanks. */
function withoutComments(content: string): string {
  return content
    .replace(/^\uFEFF/, '')
    .replaceAll(
      /("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
      (found, kept?: string) => kept ?? found.replaceAll(/[^\n]/g, ' '),
    );
}

/** A property, by a name whose case does not matter: so .NET reads its configuration. */
function get(from: Json, name: string): unknown {
  return Object.hasOwn(from, name) ? from[name] : from[keyOf(from, name) ?? name];
}

function keyOf(from: Json, name: string): string | undefined {
  return Object.keys(from).find((key) => key.toLowerCase() === name.toLowerCase());
}

function section(from: Json, ...names: readonly string[]): Json {
  let current = from;
  for (const name of names) {
    const next = get(current, name);
    if (typeof next !== 'object' || next === null) return {};
    current = next as Json;
  }
  return current;
}

function set(into: Json, [name, ...rest]: readonly string[], value: string): void {
  const key = keyOf(into, name!) ?? name!;
  if (rest.length === 0) {
    into[key] = value;
    return;
  }
  if (typeof into[key] !== 'object' || into[key] === null) into[key] = {};
  set(into[key] as Json, rest, value);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isTrue(value: unknown): boolean {
  return /^(true|1)$/i.test(String(value));
}

function number(value: unknown, file: string, name: string, least: number): number | undefined {
  if (value === undefined || value === null) return undefined;
  const found = Number(value);
  return Number.isInteger(found) && found >= least
    ? found
    : fail(file, `has ${JSON.stringify(value)} for ${name}, which has to be a whole number from ${least}`);
}

/** @returns milliseconds. */
function span(value: unknown, file: string, name: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  return (
    parseTimeSpan(typeof value === 'number' ? String(value) : (text(value) ?? '')) ??
    fail(file, `has ${JSON.stringify(value)} for ${name}, which has to be a time such as 00:00:30`)
  );
}

function readLevels(from: Json, file: string): Record<string, LogLevel> {
  const result: Record<string, LogLevel> = {};
  for (const [category, level] of Object.entries(from)) {
    const found = LOG_LEVELS.find((known) => known === String(level).toLowerCase());
    result[category] =
      found ??
      fail(
        file,
        `gives '${category}' the log level '${String(level)}', which is none of ${LOG_LEVELS.join(', ')}`,
      );
  }
  return result;
}

function fail(file: string, what: string): never {
  throw new ConfigError(`${file} ${what}.`);
}
