/** The command line: its output, and one line for each reason why it cannot serve. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { account } from './support/azurite.js';
import { runCli, startCli } from './support/cli.js';
import { eventually } from './support/eventually.js';

const apps = path.join(import.meta.dirname, 'fixtures/apps');
const app = (name: string): string[] => ['start', '--app', path.join(apps, name), '--port', '0'];

describe('an emulator that serves', () => {
  test('lists its functions as func start does, prints its URL, and exits with 0', async () => {
    const emulator = await startCli([...app('hello'), '--storage', 'memory'], {
      env: { 'AzureWebJobs.Off.Disabled': 'true' },
    });
    expect((await fetch(`${emulator.url}/api/echo`)).status).toBe(200);
    const code = await emulator.stop();
    const output = emulator.output();
    expect(output).toContain(
      `\nFunctions:\n\n\tStartHello: [POST] ${emulator.url}/api/hello/{orchestrator=HelloCities}\n\n\tEcho: [GET,POST,HEAD] ${emulator.url}/api/echo/{name?}\n\n`,
    );
    expect(output).toContain('\tSayHello: activityTrigger\n');
    expect(output).toContain('Function Off is disabled.\n');
    expect(output.split('\n').filter((line) => line.startsWith('Serving on'))).toEqual([
      `Serving on ${emulator.url} (task hub HelloHub)`,
    ]);
    expect(code).toBe(0);
  });

  test.skipIf(process.platform === 'win32')('exits with 0 on SIGTERM', async () => {
    const emulator = await startCli([...app('hello'), '--storage', 'memory']);
    emulator.child.kill('SIGTERM');
    expect(await once(emulator.child, 'exit')).toEqual([0, null]);
  });

  test('runs a chain of activities on a hub in Azure Storage, which no other gets meanwhile, and the next finds its instance', async () => {
    const storage = await account();
    const first = await startCli([...app('hello'), '--storage', storage]);
    const { statusQueryGetUri } = (await (
      await fetch(`${first.url}/api/hello`, { method: 'POST' })
    ).json()) as { statusQueryGetUri: string };
    const completed = {
      runtimeStatus: 'Completed',
      output: ['Hello, Tokyo!', 'Hello, Seattle!', 'Hello, London!'],
    };
    await eventually(async () => {
      expect(await (await fetch(statusQueryGetUri)).json()).toMatchObject(completed);
    });
    expect(await failure([...app('hello'), '--storage', storage])).toMatch(/HelloHub/);
    await first.stop();
    const second = await startCli([...app('hello'), '--storage', storage]);
    expect(await (await fetch(statusQueryGetUri.replace(first.url, second.url))).json()).toMatchObject(
      completed,
    );
    expect(await second.stop()).toBe(0);
  });

  test('keeps the instances of an app that names no storage in a file of its own, and survives a kill', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'data-'));
    const env = { AzureWebJobsStorage: '', XDG_STATE_HOME: folder, HOME: folder, LOCALAPPDATA: folder };
    const first = await startCli(app('hello'), { env });
    const [, file] = /^Instances are kept in (.+)$/m.exec(first.output())!;
    expect(path.relative(folder, file!)).toMatch(/durable-functions-emulator.hello-[0-9a-f]{8}\.db$/);
    const { statusQueryGetUri } = (await (
      await fetch(`${first.url}/api/hello`, { method: 'POST' })
    ).json()) as { statusQueryGetUri: string };
    expect((await runCli(app('hello'), { env })).output).toContain(`${file} is in use by another emulator.`);
    await first.kill();
    const second = await startCli(app('hello'), { env });
    await eventually(async () => {
      expect(await (await fetch(statusQueryGetUri.replace(first.url, second.url))).json()).toMatchObject({
        runtimeStatus: 'Completed',
      });
    });
    await second.stop();
    await rm(folder, { recursive: true });
  });

  test('prints the keys when it requires them', async () => {
    const emulator = await startCli([...app('hello'), '--storage', 'memory', '--enforce-keys']);
    const key = /\tStartHello: (\S{20,})\n/.exec(emulator.output().split('Keys,')[1]!)?.[1];
    expect((await fetch(`${emulator.url}/api/hello`, { method: 'POST' })).status).toBe(401);
    expect((await fetch(`${emulator.url}/api/hello?code=${key}`, { method: 'POST' })).status).toBe(202);
    await emulator.stop();
  });

  test('loads CommonJS files by a pattern, and warns of functions that never run and routes that are never reached', async () => {
    const emulator = await startCli([...app('patterned'), '--storage', 'memory'], {
      env: { AzureWebJobsStorage: '' },
    });
    expect(await (await fetch(`${emulator.url}/api/first`)).text()).toBe('first');
    await emulator.stop();
    const said = emulator
      .output()
      .split('\n')
      .map((line) => line.replace(/^\[.*?\] /, ''));
    expect(said).toContain('\tTick: timerTrigger');
    expect(said).toContain("The function 'Warm' is never called: the emulator has no instances to warm up.");
    expect(said).toContain(
      "The function 'OnOrder' is never called: its queue 'orders' needs a storage account, and the setting 'AzureWebJobsStorage' is not set.",
    );
    expect(said).toContain(
      "GET /api/first reaches 'First', not 'Second': the Functions host tries routes in the order of the functions' names.",
    );
    expect(said).toContain('the app was told that it ends');
  });
});

test('a disabled function with an unknown binding does not stop the app from starting', async () => {
  const emulator = await startCli([...app('failing'), '--storage', 'memory'], {
    env: { AzureWebJobsStorage: '', HOW: 'cosmos', 'AzureWebJobs.Blobs.Disabled': 'true' },
  });
  expect(emulator.output()).toContain('Function Blobs is disabled.');
  expect((await fetch(`${emulator.url}/api/Blobs`)).status).toBe(404);
  expect(await emulator.stop()).toBe(0);
});

/** The output of an emulator that cannot serve. */
async function failure(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { code, output } = await runCli(args, { env: { AzureWebJobsStorage: '', ...env } });
  expect(code).toBe(1);
  expect(output.trimEnd().split('\n')).toHaveLength(1);
  return output;
}

