/** How host.json, local.settings.json and the environment are read. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HostConfig } from '../src/config/config.js';
import { readConfig } from '../src/config/config.js';
import { ConfigError } from '../src/config/json.js';
import { WINDOWS_ZONES } from '../src/config/time-zones.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'config-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

async function read(
  host: unknown,
  local?: unknown,
  environment: Record<string, string> = {},
): Promise<HostConfig> {
  await writeFile(path.join(directory, 'host.json'), text(host));
  if (local !== undefined) await writeFile(path.join(directory, 'local.settings.json'), text(local));
  return readConfig(directory, environment);
}

test('limits that host.json does not have follow from the machine', async () => {
  await read({ version: '2.0', extensions: { durableTask: { maxConcurrentEntityFunctions: 5 } } });
  const limits = { functions: 20, http: { concurrent: 7, outstanding: 9 } };
  expect(readConfig(directory, {}, limits).httpLimits).toEqual(limits.http);
  expect(readConfig(directory, {}, limits).durable).toMatchObject({
    maxConcurrentActivities: 20,
    maxConcurrentOrchestrators: 20,
    maxConcurrentEntities: 5,
  });
});

test('limits of requests are those of host.json, and -1 is no limit', async () => {
  const limitsOf = async (http: unknown): Promise<unknown> =>
    (await read({ version: '2.0', extensions: { http } })).httpLimits;
  expect(await limitsOf({ maxConcurrentRequests: 5, maxOutstandingRequests: -1 })).toEqual({
    concurrent: 5,
    outstanding: Infinity,
  });
  await expect(limitsOf({ maxOutstandingRequests: 0 })).rejects.toThrow(
    'has 0 for http.maxOutstandingRequests',
  );
  await expect(limitsOf({ maxConcurrentRequests: 'many' })).rejects.toThrow('http.maxConcurrentRequests');
});

test('an empty host.json has the defaults of the real host', async () => {
  expect(await read({ version: '2.0' })).toMatchObject({
    routePrefix: 'api',
    httpLimits: { concurrent: Infinity, outstanding: Infinity },
    hubName: 'TestHubName',
    hubConnection: 'AzureWebJobsStorage',
    storeInputs: false,
    extendedSessions: false,
    durable: {
      maxConcurrentActivities: Infinity,
      maxConcurrentOrchestrators: Infinity,
      maxConcurrentEntities: Infinity,
      maxEntityBatch: Infinity,
      overridableStates: 'NonRunningStates',
      defaultVersion: null,
      versionMatch: 'CurrentOrOlder',
      versionFailure: 'Reject',
      httpPollInterval: 30_000,
    },
    port: 7071,
    cors: { origins: [], credentials: false },
    homepage: true,
    settings: {},
    logLevels: {},
  });
});

test('host.json is read, with names in any case', async () => {
  const config = await read({
    version: '2.0',
    logging: { logLevel: { default: 'Warning', 'Function.Approval': 'Debug' } },
    extensions: {
      http: { routePrefix: '/v1/' },
      DurableTask: {
        hubname: 'Mine',
        storageProvider: { connectionName: 'Other' },
        storeInputsInOrchestrationHistory: true,
        maxConcurrentActivityFunctions: 3,
        maxConcurrentOrchestratorFunctions: 4,
        maxConcurrentEntityFunctions: 5,
        maxEntityOperationBatchSize: 6,
        extendedSessionsEnabled: true,
        overridableExistingInstanceStates: 'anystate',
        defaultVersion: 2,
        versionMatchStrategy: 'Strict',
        versionFailureStrategy: 1,
        httpSettings: { defaultAsyncRequestSleepTimeMilliseconds: 1000 },
      },
    },
  });
  expect(config).toMatchObject({
    routePrefix: 'v1',
    hubName: 'Mine',
    hubConnection: 'Other',
    storeInputs: true,
    extendedSessions: true,
    durable: {
      maxConcurrentActivities: 3,
      maxConcurrentOrchestrators: 4,
      maxConcurrentEntities: 5,
      maxEntityBatch: 6,
      overridableStates: 'AnyState',
      defaultVersion: '2',
      versionMatch: 'Strict',
      versionFailure: 'Fail',
      httpPollInterval: 1000,
    },
    logLevels: { default: 'warning', 'Function.Approval': 'debug' },
  });
});

test('the options of queues are read from host.json', async () => {
  expect((await read({ version: '2.0' })).queues).toEqual({
    batchSize: 16,
    newBatchThreshold: 8 * availableParallelism(),
    maxPollingInterval: 2000,
    visibilityTimeout: 0,
    maxDequeueCount: 5,
    base64: true,
  });
  const queues = {
    batchSize: 8,
    newBatchThreshold: 0,
    maxPollingInterval: '00:01:00',
    visibilityTimeout: '00:00:30',
    maxDequeueCount: 2,
    messageEncoding: 'None',
  };
  expect((await read({ version: '2.0', extensions: { queues } })).queues).toEqual({
    batchSize: 8,
    newBatchThreshold: 0,
    maxPollingInterval: 60_000,
    visibilityTimeout: 30_000,
    maxDequeueCount: 2,
    base64: false,
  });
});

test('the options of blobs are read from host.json', async () => {
  expect((await read({ version: '2.0' })).blobs).toEqual({ attempts: 5, parallel: 16 });
  const blobs = { poisonBlobThreshold: 2, maxDegreeOfParallelism: 3 };
  expect((await read({ version: '2.0', extensions: { blobs } })).blobs).toEqual({ attempts: 2, parallel: 3 });
});

test("settings are found as .NET finds them: names in any case, ':' written '__', the environment before the file, an empty one not at all", async () => {
  const { setting } = await read(
    { version: '2.0' },
    { Values: { App__Uri: 'file', Empty: '' }, ConnectionStrings: { Sql: { ConnectionString: 'sql' } } },
    { APP__OTHER: 'environment' },
  );
  expect(['app:uri', 'App__Other', 'ConnectionStrings__Sql', 'Empty', 'Nope'].map(setting)).toEqual([
    'file',
    'environment',
    'sql',
    undefined,
    undefined,
  ]);
});

test('local.settings.json gives settings, the port and CORS', async () => {
  const config = await read(
    { version: '2.0' },
    {
      IsEncrypted: false,
      Values: {
        A: 'one',
        B: 2,
        AzureWebJobsDisableHomepage: 'true',
        'AzureWebJobs.Off.Disabled': 'true',
        'AzureWebJobs.On.Disabled': 'false',
      },
      ConnectionStrings: { Sql: 'x' },
      Host: { LocalHttpPort: 7100, CORS: 'https://a.example, https://b.example', CORSCredentials: true },
    },
  );
  expect(config).toMatchObject({
    settings: { A: 'one', B: '2', 'ConnectionStrings:Sql': 'x' },
    port: 7100,
    homepage: false,
    cors: { origins: ['https://a.example', 'https://b.example'], credentials: true },
  });
  expect([...config.disabledFunctions]).toEqual(['off']);
});

test('the environment wins over local.settings.json', async () => {
  const config = await read(
    { version: '2.0', extensions: { durableTask: { hubName: '%HUB%' } } },
    { Values: { HUB: 'FromFile' } },
    { HUB: 'FromEnvironment' },
  );
  expect(config.hubName).toBe('FromEnvironment');
});

test('settings override host.json', async () => {
  const config = await read(
    { version: '2.0', extensions: { durableTask: { hubName: 'FromHostJson' } } },
    { Values: { AzureFunctionsJobHost__extensions__durableTask__hubName: 'FromSettings' } },
    { AzureFunctionsJobHost__Logging__LogLevel__Default: 'Error' },
  );
  expect(config).toMatchObject({ hubName: 'FromSettings', logLevels: { Default: 'error' } });
});

test('comments and a byte order mark are allowed; in a text, // and /* begin no comment', async () => {
  const config = await read(
    '\uFEFF{ // first\n "version": "2.0", /* \n */ "extensions": { "http": { "routePrefix": "a//b" } } }',
  );
  expect(config.routePrefix).toBe('a//b');
});

