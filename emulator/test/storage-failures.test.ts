/** Storage that fails for a while, in the midst of a scenario that has everything in it: nothing is lost, one line says so, and all goes on. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { account } from './support/azurite.js';
import { faultyStorage, type Fault } from './support/faulty-storage.js';
import { ending, Life, loadScenario, play, type Ending } from './support/scenario.js';

/** After so many requests storage begins to fail, and fails for so many milliseconds: for longer than the lease of a hub lasts. */
const SOUND = 60;
const OUTAGE = 40_000;

const worker = await loadScenario();
let undisturbed: Ending;

// Time passes quicker here, so that nobody has to wait out the outage; but not while Azurite is at work, whose time is real.
beforeAll(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  undisturbed = await playOn('undisturbed');
});
afterAll(() => {
  vi.useRealTimers();
});

/** Plays the scenario on storage that has a fault for a while. */
async function playOn(name: string, fault?: Fault): Promise<Ending & { said: string[] }> {
  const storage = await faultyStorage(await account());
  const said: string[] = [];
  const life = new Life(storage.connection, worker, (level, _category, message) => {
    // Who got no answer starts an instance once more, and is told so.
    if (!message.includes('was started again while it runs')) said.push(`${level}: ${message}`);
  });
  let requests = 0;
  let until: number | undefined;
  storage.fault = ({ path }) => {
    if (requests++ < SOUND) return undefined;
    until ??= Date.now() + OUTAGE;
    // To be answered so when it renews its lease tells a host that the hub is somebody else's.
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

test('storage that does not fail is not worth a word', () => {
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
