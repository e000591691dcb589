/** The console by HTTP: skipping time, what it shows and does, and the requests that it refuses. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ClockState } from '../src/console/live.js';
import type { InstanceView } from '../src/console/view.js';
import type { HistoryEvent } from '../src/durable/history.js';
import { account } from './support/azurite.js';
import { runCli, startCli, type RunningCli } from './support/cli.js';
import { eventually } from './support/eventually.js';

const directory = path.join(import.meta.dirname, 'fixtures/skipped-app');
const DAY = 86_400_000;

interface Started {
  emulator: RunningCli;
  storage: string;
  notes: () => Promise<string[]>;
  again: (...args: string[]) => Promise<RunningCli>;
}

/** The app on a clock that skips, unless `args` say otherwise. */
async function start(storage: string, args = ['--clock', 'skip']): Promise<Started> {
  const folder = await mkdtemp(path.join(tmpdir(), 'skipped-'));
  const file = path.join(folder, 'notes');
  const again = async (...more: string[]): Promise<RunningCli> => {
    const emulator = await startCli(
      ['start', '--app', directory, '--port', '0', '--storage', storage, ...more],
      {
        env: {
          NOTES: file,
          // Each run writes its status to storage.
          ...(storage !== 'memory' && {
            AzureWebJobsStorage: storage,
            'AzureWebJobs.EveryMinute.Disabled': 'true',
          }),
        },
      },
    );
    onTestFinished(() => emulator.kill());
    return emulator;
  };
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return {
    emulator: await again(...args),
    storage,
    again,
    notes: async () => (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean),
  };
}

async function post(
  emulator: RunningCli,
  at: string,
  body: unknown = {},
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${emulator.url}/_emulator/${at}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

async function skip(emulator: RunningCli, by: unknown): Promise<ClockState> {
  const response = await post(emulator, 'clock', by);
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()) as ClockState;
}

async function view(emulator: RunningCli, id: string): Promise<InstanceView<HistoryEvent>> {
  const response = await fetch(`${emulator.url}/_emulator/api/instances/${encodeURIComponent(id)}`);
  return (await response.json()) as InstanceView<HistoryEvent>;
}

const begin = async (emulator: RunningCli, name: string, id: string, input?: unknown): Promise<void> => {
  expect((await post(emulator, 'api/instances', { name, instanceId: id, input })).status).toBe(200);
};

const clock = async (emulator: RunningCli): Promise<ClockState> =>
  (await (await fetch(`${emulator.url}/_emulator/clock`)).json()) as ClockState;

const appTime = async (emulator: RunningCli): Promise<number> =>
  Date.parse(await (await fetch(`${emulator.url}/api/now`)).text());

/** The notes of an activity or a timer function: the days on which it ran, by its text. */
const days = (notes: string[], text: string): string[] =>
  notes.filter((line) => line.slice(25) === text).map((line) => line.slice(0, 10));