test('functions may run for half an hour, for the time in host.json, or for ever', async () => {
  expect((await read({ version: '2.0' })).functionTimeout).toBe(1_800_000);
  expect((await read({ version: '2.0', functionTimeout: '00:05:00' })).functionTimeout).toBe(300_000);
  expect((await read({ version: '2.0', functionTimeout: '-1' })).functionTimeout).toBe(Infinity);
});

describe('a mistake is reported in one line that names the file', () => {
  test.each<[what: string, host: unknown, local: unknown, message: RegExp]>([
    ['broken JSON', '{\n  "version": "2.0",\n', undefined, /host\.json is not valid JSON: .+line 3/],
    ['no object', '[]', undefined, /host\.json is not a JSON object\.$/],
    ['another version', {}, undefined, /host\.json has to say "version": "2\.0"\.$/],
    [
      'a level that does not exist',
      { version: '2.0', logging: { logLevel: { default: 'Loud' } } },
      undefined,
      /host\.json gives 'default' the log level 'Loud'/,
    ],
    [
      'an invalid number',
      { version: '2.0', extensions: { durableTask: { maxConcurrentActivityFunctions: 'many' } } },
      undefined,
      /"many" for maxConcurrentActivityFunctions/,
    ],
    [
      'too large a batch',
      { version: '2.0', extensions: { queues: { batchSize: 33 } } },
      undefined,
      /has 33 for queues\.batchSize, which is 32 at most\.$/,
    ],
    [
      'an encoding that does not exist',
      { version: '2.0', extensions: { queues: { messageEncoding: 'utf8' } } },
      undefined,
      /has 'utf8' for queues\.messageEncoding/,
    ],
    [
      'an invalid time span',
      { version: '2.0', extensions: { queues: { visibilityTimeout: 'soon' } } },
      undefined,
      /has "soon" for queues\.visibilityTimeout/,
    ],
    [
      'a setting that is missing',
      { version: '2.0', extensions: { durableTask: { hubName: '%HUB%' } } },
      undefined,
      /host\.json names the setting 'HUB', which is not set\.$/,
    ],
    ['broken local settings', { version: '2.0' }, '{', /local\.settings\.json is not valid JSON/],
    [
      'a value that is no text',
      { version: '2.0' },
      { Values: { LIMITS: { a: 1 } } },
      /local\.settings\.json has an object for 'LIMITS', which has to be a text\.$/,
    ],
    [
      'a runtime that is not Node',
      { version: '2.0' },
      { Values: { FUNCTIONS_WORKER_RUNTIME: 'python' } },
      /'FUNCTIONS_WORKER_RUNTIME' is 'python'\. The emulator runs apps for Node\.$/,
    ],
    [
      'a name of a hub that storage does not take',
      { version: '2.0', extensions: { durableTask: { hubName: 'my-hub' } } },
      undefined,
      /host\.json has the hubName 'my-hub', which has to be 3 to 45 letters and digits/,
    ],
    [
      'a header that HTTP does not allow',
      { version: '2.0', extensions: { http: { customHeaders: { 'X A': 'b' } } } },
      undefined,
      /host\.json has the custom header "X A": "b", which HTTP does not allow\.$/,
    ],
    [
      'a time zone that nobody has',
      { version: '2.0' },
      { Values: { WEBSITE_TIME_ZONE: 'Middle Earth Standard Time' } },
      /'WEBSITE_TIME_ZONE' names the time zone 'Middle Earth Standard Time', which is neither/,
    ],
    [
      'a body limit that is no number',
      { version: '2.0' },
      { Values: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: 'large' } },
      /FUNCTIONS_REQUEST_BODY_SIZE_LIMIT/,
    ],
    [
      'encrypted local settings',
      { version: '2.0' },
      { IsEncrypted: true, Values: {} },
      /local\.settings\.json is encrypted/,
    ],
    [
      'an invalid port',
      { version: '2.0' },
      { Host: { LocalHttpPort: 'x' } },
      /local\.settings\.json has "x" for LocalHttpPort/,
    ],
  ])('%s', async (_what, host, local, message) => {
    const reading = read(host, local);
    await expect(reading).rejects.toThrow(ConfigError);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.not.toThrow(/\n/);
  });

  test('no host.json', () => {
    expect(() => readConfig(directory, {})).toThrow(/host\.json is missing\.$/);
  });
});

