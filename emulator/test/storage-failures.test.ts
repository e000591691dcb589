/**
 * Storage fails for a while in the middle of a scenario that has everything in it. Nothing is lost, the log
 * has one line, and all continues.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { account } from './support/azurite.js';
import { faultyStorage, type Fault } from './support/faulty-storage.js';
import { ending, Life, loadScenario, play, type Ending } from './support/scenario.js';

/**
 * Storage begins to fail after so many requests. It fails for so many milliseconds: longer than the lease of
 * a hub lasts.
 */
const SOUND = 60;
const OUTAGE = 31_000;

const worker = await loadScenario();
let undisturbed: Ending;

// Time passes faster here, so that the outage is short. It does not pass while Azurite works, because
// Azurite's time is real.
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  undisturbed = await playOn('undisturbed');
});
afterAll(() => {
  vi.useRealTimers();
});

/** Plays the scenario on storage with a fault for a while. */
async function playOn(name: string, fault?: Fault): Promise<Ending & { said: string[] }> {
  const storage = await faultyStorage(await account());
  const said: string[] = [];
  const life = new Life(storage.connection, worker, (level, _category, message) => {
    // A caller that gets no response starts the instance again, which is logged.
    if (!message.includes('was started again while it runs')) said.push(`${level}: ${message}`);
  });
  let requests = 0;
  let until: number | undefined;
  storage.fault = ({ path }) => {
    if (requests++ < SOUND) return undefined;
    until ??= Date.now() + OUTAGE;
    // A host that gets 412 when it renews its lease has lost the hub.
    const refused =
      typeof fault === 'object' && 'status' in fault && fault.status === 412 && path.includes('comp=lease');
    return Date.now() < until && !refused ? fault : undefined;
  };
  const end = (async () => {
    await play(name, () => life);
    const { instances, wrong } = await ending(name, life);
    await life.engine.stop();
    return { instances, wrong };
  })();
  let over = false;
  const noted = end.finally(() => {
    over = true;
  });
  while (!over) {
    if (storage.busy === 0) await vi.advanceTimersByTimeAsync(200);
    await sleep(5);
  }
  storage.stop();
  return { ...(await noted), said };
}

test('storage that does not fail is not logged', () => {
  expect(undisturbed).toMatchObject({ wrong: [], said: [] });
});

const SAID = [
  expect.stringMatching(/^warning: Storage failed for .+, trying again until it answers: .+$/),
  'information: Storage answers again.',
];

test.each<[string, Fault, unknown[]]>([
  ['answers 500', { status: 500, code: 'InternalError' }, SAID],
  ['answers 503', { status: 503, code: 'ServerBusy' }, SAID],
  ['answers 412', { status: 412, code: 'UpdateConditionNotSatisfied' }, SAID],
  ['breaks connections', 'request lost', SAID],
  ['does what it is asked and breaks connections', 'answer lost', SAID],
  ['does not answer', 'silence', SAID],
  ['is slow', { late: 50 }, []],
])(
  'nothing is lost on storage that %s for a while, and the log says no more than it must',
  async (name, fault, said) => {
    expect(await playOn(name.replaceAll(' ', '-'), fault)).toEqual({ ...undisturbed, said });
  },
);
