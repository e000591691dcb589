/** The sections of host.json. Each reader throws ConfigError. */
import { availableParallelism } from 'node:os';
import type { DurableSettings } from '../durable/settings.js';
import { DEFAULT_SETTINGS } from '../durable/settings.js';
import type { HttpLimits } from '../http-throttle.js';
import type { LogLevel } from '../log.js';
import { LOG_LEVELS } from '../log.js';
import { fail, get, number, oneOf, section, span, text, type Json } from './json.js';

/** The section `extensions.queues` of host.json. Times in milliseconds. */
export interface QueueOptions {
  /** How many messages a listener receives at once. */
  batchSize: number;
  /** A listener receives the next batch when it processes so many messages, or fewer. */
  newBatchThreshold: number;
  /** The longest wait before an empty queue is read again. */
  maxPollingInterval: number;
  /** How long a message stays invisible after its function has failed. */
  visibilityTimeout: number;
  /** How many attempts a message has before it is moved to the poison queue. */
  maxDequeueCount: number;
  /** Whether messages are encoded in base64. */
  base64: boolean;
}

/** The section `extensions.blobs` of host.json. */
export interface BlobOptions {
  /** How often a function runs with a blob before the blob counts as poison. */
  attempts: number;
  /** How many blobs one function gets at once. */
  parallel: number;
}

/** @throws ConfigError for what is no header of HTTP */
export function readCustomHeaders(from: Json, file: string): [string, string][] {
  return Object.entries(from).map(([name, value]) => {
    const content = typeof value === 'string' ? value : JSON.stringify(value);
    const isText = typeof value !== 'object';
    if (!/^[!#$%&'*+.^`|~\w-]+$/.test(name) || !isText || !/^[\t\x20-\x7e]*$/.test(content))
      fail(
        file,
        `has the custom header ${JSON.stringify(name)}: ${JSON.stringify(value)}, which HTTP does not allow`,
      );
    return [name, content];
  });
}

/** As in the real host, -1 is no limit. */
export function readHttpLimits(http: Json, file: string, defaults: HttpLimits): HttpLimits {
  const limit = (name: string): number | undefined => {
    const found = number(get(http, name), file, `http.${name}`, -1);
    if (found === 0)
      fail(file, `has 0 for http.${name}, which has to be a whole number from 1, or -1 for no limit`);
    return found === -1 ? Infinity : found;
  };
  return {
    concurrent: limit('maxConcurrentRequests') ?? defaults.concurrent,
    outstanding: limit('maxOutstandingRequests') ?? defaults.outstanding,
  };
}

/** The setting `functions`. From the environment it comes as an object with numbers for names. */
export function readFunctionList(value: unknown, file: string): ReadonlySet<string> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const names = Object.values(value).map(
    (name) => text(name)?.toLowerCase() ?? fail(file, 'has a name in functions that is no text'),
  );
  return names.length === 0 ? undefined : new Set(names);
}

const PROVIDERS: Readonly<Record<string, string>> = {
  azuremanaged: 'the Durable Task Scheduler',
  mssql: 'SQL Server',
  netherite: 'Netherite',
};

/** The storage provider in words: `'mssql' (SQL Server)`. @returns undefined for Azure Storage, the default */
export function readOtherProvider(value: unknown): string | undefined {
  const type = text(value) ?? '';
  if (/^(azure(storage)?)?$/i.test(type)) return undefined;
  const name = PROVIDERS[type.toLowerCase()];
  return `'${type}'${name === undefined ? '' : ` (${name})`}`;
}

/** The default is half an hour, as on a dedicated plan; -1 is no limit. */
export function readFunctionTimeout(value: unknown, file: string): number {
  const timeout = span(value, file, 'functionTimeout') ?? 30 * 60_000;
  if (timeout === -86_400_000) return Infinity;
  return timeout >= 1000 ? timeout : fail(file, 'has a functionTimeout below 00:00:01');
}

/**
 * The longest wait between reads is two seconds by default. Production's default is a minute, which is long
 * for a developer.
 */
export function readQueues(queues: Json, file: string): QueueOptions {
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
      Math.floor(batchSize / 2) * availableParallelism(),
    visibilityTimeout: span(get(queues, 'visibilityTimeout'), file, 'queues.visibilityTimeout') ?? 0,
    maxDequeueCount: number(get(queues, 'maxDequeueCount'), file, 'queues.maxDequeueCount', 1) ?? 5,
  };
}

export function readBlobs(blobs: Json, file: string): BlobOptions {
  return {
    attempts: number(get(blobs, 'poisonBlobThreshold'), file, 'blobs.poisonBlobThreshold', 1) ?? 5,
    parallel: number(get(blobs, 'maxDegreeOfParallelism'), file, 'blobs.maxDegreeOfParallelism', 1) ?? 16,
  };
}

export function readDurable(from: Json, file: string, concurrency: number): DurableSettings {
  const limit = (name: string): number | undefined => number(get(from, name), file, name, 1);
  const version = get(from, 'defaultVersion');
  return {
    maxConcurrentActivities: limit('maxConcurrentActivityFunctions') ?? concurrency,
    maxConcurrentOrchestrators: limit('maxConcurrentOrchestratorFunctions') ?? concurrency,
    maxConcurrentEntities: limit('maxConcurrentEntityFunctions') ?? concurrency,
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

export function readLevels(from: Json, file: string): Record<string, LogLevel> {
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