test('JSON is read as leniently as Newtonsoft reads it', async () => {
  const config = await read(
    `\uFEFF// a comment
    { version: '2.0', /* and 'another' */
      'extensions': { http: { routePrefix: "it's // no comment" , }, }, }`,
    `{ Values: { 'A': 'say "hi"', B: 1.50, C: true, D: null, }, }`,
  );
  expect(config.routePrefix).toBe("it's // no comment");
  expect(config.settings).toMatchObject({ A: 'say "hi"', B: '1.5', C: 'true' });
  expect(config.settings).not.toHaveProperty('D');
});

test('the functions that run may be listed in host.json and in the environment, as func start --functions does', async () => {
  expect((await read({ version: '2.0' })).only).toBeUndefined();
  expect((await read({ version: '2.0', functions: [] })).only).toBeUndefined();
  expect((await read({ version: '2.0', functions: ['A', 'b'] })).only).toEqual(new Set(['a', 'b']));
  const environment = { AzureFunctionsJobHost__functions__0: 'C' };
  expect((await read({ version: '2.0' }, undefined, environment)).only).toEqual(new Set(['c']));
});

test('a time zone may have the name of IANA or of Windows', async () => {
  const zone = async (name: string): Promise<string> =>
    (await read({ version: '2.0' }, { Values: { WEBSITE_TIME_ZONE: name } })).timeZone;
  expect(await zone('Europe/Berlin')).toBe('Europe/Berlin');
  expect(await zone('w. europe standard time')).toBe('Europe/Berlin');
  expect(await zone('UTC')).toBe('UTC');
  expect(await zone('')).toBe('UTC');
  for (const name of Object.keys(WINDOWS_ZONES)) expect(await zone(name)).toMatch(/^(UTC|\w+\/.+)$/);
});

test('settings of host.json that are not read are named, a section in which none is read as a whole', async () => {
  const config = await read({
    version: '2.0',
    $schema: 'x',
    extensionBundle: { id: 'Microsoft.Azure.Functions.ExtensionBundle', version: '[4.*, 5.0.0)' },
    logging: { logLevel: { default: 'Information' }, applicationInsights: { samplingSettings: {} } },
    healthMonitor: { enabled: true },
    extensions: {
      http: { routePrefix: '', hsts: { isEnabled: true } },
      cosmosDB: { connectionMode: 'Gateway' },
      durableTask: {
        hubName: 'Mine',
        tracing: { traceInputsAndOutputs: true },
        storageProvider: { partitionCount: 3 },
      },
    },
  });
  expect(config.ignored).toEqual([
    'logging.applicationInsights',
    'healthMonitor',
    'extensions.http.hsts',
    'extensions.cosmosDB',
    'extensions.durableTask.tracing',
    'extensions.durableTask.storageProvider.partitionCount',
  ]);
});
