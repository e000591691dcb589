/** The process of the app dies: by a failure outside any call, by its own will, or by a test of that. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { account } from './support/azurite.js';
import type { RunningCli } from './support/cli.js';
import { runCli, startCli } from './support/cli.js';
import { eventually } from './support/eventually.js';

const directory = path.join(import.meta.dirname, 'fixtures/apps/troubled');

interface Status {
  runtimeStatus: string;
  customStatus: unknown;
  output: unknown;
}

/** A client of the management API of one emulator. */
class Client {
  constructor(readonly emulator: RunningCli) {}

  async start(name: string, input: unknown = null): Promise<string> {
    const response = await fetch(`${this.#api}/orchestrators/${name}`, {
      method: 'POST',
      body: JSON.stringify(input),
      headers: { 'content-type': 'application/json' },
    });
    return ((await response.json()) as { id: string }).id;
  }

  /** Starts an instance, and resolves when it waits for an event. */
  async waiting(): Promise<string> {
    const id = await this.start('waits');
    await eventually(async () => {
      const { customStatus } = await this.status(id);
      if (customStatus !== 'waiting') throw new Error(`'${id}' does not wait yet.`);
    });
    return id;
  }

  async status(id: string): Promise<Status> {
    return (await fetch(`${this.#api}/instances/${id}`)).json() as Promise<Status>;
  }

  /** The status of an instance, as soon as it has ended. */
  async ended(id: string): Promise<Status> {
    return eventually(async () => {
      const status = await this.status(id);
      if (!/Completed|Failed/.test(status.runtimeStatus))
        throw new Error(`'${id}' is ${status.runtimeStatus}.`);
      return status;
    });
  }

  async raise(id: string, event: string): Promise<void> {
    await fetch(`${this.#api}/instances/${id}/raiseEvent/${event}`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
  }

  async get(route: string): Promise<Response> {
    return fetch(`${this.emulator.url}/api/${route}`);
  }

  get #api(): string {
    return `${this.emulator.url}/runtime/webhooks/durabletask`;
  }
}

async function serve(...args: string[]): Promise<Client> {
  return new Client(await startCli(['start', '--app', directory, '--port', '0', ...args]));
}

