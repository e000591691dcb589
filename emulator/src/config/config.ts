import path from 'node:path';
import type { DurableSettings } from '../durable/settings.js';
import { MAX_BODY } from '../http-message.js';
import type { HttpLimits } from '../http-throttle.js';
import type { LogLevel } from '../log.js';
import type { BlobOptions, QueueOptions } from './host-json.js';
import {
  readCustomHeaders,
  readDurable,
  readFunctionList,
  readFunctionTimeout,
  readHttpLimits,
  readLevels,
  readOtherProvider,
  readBlobs,
  readQueues,
} from './host-json.js';
import { ConfigError, fail, get, isTrue, number, readJson, section, set, text } from './json.js';
import type { Environment, Setting } from './settings.js';
import { ignoredSettings } from './known-settings.js';
import { coreToolsEnvironment, disabledFunctions, readSettings, settingKey, settingOf } from './settings.js';
import { timeZone } from './time-zones.js';

/** The configuration of a host, from host.json, local.settings.json and the environment. */
export interface HostConfig {
  /** The app's folder. */
  directory: string;
  routePrefix: string;
  /** Headers of every response, unless the response has one of the same name. */
  customHeaders: [name: string, value: string][];
  /** The largest body of a request, in bytes; the response to a larger one is 413. */
  bodyLimit: number;
  httpLimits: HttpLimits;
  /** The names of the functions that run, in lower case. Undefined: all. */
  only: ReadonlySet<string> | undefined;
  /** The storage provider that host.json names, in words, if it is another one than Azure Storage. */
  otherProvider: string | undefined;
  /** The settings of host.json that the emulator does not read. */
  ignored: readonly string[];
  hubName: string;
  /** The app setting that holds the storage connection of the hub. */
  hubConnection: string;
  /** The name of that connection in the URLs of the management API. */
  hubConnectionName: string;
  storeInputs: boolean;
  /** Whether these URLs have the host of the header `X-Forwarded-Host`, which a proxy sets. */
  forwardedHost: boolean;
  durable: DurableSettings;
  /** Whether host.json turns on extended sessions. The emulator has none. */
  extendedSessions: boolean;
  /** Log levels by category or prefix of a category; `default` is for the rest. */
  logLevels: Record<string, LogLevel>;
  /**
   * The app settings of local.settings.json, and what Core Tools set. Variables of the environment take
   * precedence.
   */
  settings: Record<string, string>;
  setting: Setting;
  queues: QueueOptions;
  blobs: BlobOptions;
  /** How long a function may run, in milliseconds; Infinity for no limit. */
  functionTimeout: number;
  /** The IANA time zone of timer schedules: `WEBSITE_TIME_ZONE`, else UTC, as in Azure. */
  timeZone: string;
  /** The functions that `AzureWebJobs.<name>.Disabled` disables, in lower case. */
  disabledFunctions: ReadonlySet<string>;
  port: number;
  cors: { origins: string[]; credentials: boolean };
  /** False with `AzureWebJobsDisableHomepage`. */
  homepage: boolean;
  /**
   * Set by `"telemetryMode": "OpenTelemetry"`: the host traces its work. Without an endpoint it sends no
   * spans.
   */
  tracing: { endpoint: string | undefined; service: string } | undefined;
}

/** The limits of a host whose host.json has no figures. */
export interface DefaultLimits {
  /** How many activities, orchestrators and entities run at once: so many of each. */
  functions: number;
  http: HttpLimits;
}

const UNLIMITED: DefaultLimits = {
  functions: Infinity,
  http: { concurrent: Infinity, outstanding: Infinity },
};

/**
 * Reads an app's configuration. Settings named `AzureFunctionsJobHost__*` take precedence over host.json.
 * @param limits those where host.json has no figure
 * @throws ConfigError
 */
export function readConfig(
  directory: string,
  environment: Environment = process.env,
  limits: DefaultLimits = UNLIMITED,
): HostConfig {
  const hostFile = path.join(directory, 'host.json');
  const localFile = path.join(directory, 'local.settings.json');
  const host = readJson(hostFile) ?? fail(hostFile, 'is missing');
  if (get(host, 'version') !== '2.0') fail(hostFile, 'has to say "version": "2.0"');
  const local = readJson(localFile) ?? {};
  if (get(local, 'IsEncrypted') === true)
    fail(localFile, 'is encrypted: decrypt it with `func settings decrypt`');

  const settings = { ...coreToolsEnvironment(directory), ...readSettings(local, localFile) };
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
  const hubName = expand(text(get(durable, 'hubName')) ?? 'TestHubName');
  if (!/^[a-z][a-z\d]{2,44}$/i.test(hubName))
    fail(
      hostFile,
      `has the hubName '${hubName}', which has to be 3 to 45 letters and digits, a letter first`,
    );
  const runtime = all['FUNCTIONS_WORKER_RUNTIME'];
  if (runtime !== undefined && runtime !== '' && runtime.toLowerCase() !== 'node')
    throw new ConfigError(
      `The setting 'FUNCTIONS_WORKER_RUNTIME' is '${runtime}'. The emulator runs apps for Node.`,
    );
  const connection = text(get(storage, 'connectionName')) ?? text(get(storage, 'connectionStringName'));
  return {
    directory,
    routePrefix: (text(get(section(host, 'extensions', 'http'), 'routePrefix')) ?? 'api').replaceAll(
      /^\/|\/$/g,
      '',
    ),
    customHeaders: readCustomHeaders(section(host, 'extensions', 'http', 'customHeaders'), hostFile),
    bodyLimit:
      number(
        all['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'] || undefined,
        'The environment',
        'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT',
        0,
      ) ?? MAX_BODY,
    httpLimits: readHttpLimits(section(host, 'extensions', 'http'), hostFile, limits.http),
    only: readFunctionList(get(host, 'functions'), hostFile),
    otherProvider: readOtherProvider(get(storage, 'type')),
    ignored: ignoredSettings(host),
    hubName,
    hubConnection: connection ?? 'AzureWebJobsStorage',
    hubConnectionName: connection ?? 'Storage',
    storeInputs: isTrue(get(durable, 'storeInputsInOrchestrationHistory')),
    forwardedHost: isTrue(get(section(durable, 'httpSettings'), 'useForwardedHost')),
    durable: readDurable(durable, hostFile, limits.functions),
    extendedSessions: isTrue(get(durable, 'extendedSessionsEnabled')),
    logLevels: readLevels(section(host, 'logging', 'logLevel'), hostFile),
    settings,
    setting: settingOf(all),
    functionTimeout: readFunctionTimeout(get(host, 'functionTimeout'), hostFile),
    queues: readQueues(section(host, 'extensions', 'queues'), hostFile),
    blobs: readBlobs(section(host, 'extensions', 'blobs'), hostFile),
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

/** The configuration with another connection string for the task hub. */
export function withStorage(config: HostConfig, connection: string): HostConfig {
  const hub = settingKey(config.hubConnection);
  return { ...config, setting: (name) => (settingKey(name) === hub ? connection : config.setting(name)) };
}