describe.each(['memory', 'Azurite'])('time that is skipped by HTTP, with instances in %s', (where) => {
  const storage = async (): Promise<string> => (where === 'memory' ? where : account());

  test('passes for timers, timer functions and the app’s own Date, and the answer comes when all is done', async () => {
    const { emulator, notes } = await start(await storage());
    await begin(emulator, 'series', 'three', 3);
    await begin(emulator, 'asks', 'question');
    const before = await appTime(emulator);

    const next = await skip(emulator, { to: 'next' });
    expect(next.now - before).toBeGreaterThan(DAY - 3_600_000);
    expect(next.now - before).toBeLessThan(2 * DAY);
    expect(await view(emulator, 'three')).toMatchObject({ customStatus: { day: 1 }, status: 'Running' });
    expect((await notes()).filter((line) => line.includes('three'))).toHaveLength(1);

    const after = await skip(emulator, { days: 2, hours: 1, minutes: 2, seconds: 3 });
    expect(after.now).toBeGreaterThanOrEqual(next.now + 2 * DAY + 3_723_000);
    expect(await appTime(emulator)).toBeGreaterThanOrEqual(after.now);
    const three = await view(emulator, 'three');
    expect(three).toMatchObject({ status: 'Completed', customStatus: { day: 3 } });
    expect(Date.parse(three.output as string) - Date.parse(three.created)).toBeGreaterThanOrEqual(3 * DAY);

    expect(await view(emulator, 'question')).toMatchObject({ status: 'Running' });
    await skip(emulator, { to: 'idle' });
    expect(await view(emulator, 'question')).toMatchObject({
      status: 'Completed',
      output: 'nobody answered',
    });
    const nights = days(await notes(), 'Nightly');
    expect(new Set(nights).size).toBe(nights.length);
    expect(nights.length).toBeGreaterThanOrEqual(9);
    if (where === 'memory') {
      // What runs every minute runs once an hour, and less often later, while time is skipped.
      const runs = days(await notes(), 'EveryMinute').length;
      expect(runs).toBeGreaterThan(24);
      expect(runs).toBeLessThan(1_000);
    }
    expect((await clock(emulator)).due.filter((due) => 'instanceId' in due)).toEqual([]);

    if (where === 'Azurite') {
      await fetch(`${emulator.url}/api/enqueue`, { method: 'POST', body: 'laundry' });
      await skip(emulator, { seconds: 1 });
      await eventually(async () => {
        const queue = await fetch(`${emulator.url}/_emulator/api/functions/onJob/queue`);
        expect(await queue.json()).toMatchObject({
          queue: 'jobs',
          messages: 0,
          poison: 1,
          poisonMessages: [{ text: 'laundry' }],
        });
      });
      const ran = await post(emulator, 'api/functions/onJob/run', { input: 'dishes' });
      expect(await ran.json()).toEqual({ succeeded: false, message: 'It has failed: cannot do dishes' });
    }
  });
});

test('An emulator that is killed while it skips continues at its time: nothing fires twice, and nothing is late', async () => {
  const { emulator, storage, notes, again } = await start(await account());
  const ids = ['a', 'b', 'c'];
  for (const id of ids) await begin(emulator, 'series', id, 6);
  const killed = post(emulator, 'clock', { days: 8 }).catch(() => undefined);
  await eventually(async () => {
    expect(days(await notes(), 'b 3')).toHaveLength(1);
  });
  await emulator.kill();
  await killed;

  const refused = await runCli(['start', '--app', directory, '--port', '0', '--storage', storage]);
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.output).toMatch(
    /^The time of task hub 'Skipped' was skipped: it is \d+ days ahead. Start it with --clock skip,/,
  );

  const next = await again('--clock', 'skip');
  expect((await clock(next)).ahead).toBeGreaterThan(2 * DAY);
  await skip(next, { days: 8 });
  for (const id of ids) {
    const { status, history } = await view(next, id);
    expect(status).toBe('Completed');
    const fired = history.flatMap((event, index) =>
      event.EventType === 'TimerFired' ? [{ ...event, episode: history[index - 1]! }] : [],
    );
    expect(fired.map(({ TimerId }) => TimerId)).toEqual([0, 2, 4, 6, 8, 10]);
    for (const { FireAt, episode } of fired) {
      expect(episode.EventType).toBe('OrchestratorStarted');
      const late = Date.parse(episode.Timestamp) - Date.parse(FireAt);
      expect(late).toBeGreaterThanOrEqual(0);
      // The restart takes a while, and time goes on meanwhile.
      expect(late).toBeLessThan(3_600_000);
    }
    // An activity that was running when the emulator was killed runs again.
    const ran = (await notes()).flatMap((line) => (line.slice(25, 27) === `${id} ` ? [line.slice(25)] : []));
    expect(new Set(ran).size).toBe(6);
    expect(ran.length).toBeLessThanOrEqual(7);
  }
  const nights = days(await notes(), 'Nightly');
  const [first, last] = [nights[0]!, nights.at(-1)!];
  expect(nights.length - new Set(nights).size).toBeLessThanOrEqual(1);
  expect(new Set(nights).size).toBe((Date.parse(last) - Date.parse(first)) / DAY + 1);
});