describe('the process of the app dies, and the emulator goes on:', () => {
  let client: Client;
  beforeAll(async () => {
    client = await serve('--storage', 'memory');
  });
  afterAll(async () => {
    await client.emulator.stop();
  });

  test.each([
    ['timer', 1, 'Error: audit log unreachable'],
    ['rejection', 1, 'Error: nobody awaits this'],
    [
      'text',
      1,
      'UnhandledPromiseRejection: This error originated either by throwing inside of an async function without a catch block, or by rejecting a promise which was not handled with .catch(). The promise rejected with the reason "a text".',
    ],
    ['stream', 1, "Error: ENOENT: no such file or directory, open '/no/such/file'"],
    ['emitter', 1, 'Error: no listener'],
    ['exit', 7, undefined],
    ['abort', 134, undefined],
    ['kill', 137, undefined],
  ])('by %s. Its activity fails, and its orchestration catches that', async (how, code, uncaught) => {
    const pid = await (await client.get('pid')).text();
    const waits = await client.waiting();
    const exited = `node exited with code ${code} (0x${code.toString(16).toUpperCase()})`;
    expect(await client.ended(await client.start('order', how))).toMatchObject({
      runtimeStatus: 'Completed',
      output: `Activity function 'fails' failed: ${exited}`,
    });
    const after = await (await client.get('pid')).text();
    expect(after).not.toBe(pid);
    // Instances in memory go on in the next process.
    await client.raise(waits, 'Go');
    expect((await client.ended(waits)).output).toMatchObject({ after: Number(after) });

    const output = client.emulator.output();
    if (uncaught !== undefined)
      expect(output).toContain(
        `Worker uncaught exception (learn more: https://go.microsoft.com/fwlink/?linkid=2097909 ): ${uncaught}`,
      );
    const line = output.split('\n').findLast((each) => each.includes('The emulator loads the app again'))!;
    expect(line).toContain(`${exited}. `);
    expect(line).toContain('The functions that ran have failed: fails.');
    if (how !== 'kill') expect(line).toContain("started by the function 'fails'");
    if (how === 'exit')
      expect(line).toMatch(/The app called process\.exit\(7\) \(index\.js:\d+:\d+, started by/);
    if (how === 'timer') expect(line).toMatch(/Nothing caught an error \(index\.js:\d+:\d+, started by/);
  });

  test('a caller whose function runs then gets 500', async () => {
    expect((await client.get('hangs')).status).toBe(500);
    expect((await client.get('pid')).status).toBe(200);
  });

  test("the SDK's client in the next process reaches the host, without a socket", async () => {
    const id = await client.waiting();
    expect(await (await client.get(`status?id=${id}`)).json()).toEqual({
      runtimeStatus: 'Running',
      sockets: 0,
    });
  });

  test('an orchestrator that ends the process itself is Failed', async () => {
    expect(await client.ended(await client.start('exits'))).toMatchObject({
      runtimeStatus: 'Failed',
      output: "Orchestrator function 'exits' failed: node exited with code 9 (0x9)",
    });
  });

  test('and functions with bindings that the emulator does not have do not stop the others', async () => {
    const off = (name: string): string =>
      `Everything else runs; the setting AzureWebJobs.${name}.Disabled=true switches it off.`;
    const report = `The function 'writeReport' uses the bindings 'sql' and 'cosmosDB', which the emulator does not have. ${off('writeReport')}`;
    const output = client.emulator.output();
    for (const line of [
      report,
      `The function 'onOrder' uses the binding 'serviceBusTrigger', which the emulator does not have. ${off('onOrder')}`,
    ])
      expect(output).toContain(line);
    const response = await client.get('reports');
    expect(response.status).toBe(501);
    expect(await response.text()).toBe(
      `The function 'reports' uses the binding 'sql', which the emulator does not have. ${off('reports')}\n`,
    );
    expect(await client.ended(await client.start('daily'))).toMatchObject({
      runtimeStatus: 'Completed',
      output: `Activity function 'writeReport' failed: ${report}`,
    });
  });

  test('emulator kill-worker ends it in mid-episode, and the instance is Failed as in Azure', async () => {
    const { port } = new URL(client.emulator.url);
    const kill = async (...args: string[]): Promise<{ code: number | null; output: string }> =>
      runCli(['kill-worker', '--app', directory, '--port', port, ...args]);
    const waits = await client.waiting();
    expect(await kill('--during', 'nobody')).toEqual({
      code: 1,
      output: `The app on port ${port} has no function named 'nobody'.\n`,
    });
    expect(await kill('--during', 'Waits')).toMatchObject({ code: 0 });
    await client.raise(waits, 'Go');
    expect(await client.ended(waits)).toMatchObject({
      runtimeStatus: 'Failed',
      // The host compares what the orchestrator scheduled before with nothing.
      output: expect.stringMatching(/^Non-Deterministic workflow detected/) as unknown,
    });
    const pid = await (await client.get('pid')).text();
    expect(await kill()).toMatchObject({ code: 0 });
    await eventually(async () => {
      expect(await (await client.get('pid')).text()).not.toBe(pid);
    });
  });
});

test('on Azure Storage and with --watch, too; the next emulator finds the instance completed', async () => {
  const storage = await account();
  const first = await serve('--storage', storage, '--watch');
  const completed = {
    runtimeStatus: 'Completed',
    output: "Activity function 'fails' failed: node exited with code 1 (0x1)",
  };
  const id = await first.start('order', 'timer');
  expect(await first.ended(id)).toMatchObject(completed);
  expect((await first.get('pid')).status).toBe(200);
  await first.emulator.stop();
  const second = await serve('--storage', storage);
  expect(await second.status(id)).toMatchObject(completed);
  await second.emulator.stop();
});

test('a host that had to wait for the pipe to the app stops when its process has ended, also if the pipe ends later', async () => {
  const program = pathToFileURL(path.join(import.meta.dirname, 'fixtures/stop-after-large-input.js')).href;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    // The process of the app does not get this program, too.
    ['--input-type=module', '-e', `process.connected ? process.exit(3) : await import('${program}')`],
    { cwd: directory, env: { ...process.env, NODE_OPTIONS: '', LINGERS: '1' } },
  );
  expect(stdout).toBe('stopped');
});