describe('one line, and an exit code that is not 0, for', () => {
  test('a missing build', async () => {
    expect(await failure([...app('unbuilt'), '--storage', 'memory'])).toMatch(
      /^No file matches "main": "dist\/index\.js" of .*package\.json\. Is the app built\?$/m,
    );
  });

  test('a folder without an app', async () => {
    expect(await failure([...app('nowhere'), '--storage', 'memory'])).toMatch(/host\.json is missing\.$/m);
  });

  test('a broken host.json', async () => {
    expect(await failure([...app('broken-host'), '--storage', 'memory'])).toMatch(
      /host\.json is not valid JSON: .+$/m,
    );
  });

  test.each([
    [
      'throws',
      /^The app threw while it was loaded: TypeError: the settings are missing \(.*index\.js:\d+:\d+\)$/m,
    ],
    [
      'twice',
      /^The app threw while it was loaded: Error: A function with id "Fine" has already been registered\. \(index\.js:\d+:\d+\)$/m,
    ],
    ['hook', /^The app threw while it was loaded: Error: the hook failed \(.*index\.js:\d+:\d+\)$/m],
    [
      'exit',
      /^The app ended its process while it was loaded: The app called process\.exit\(3\) \(index\.js:\d+:\d+\)$/m,
    ],
    [
      'uncaught',
      /^The app ended its process while it was loaded: Error: the cache is gone \(index\.js:\d+:\d+\)$/m,
    ],
    ['nothing', /^The app registers no functions\.$/m],
    [
      'grpc',
      /^The app uses durable-functions 4, which uses another protocol \(gRPC\)\. The emulator runs durable-functions 3\.$/m,
    ],
    [
      'route',
      /^The route of 'Route' cannot be read\. The constraint 'number' .* there is no such constraint/m,
    ],
    [
      'level',
      /^The function 'Level' has the authLevel 'nobody', which is none of anonymous, function, admin\.$/m,
    ],
  ])('an app that cannot be run: %s', async (how, message) => {
    expect(await failure([...app('failing'), '--storage', 'memory'], { HOW: how })).toMatch(message);
  });

  test('an app whose packages are not installed', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'alone-'));
    try {
      await cp(path.join(apps, 'failing'), directory, { recursive: true });
      expect(await failure(['start', '--app', directory, '--storage', 'memory', '--port', '0'])).toMatch(
        /^The app threw while it was loaded: Error.*: Cannot find package '@azure\/functions'/m,
      );
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('an entry file with a package that is missing', async () => {
    expect(await failure([...app('missing-module'), '--storage', 'memory'])).toMatch(
      /^The app threw while it was loaded: Error: Cannot find module 'left-out-of-package-json' \(src[\\/]b\.js:2:1\)$/m,
    );
  });

  test.each([
    ['index.js', 'const a = 1;\nconst b = ;\n', /SyntaxError: .* \(index\.js:2\)$/m],
    ['index.mjs', 'const a = 1;\nconst b = ;\n', /SyntaxError: .* \(index\.mjs:2\)$/m],
    ['index.mjs', "import './gone.mjs';\n", /Cannot find module '.*gone\.mjs' imported from .*index\.mjs$/m],
    ['index.mjs', "\nthrow 'a text';\n", /: a text \(index\.mjs\)$/m],
  ])('an entry file that Node cannot load: %s, %j', async (main, code, message) => {
    const directory = await mkdtemp(path.join(tmpdir(), 'unloadable-'));
    try {
      await writeFile(path.join(directory, 'host.json'), '{ "version": "2.0" }');
      await writeFile(path.join(directory, 'package.json'), JSON.stringify({ main }));
      await writeFile(path.join(directory, main), code);
      expect(await failure(['start', '--app', directory, '--storage', 'memory', '--port', '0'])).toMatch(
        message,
      );
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('another storage provider, which memory replaces', async () => {
    expect(await failure(app('other-provider'))).toBe(
      "host.json names the storage provider 'azureManaged' (the Durable Task Scheduler), which the emulator does not have. Start with --storage memory, or give a storage connection string with --storage.\n",
    );
  });

  test('a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    expect(
      await failure([
        'start',
        '--app',
        path.join(apps, 'hello'),
        '--port',
        String(port),
        '--storage',
        'memory',
      ]),
    ).toBe(`Port ${port} is in use. Stop the program that uses it, or choose another port with --port.\n`);
    other.close();
  });

  test('no storage under the setting that host.json names', async () => {
    const AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionName = 'Elsewhere';
    expect(
      await failure(app('failing'), {
        HOW: 'fine',
        AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionName,
      }),
    ).toMatch(/^The setting 'Elsewhere' is not set\. .*--storage memory\.$/m);
  });

  test('storage that does not answer', async () => {
    const nobody =
      'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=dGVzdA==;TableEndpoint=http://127.0.0.1:1/a;BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a';
    expect(await failure([...app('failing'), '--storage', nobody], { HOW: 'fine' })).toMatch(
      /TestHubName.* storage .*http:\/\/127\.0\.0\.1:1\/a.* does not answer/,
    );
  });

  test('an invalid connection string', async () => {
    expect(await failure([...app('failing'), '--storage', 'nonsense'], { HOW: 'fine' })).toBe(
      '--storage is not a storage connection string.\n',
    );
  });

  test('an unknown option, and an invalid port', async () => {
    expect(await failure([...app('hello'), '--colour'])).toMatch(/--colour/);
    expect(await failure(['start', '--port', 'seven'])).toBe("'seven' is not a port.\n");
  });
});

test('the storage libraries, which load slowly, are loaded only when they are needed', async () => {
  const program = `
    import { registerHooks } from 'node:module';
    const asked = [];
    registerHooks({ resolve: (name, context, next) => { asked.push(name); return next(name, context); } });
    await import(${JSON.stringify(pathToFileURL(path.join(import.meta.dirname, '../dist/emulator.js')).href)});
    console.log(asked.filter((name) => name.startsWith('@azure/')).join());`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  expect(stdout).toBe('\n');
});

test('without a command it prints its usage', async () => {
  expect(await runCli([])).toMatchObject({
    code: 1,
    output: expect.stringContaining('Usage: emulator start') as unknown,
  });
  expect(await runCli(['--help'])).toMatchObject({
    code: 0,
    output: expect.stringContaining('--storage WHERE') as unknown,
  });
});