describe('the console of an app that serves', () => {
  let emulator!: RunningCli;
  beforeAll(async () => {
    emulator = await startCli(
      ['start', '--app', directory, '--port', '0', '--storage', 'memory', '--clock', 'skip'],
      { cwd: import.meta.dirname },
    );
  });
  afterAll(() => emulator.kill());

  const act = async (id: string, verb: string, body: unknown = {}): Promise<number> =>
    (await post(emulator, `api/instances/${encodeURIComponent(id)}/${verb}`, body)).status;
  const settled = async (id: string, expected: object): Promise<InstanceView<HistoryEvent>> =>
    eventually(async () => {
      const found = await view(emulator, id);
      expect(found).toMatchObject(expected);
      return found;
    });

  test('is printed, and says what the app has', async () => {
    expect(emulator.output()).toContain(`\nConsole: ${emulator.url}/_emulator\n`);
    const app = await fetch(`${emulator.url}/_emulator/api/app`);
    expect(await app.json()).toMatchObject({
      hub: 'Skipped',
      storage: 'memory',
      orchestrators: expect.arrayContaining(['series', 'asks']) as unknown,
      entities: ['counter'],
      queues: ['onJob'],
      timers: [
        { name: 'Nightly', schedule: "Cron: '0 30 2 * * *'" },
        { name: 'EveryMinute', schedule: "Cron: '0 * * * * *'" },
      ],
    });
  });

  test('shows what an instance waits for, where, and its parent', async () => {
    await begin(emulator, 'asksAll', 'all');
    const first = await settled('all-first', { status: 'Running', waits: [{ kind: 'event' }, {}] });
    const source = (await readFile(path.join(directory, 'index.js'), 'utf8')).split('\n');
    const line = source.findIndex((text) => text.includes('Task.any([answer, deadline])')) + 1;
    expect(first).toMatchObject({
      name: 'asks',
      parent: 'all',
      waits: [{ kind: 'event', name: 'Answer' }, { kind: 'timer' }],
      where: expect.stringMatching(new RegExp(String.raw`^index\.js:${line}:\d+$`)) as unknown,
    });
    // The timer is made in hops of three days.
    const [, timer] = first.waits as [unknown, { at: string; until: string }];
    expect(Date.parse(timer.until) - Date.parse(first.created)).toBeGreaterThanOrEqual(10 * DAY);
    expect(Date.parse(timer.at)).toBeLessThan(Date.parse(timer.until));
    expect(await view(emulator, 'all')).toMatchObject({
      waits: [{ kind: 'subOrchestration', name: 'asks', instanceId: 'all-first' }],
    });

    expect(await act('all-first', 'raise', { name: 'Answer', data: { yes: true } })).toBe(200);
    await settled('all', { status: 'Completed', output: { yes: true }, waits: [] });
    // A page that has the first events gets only the others.
    const { revision, history } = await view(emulator, 'all');
    const rest = await fetch(
      `${emulator.url}/_emulator/api/instances/all?from=2&revision=${encodeURIComponent(revision)}`,
    );
    expect(await rest.json()).toMatchObject({ from: 2, history: history.slice(2) });
  });

  test('suspends, resumes, terminates, restarts, rewinds and purges', async () => {
    await begin(emulator, 'asks', 'verbs');
    expect(await act('verbs', 'purge')).toBe(409);
    expect(await act('verbs', 'suspend', { reason: 'lunch' })).toBe(200);
    await settled('verbs', { status: 'Suspended', output: 'lunch' });
    expect(await act('verbs', 'suspend')).toBe(409);
    expect(await act('verbs', 'resume')).toBe(200);
    await settled('verbs', { status: 'Running' });
    expect(await act('verbs', 'rewind')).toBe(409);
    expect(await act('verbs', 'restart', { sameId: true })).toBe(409);
    expect(await act('verbs', 'terminate', { reason: 'enough' })).toBe(200);
    await settled('verbs', { status: 'Terminated', output: 'enough' });
    expect(await act('verbs', 'raise', { name: 'Answer' })).toBe(410);
    expect(await act('verbs', 'restart', { sameId: true })).toBe(200);
    await settled('verbs', { status: 'Running' });
    await act('verbs', 'terminate');
    await settled('verbs', { status: 'Terminated' });
    expect(await act('verbs', 'purge')).toBe(200);
    expect(await act('verbs', 'purge')).toBe(404);

    await begin(emulator, 'prints', 'paper');
    await settled('paper', { waits: [{ kind: 'timer' }] });
    await skip(emulator, { minutes: 5 });
    const failed = await settled('paper', { status: 'Failed' });
    expect(failed.diagnostics).toMatchObject([{ level: 'error' }]);
    expect(await act('paper', 'rewind', { reason: 'refilled' })).toBe(200);
    expect(await act('paper', 'fold')).toBe(404);
    expect(await act('paper', 'raise', {})).toBe(400);
    expect((await post(emulator, 'api/instances', { name: 'nothing' })).status).toBe(400);
    expect((await post(emulator, 'api/instances', { name: 'asks', instanceId: '@a' })).status).toBe(400);
    expect((await fetch(`${emulator.url}/_emulator/api/instances/%E0%A4%A`)).status).toBe(400);
  });

  test('shows what the log said about an instance', async () => {
    await begin(emulator, 'stuck', 'hangs');
    const { diagnostics } = await settled('hangs', { diagnostics: [{ level: 'error' }] });
    expect(diagnostics[0]!.message).toMatch(
      /^hangs: The orchestrator calls an activity named 'missing'.*\n {4}at .*index\.js:\d+:\d+$/s,
    );
  });

  test('shows entities, and signals them', async () => {
    expect(await act('@counter@shared', 'signal', { operation: 'add', input: 3 })).toBe(200);
    await settled('@counter@shared', { entity: { exists: true, state: 3, lockedBy: null, queue: [] } });
    await begin(emulator, 'locks', 'holder');
    await settled('@counter@shared', { entity: { lockedBy: 'holder' } });
    await act('@counter@shared', 'signal', { operation: 'add', input: 4 });
    await settled('@counter@shared', { entity: { state: 3, queue: [{ operation: 'add', from: null }] } });
    await act('holder', 'raise', { name: 'Release' });
    await settled('@counter@shared', { entity: { state: 7, lockedBy: null, queue: [] } });
    expect(await act('holder', 'signal', { operation: 'add' })).toBe(409);
  });

  test('runs a timer function now', async () => {
    const ran = await post(emulator, 'api/functions/Nightly/run');
    expect(await ran.json()).toEqual({ succeeded: true, message: 'It has succeeded.' });
    expect((await post(emulator, 'api/functions/asks/run')).status).toBe(404);
  });

  test('gives a history as the fixture of a test that replays it', async () => {
    await begin(emulator, 'series', 'to keep', 2);
    await skip(emulator, { days: 3 });
    const at = `${emulator.url}/_emulator/api/instances/to%20keep`;
    const fixture = await fetch(`${at}/history.json`);
    expect(fixture.headers.get('content-disposition')).toBe('attachment; filename="to-keep.json"');
    const { TestApp } = await import('../src/testing.js');
    await using app = await TestApp.start({ directory });
    await app.replay((await fixture.json()) as never);
    const file = await (await fetch(`${at}/test.ts`)).text();
    expect(file).toContain("new URL('./to-keep.json', import.meta.url)");
    expect(file).toContain('await app.replay(');
    expect((await fetch(`${emulator.url}/_emulator/api/instances/nobody/history.json`)).status).toBe(404);
  });

  test('sends what happens as it happens', async () => {
    await begin(emulator, 'asks', 'live');
    const response = await fetch(`${emulator.url}/_emulator/api/events`);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    let received = '';
    const reading = (async () => {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) received += chunk;
    })().catch(() => {});
    const arrived = (text: string): Promise<void> =>
      eventually(() => {
        expect(received).toContain(text);
      });
    await arrived('event: complete');
    expect(received).toMatch(/event: rows\ndata: .*\["live","asks","(Running|Pending)"/);
    await arrived('"instanceId":"live"');
    await act('live', 'raise', { name: 'Answer' });
    await arrived('["live","asks","Completed"');
    await act('live', 'purge');
    await arrived('"purged":["live"]');
    await response.body!.cancel().catch(() => {});
    await Promise.race([reading, Promise.resolve()]);
  });

  test('refuses every request that does not come from its own page on this machine', async () => {
    const send = (headers: Record<string, string>, method = 'GET', at = 'api/app'): Promise<number> =>
      new Promise((resolve, reject) => {
        const { port } = new URL(emulator.url);
        request(
          { port, host: '127.0.0.1', path: `/_emulator${at && `/${at}`}`, method, headers },
          (response) => {
            response.resume();
            resolve(response.statusCode!);
          },
        )
          .on('error', reject)
          .end(method === 'POST' ? '{"days":1}' : undefined);
      });
    const { port } = new URL(emulator.url);
    const own = `localhost:${port}`;
    const json = { 'content-type': 'application/json' };
    expect(await send({ host: own })).toBe(200);
    expect(await send({ host: own, origin: `http://${own}`, 'sec-fetch-site': 'same-origin' })).toBe(200);
    const before = await clock(emulator);
    const forgeries: Record<string, string>[] = [
      { host: `rebound.example:${port}` },
      { host: `localhost.rebound.example:${port}` },
      { host: '192.168.1.20' },
      { host: own, origin: 'https://elsewhere.example' },
      { host: own, origin: 'http://localhost:3000' },
      { host: own, origin: 'null' },
      { host: own, 'sec-fetch-site': 'cross-site' },
      { host: own, 'sec-fetch-site': 'same-site' },
      { host: own, 'x-forwarded-host': 'tunnel.example' },
      { host: own, 'x-forwarded-for': '203.0.113.7' },
    ];
    for (const forged of forgeries) {
      expect(await send(forged), JSON.stringify(forged)).toBe(403);
      expect(await send({ ...forged, ...json }, 'POST', 'clock'), JSON.stringify(forged)).toBe(403);
      expect(await send(forged, 'OPTIONS', 'clock'), JSON.stringify(forged)).toBe(403);
    }
    // What a form of another page could send, if a browser did not say where it comes from.
    expect(await send({ host: own, 'content-type': 'text/plain' }, 'POST', 'clock')).toBe(415);
    const link = { host: own, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect(await send({ ...link, 'sec-fetch-dest': 'iframe' }, 'GET', '')).toBe(403);
    expect(await send({ ...link, 'sec-fetch-dest': 'document' }, 'GET', '')).not.toBe(403);
    expect((await clock(emulator)).ahead).toBe(before.ahead);
    const allowed = await fetch(`${emulator.url}/_emulator/api/app`, { headers: { origin: emulator.url } });
    expect([...allowed.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  test('ends a skip that never comes to its end, when it is asked to', async () => {
    await begin(emulator, 'polls', 'forever');
    const idle = post(emulator, 'clock', { to: 'idle' });
    const before = await clock(emulator);
    await eventually(async () => {
      expect((await clock(emulator)).ahead).toBeGreaterThan(before.ahead + DAY);
    });
    expect(await skip(emulator, { stop: true })).toMatchObject({ skips: true });
    expect((await idle).status).toBe(200);
    await act('forever', 'terminate');
    await skip(emulator, { hours: 1 });
  });

  test('refuses spans that it cannot skip', async () => {
    const status = async (body: unknown): Promise<number> => (await post(emulator, 'clock', body)).status;
    for (const wrong of [
      {},
      { days: -1 },
      { days: '1' },
      { weeks: 1 },
      { to: 'noon' },
      { to: 'idle', days: 1 },
    ])
      expect(await status(wrong), JSON.stringify(wrong)).toBe(400);
    expect(await status({ days: 1e9 })).toBe(400);
    expect(await status([])).toBe(400);
  });
});

test('With real time nothing is skipped, and without the console nothing is served', async () => {
  const { emulator, again } = await start('memory', []);
  const refused = await post(emulator, 'clock', { days: 1 });
  expect(refused.status).toBe(409);
  expect(await refused.json()).toMatchObject({ detail: expect.stringContaining('--clock skip') as unknown });
  expect(await clock(emulator)).toMatchObject({ skips: false, ahead: 0 });
  const without = await again('--no-console', '--clock', 'skip');
  expect(without.output()).not.toContain('_emulator');
  expect((await fetch(`${without.url}/_emulator/api/app`)).status).toBe(404);
  expect((await post(without, 'clock', { days: 1 })).status).toBe(404);
});
