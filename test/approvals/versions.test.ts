/** A deployment of new code under live instances: which code can follow them, and two versions that run at once. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { runCli, startCli, type RunningCli } from '../../emulator/test/support/cli.js';
import { eventually } from '../../emulator/test/support/eventually.js';
import { account } from '../support/azurite.js';
import { disabled, QUEUE_FUNCTIONS } from '../support/disabled.js';

const root = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const ORCHESTRATORS = 'dist/approvals/orchestrators.js';
const VERSIONED = "sinceVersion(context, '2.0')";

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'versions-'));
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

/** The built app with another orchestrator of approvals, and with another version or none. */
function appWith(name: string, orchestrators: string, defaultVersion?: string): string {
  const app = path.join(folder, name);
  mkdirSync(app);
  cpSync(path.join(root, 'dist'), path.join(app, 'dist'), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(app, 'node_modules'), 'junction');
  const host = JSON.parse(read('host.json')) as { extensions: { durableTask: object } };
  host.extensions.durableTask = { ...host.extensions.durableTask, defaultVersion };
  writeFileSync(path.join(app, 'host.json'), JSON.stringify(host));
  writeFileSync(path.join(app, 'package.json'), JSON.stringify({ type: 'module', main: 'dist/index.js' }));
  writeFileSync(path.join(app, ORCHESTRATORS), orchestrators);
  return app;
}

/** An app on a clock that skips, without the functions that would run each minute. */
async function running(app: string, storage: string): Promise<RunningCli> {
  const env = {
    AppStorage: storage,
    ...disabled('Sweep', 'Purge', 'SendHeartbeat', 'DeliverNotification', ...QUEUE_FUNCTIONS),
  };
  const emulator = await startCli(
    ['start', '--app', app, '--port', '0', '--storage', storage, '--clock', 'skip'],
    { env },
  );
  onTestFinished(() => emulator.kill());
  return emulator;
}

const post = async (url: string, body: object): Promise<Response> => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.ok, url).toBe(true);
  return response;
};

/** Asks kim, who has a week, and lee after that. @returns the id */
async function ask({ url }: RunningCli): Promise<string> {
  const wanted = {
    subject: 'A new laptop',
    requestedBy: 'ana',
    approver: 'kim',
    escalateTo: 'lee',
    respondWithin: 'P7D',
    escalateWithin: 'P7D',
  };
  const { id } = (await (await post(`${url}/api/approvals`, wanted)).json()) as { id: string };
  await until({ url } as RunningCli, id, ['asked']);
  return id;
}

/** Waits until these steps are in the history of an approval, in this order and no others. */
async function until({ url }: RunningCli, id: string, steps: string[]): Promise<void> {
  await eventually(async () => {
    const { history } = (await (await fetch(`${url}/api/approvals/${id}`)).json()) as {
      history: { what: string }[];
    };
    expect(history.map(({ what }) => what)).toEqual(['requested', ...steps]);
  });
}

const skip = ({ url }: RunningCli, span: object): Promise<Response> => post(`${url}/_emulator/clock`, span);

test('new code is checked against the live instances, deployed under them, and both versions run at once', async () => {
  const storage = await account();
  const before = appWith('before', read('test/approvals/fixtures/orchestrators-1.0.js'));
  const built = read(ORCHESTRATORS);
  expect(built).toContain(VERSIONED);
  const careless = appWith('careless', built.replace(VERSIONED, 'true'), '2.0');

  const old = await running(before, storage);
  const escalated = await ask(old);
  await skip(old, { days: 7, hours: 1 });
  await until(old, escalated, ['asked', 'escalated', 'asked']);
  const pending = await ask(old);

  // The careless change has the reminder where the instance has escalated.
  const refused = await runCli(['check-running', old.url, '--app', careless]);
  expect(refused.output).toMatch(
    new RegExp(`^${escalated} +ApprovalOrchestrator +none +3 +.*RemindApprover`, 'm'),
  );
  expect(refused.output).toContain('Checked 2: 1 continue, 1 would be stranded');
  expect(refused.code).toBe(1);
  const passed = await runCli(['check-running', old.url, '--app', root, '--strict']);
  expect(passed.output).toContain('Checked 2: 2 continue');
  expect(passed.code).toBe(0);

  expect(await old.stop()).toBe(0);
  const app = await running(root, storage);
  const newer = await ask(app);
  const live = (await (
    await fetch(`${app.url}/runtime/webhooks/durabletask/instances?runtimeStatus=Running`)
  ).json()) as { instanceId: string; version?: string }[];
  expect(new Map(live.map(({ instanceId, version }) => [instanceId, version]))).toEqual(
    new Map([
      [escalated, undefined],
      [pending, undefined],
      [newer, '2.0'],
    ]),
  );

  await post(`${app.url}/api/approvals/${escalated}/decision`, { decision: 'approved', by: 'lee' });
  await until(app, escalated, ['asked', 'escalated', 'asked', 'approved', 'reported']);
  await skip(app, { days: 6, hours: 12 });
  await until(app, newer, ['asked', 'reminded', 'asked']);
  await until(app, pending, ['asked']);
  await skip(app, { days: 1 });
  await until(app, newer, ['asked', 'reminded', 'asked', 'escalated', 'asked']);
  await until(app, pending, ['asked', 'escalated', 'asked']);

  // The way back: the old code leaves the instances of the new version alone.
  const back = await runCli(['check-running', app.url, '--app', before]);
  expect(back.output).toMatch(
    new RegExp(`^${newer} +ApprovalOrchestrator +2\\.0 .* has the version '2\\.0'`, 'm'),
  );
  expect(back.code).toBe(1);
});
