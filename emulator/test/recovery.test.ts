/** The emulator is killed. Everything that it has acknowledged survives, and continues at once. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { account } from './support/azurite.js';
import type { RunningCli } from './support/cli.js';
import { runCli, startCli } from './support/cli.js';

interface Status {
  runtimeStatus: string;
  output: { results: [string, string][]; events: number[] };
}

const directory = path.join(import.meta.dirname, 'fixtures/mixed-app');
/** After each kill the emulator starts again, which takes a second. */
const KILLS = inject('long') ? 30 : 2;
const MIXED = inject('long') ? 24 : 6;
/** How many instances of the mixed orchestration start in a round. There is a kill in each of the first rounds. */
const STARTS = 3;
const [HANGING, WAITING] = inject('long') ? [100, 200] : [20, 40];
let folder: string;
let storage: string;
let emulator: RunningCli | undefined;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'recovery-'));
  storage = await account();
});
afterEach(async () => {
  await emulator?.kill();
  emulator = undefined;
  await rm(folder, { recursive: true });
});

async function start(env: Record<string, string> = {}): Promise<void> {
  emulator = await startCli(['start', '--app', directory, '--port', '0', '--storage', storage], {
    env: { JOURNAL: path.join(folder, 'journal'), ...env },
  });
}

/** Calls the management API. @returns undefined when the emulator was killed meanwhile */
async function call(method: string, where: string, body?: unknown): Promise<Response | undefined> {
  try {
    return await fetch(`${emulator!.url}/runtime/webhooks/durabletask/${where}`, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    });
  } catch {
    return undefined;
  }
}

async function status(id: string): Promise<Status> {
  return (await (await call('GET', `instances/${id}`))!.json()) as Status;
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await what()) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
  throw new Error(`It did not happen in thirty seconds. ${emulator?.output() ?? ''}`);
}

test.each(['storage', 'a file'])(
  `${KILLS} kills at random moments lose nothing and repeat no recorded step on %s`,
  async (kind) => {
    if (kind === 'a file') storage = path.join(folder, 'hub.db');
    await start();
    const ids = Array.from({ length: MIXED }, (_, index) => `mixed-${index}`);
    const accepted = new Map<string, Set<number>>();
    for (let kills = 0, next = 0, round = 0; kills < KILLS || next < ids.length; round++) {
      const killAt = Math.random() * 250;
      const killing =
        kills < KILLS
          ? new Promise<void>((resolve) => {
              setTimeout(() => {
                void emulator!.kill().then(resolve);
              }, killAt);
            })
          : undefined;
      for (const id of ids.slice(next, next + STARTS)) {
        const response = await call('POST', `orchestrators/mixed/${id}`, {});
        // 409: the emulator accepted it before it was killed, and the response was lost.
        if (response?.status !== 202 && response?.status !== 409) break;
        next++;
      }
      const known = ids.slice(0, next);
      await Promise.all(
        known.map(async (id) => {
          const numbers = accepted.get(id) ?? new Set<number>();
          accepted.set(id, numbers);
          if (numbers.size === 3) return;
          const answer = (await call('POST', `instances/${id}/raiseEvent/Number`, round))?.status;
          if (answer === 202 || answer === 410) numbers.add(round);
        }),
      );
      if (killing !== undefined) {
        await killing;
        kills++;
        await start();
      }
    }
    for (const [id, numbers] of accepted) {
      for (let number = 1000; numbers.size < 3; number++) {
        const answer = (await call('POST', `instances/${id}/raiseEvent/Number`, number))?.status;
        // 410: the instance has finished. Events whose responses were lost were enough.
        if (answer === 202 || answer === 410) numbers.add(number);
      }
    }
    await until(async () =>
      (await Promise.all(ids.map(status))).every(
        ({ runtimeStatus }) => runtimeStatus !== 'Running' && runtimeStatus !== 'Pending',
      ),
    );

    const runs = (await readFile(path.join(folder, 'journal'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    for (const id of ids) {
      const { runtimeStatus, output } = await status(id);
      expect(runtimeStatus).toBe('Completed');
      expect(output.results.map(([step]) => step)).toEqual([
        'first',
        'a',
        'b',
        'c',
        'd',
        'retried',
        'child/round-0',
        'child/round-1',
        'child/round-2',
        'raced',
      ]);
      // Events whose response was lost may have come, too. But none comes twice, and they are taken in their
      // order.
      expect(output.events).toHaveLength(3);
      expect(new Set(output.events).size).toBe(3);
      for (const [step, execution] of output.results.filter(([name]) => !name.startsWith('child/'))) {
        // The recorded run is the last one: a recorded step does not run again.
        expect(runs.findLast(([instance, name]) => instance === id && name === step)?.[2]).toBe(execution);
      }
    }
  },
);

test('with activities in flight and many instances waiting, work goes on right after a kill', async () => {
  await start();
  const startAll = async (name: string, count: number): Promise<string[]> => {
    const ids = Array.from({ length: count }, (_, index) => `${name}-${index}`);
    for (let from = 0; from < ids.length; from += 50)
      await Promise.all(
        ids.slice(from, from + 50).map((id) => call('POST', `orchestrators/${name}/${id}`, {})),
      );
    return ids;
  };
  const waiting = await startAll('waiter', WAITING);
  const hanging = await startAll('hanging', HANGING);
  await until(async () =>
    (await Promise.all(hanging.map(status))).every(({ runtimeStatus }) => runtimeStatus === 'Running'),
  );
  await emulator!.kill();
  await start({ HANG: 'no' });
  await until(async () =>
    (await Promise.all(hanging.map(status))).every(({ runtimeStatus }) => runtimeStatus === 'Completed'),
  );
  const one = waiting[WAITING / 2]!;
  expect((await call('POST', `instances/${one}/raiseEvent/Go`, 'now'))?.status).toBe(202);
  await until(async () => (await status(one)).runtimeStatus === 'Completed');
});

test('of two emulators on one hub the second prints the owner, and can start when the first was killed', async () => {
  await start();
  const first = emulator!;
  expect((await call('POST', 'orchestrators/hanging/one', {}))?.status).toBe(202);
  expect((await call('POST', 'orchestrators/waiter/two', {}))?.status).toBe(202);
  const second = await runCli(['start', '--app', directory, '--port', '0', '--storage', storage], {
    env: { JOURNAL: path.join(folder, 'journal') },
  });
  expect(second).toEqual({
    code: 1,
    output: `Task hub 'MixedHub' is in use by process ${first.child.pid} on ${hostname()}.\n`,
  });
  // It has not disturbed the first.
  expect((await call('POST', 'instances/two/raiseEvent/Go', 'now'))?.status).toBe(202);
  await until(async () => (await status('two')).runtimeStatus === 'Completed');
  await first.kill();
  await start({ HANG: 'no' });
  await until(async () => (await status('one')).runtimeStatus === 'Completed');
});
