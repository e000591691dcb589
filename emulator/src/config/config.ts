import path from 'node:path';
import type { DurableSettings } from '../durable/settings.js';
import type { LogLevel } from '../log.js';
import type { QueueOptions } from './host-json.js';
import { readDurable, readFunctionTimeout, readLevels, readQueues } from './host-json.js';
import { fail, get, isTrue, number, readJson, section, set, text } from './json.js';
import type { Environment, Setting } from './settings.js';
import { disabledFunctions, readSettings, settingKey, settingOf, timeZone } from './settings.js';

/** The configuration of a host, from host.json, local.settings.json and the environment. */
export interface HostConfig {
  routePrefix: string;
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
  /** The app settings of local.settings.json. Variables of the environment take precedence. */
  settings: Record<string, string>;
  setting: Setting;
  queues: QueueOptions;
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

/**
 * Reads an app's configuration. Settings named `AzureFunctionsJobHost__*` take precedence over host.json.
 * @throws ConfigError
 */
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

/** The configuration with another connection string for the task hub. */
export function withStorage(config: HostConfig, connection: string): HostConfig {
  const hub = settingKey(config.hubConnection);
  return { ...config, setting: (name) => (settingKey(name) === hub ? connection : config.setting(name)) };
}
