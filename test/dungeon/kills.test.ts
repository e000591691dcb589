import type { DurableClient } from 'durable-functions';
import moment from 'moment';
import { describe, expect, it } from 'vitest';
import type { Activity } from '../../src/durable/index.js';
import type { GameKey } from '../../src/dungeon/model.js';
import { withProblems } from '../../src/http/index.js';
import { startApp as start } from '../support/app.js';
import { killedAtTheHub, request, silent, withStorage } from '../support/request.js';
import { Player } from './player.js';

const startApp = (options: Parameters<typeof start>[0] = {}): ReturnType<typeof start> =>
  start({
    ...options,
    app: async () => {
      await import('../../src/index.js');
      await import('./start-again.js');
    },
  });

describe('a host that is killed', () => {
  it('after a name was claimed and before its game was started, leaves the name to one of the next after ten seconds', async () => {
    const { app, storage } = await startApp();
    const player = new Player(app, 'Pat');
    const { newUser } = await import('../../src/dungeon/endpoints.js');
    await killedAtTheHub(newUser, { body: '{"name":"Pat"}' }, storage);
    // Its caller, who got no answer, does not hear that somebody has the name.
    const again = await player.post('NewUser');
    expect([again.status, again.headers.get('content-type')]).toEqual([503, 'application/problem+json']);
    expect(Number(again.headers.get('retry-after'))).toBeGreaterThan(0);
    // The claim was made by the real clock, which a busy machine lets run ahead of the app's.
    await app.skip({ minutes: 1 });
    const answers = await Promise.all(Array.from({ length: 10 }, () => player.post('NewUser')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    await app.quiet();
    await player.confirm();
    await player.win();
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
  });

  it('after one of the two workflows was started, leaves the name to the next, and the lone monitor ends', async () => {
    const { app, storage } = await startApp();
    const player = new Player(app, 'Pat');
    const { newUser } = await import('../../src/dungeon/endpoints.js');
    const { readClaim } = await import('../../src/dungeon/store.js');
    await killedAtTheHub(newUser, { body: '{"name":"Pat"}' }, storage);
    const { claim } = (await withStorage(storage, () => readClaim('Pat')))!;
    const lone = await app.start('UserMonitorWorkflow', { name: 'Pat', claim });
    await app.skip({ minutes: 1 });
    await player.enter();
    await app.skip({ seconds: 20 });
    expect(await app.instance(lone)).toMatchObject({ runtimeStatus: 'Completed', output: 'over' });
    expect(await player.status('UserMonitorWorkflow')).toBe('Running');
  });

  it('only seems to be killed, because it starts the game later than that: of two callers one gets the name', async () => {
    const { app, storage } = await startApp();
    const player = new Player(app, 'Pat');
    const { newUser } = await import('../../src/dungeon/endpoints.js');
    const started = Promise.withResolvers<void>();
    const going = Promise.withResolvers<void>();
    const client = {
      getStatus: () => Promise.reject(new Error('HTTP 404')),
      startNew: () => {
        started.resolve();
        return going.promise;
      },
    } as unknown as DurableClient;
    const slow = withStorage(storage, () =>
      withProblems(newUser)(request({ body: '{"name":"Pat"}' }), client, silent()),
    );
    await started.promise;
    await app.skip({ minutes: 1 });
    expect((await player.post('NewUser')).status).toBe(200);
    going.resolve();
    expect(await slow).toMatchObject({ status: 400 });
    await app.quiet();
    await player.confirm();
    await player.win();
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
  });

  it('after a name was claimed, leaves a game that ConfirmUser starts', async () => {
    const { app, storage } = await startApp();
    const player = new Player(app, 'Pat');
    const { newUser } = await import('../../src/dungeon/endpoints.js');
    await killedAtTheHub(newUser, { body: '{"name":"Pat"}' }, storage);
    await app.skip({ minutes: 1 });
    expect((await player.post('ConfirmUser')).status).toBe(404);
    await app.quiet();
    await player.confirm();
    await player.win();
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
  });

  it('after a name was claimed, leaves a game that the sweep starts while its player only looks', async () => {
    const { app, storage } = await startApp({ sweep: true });
    const player = new Player(app, 'Pat');
    const { newUser } = await import('../../src/dungeon/endpoints.js');
    await killedAtTheHub(newUser, { body: '{"name":"Pat"}' }, storage);
    expect((await player.world()).monster ?? null).toBeNull();
    for (let minute = 0; minute < 5 && !(await player.world()).monster; minute += 1) {
      await app.skip({ minutes: 1 });
    }
    await player.confirm();
  });

  it('or an answer that is lost, costs no player the name if the request has an idempotency key', async () => {
    const { app, storage } = await startApp();
    const player = new Player(app, 'Pat');
    const { newUser } = await import('../../src/dungeon/endpoints.js');
    const key = { 'Idempotency-Key': 'first' };
    const enter = async (headers: Record<string, string>): Promise<number> =>
      (await app.post('/api/NewUser', { name: 'Pat' }, headers)).status;
    await killedAtTheHub(newUser, { body: '{"name":"Pat"}', headers: key }, storage);
    expect(await Promise.all([enter(key), enter(key), enter(key)])).toEqual([200, 200, 200]);
    await app.quiet();
    expect(await enter(key)).toBe(200);
    expect([await enter({ 'Idempotency-Key': 'other' }), await enter({})]).toEqual([400, 400]);
    expect((await app.instances()).map(({ name }) => name).toSorted()).toEqual([
      'RunUserParallelWorkflow',
      'UserConfirmationWorkflow',
      'UserMonitorWorkflow',
    ]);
    await player.confirm();
    await player.win();
    expect(await enter(key)).toBe(200);
    const racers = Array.from({ length: 8 }, async () =>
      app.post('/api/NewUser', { name: 'Kim' }, { 'Idempotency-Key': 'kim' }),
    );
    expect((await Promise.all(racers)).map(({ status }) => status)).toEqual(racers.map(() => 200));
  });

  it('after a claim that another has replaced since, leaves workflows that end quietly', async () => {
    const { app, storage } = await startApp();
    const player = new Player(app, 'Pat');
    const { newUser } = await import('../../src/dungeon/endpoints.js');
    const { readClaim } = await import('../../src/dungeon/store.js');
    await killedAtTheHub(newUser, { body: '{"name":"Pat"}' }, storage);
    const { claim } = (await withStorage(storage, () => readClaim('Pat')))!;
    await app.skip({ minutes: 1 });
    await player.enter();
    const world = await player.world();
    for (const workflow of ['RunUserParallelWorkflow', 'RunUserSequentialWorkflow']) {
      const late = await app.finished(await app.start(workflow, { name: 'Pat', claim }));
      expect(late).toMatchObject({ runtimeStatus: 'Completed', output: 'superseded' });
    }
    expect(await player.world()).toEqual(world);
    expect((await storage.console()).filter((line) => line.includes('free again'))).toEqual([]);
    await player.confirm();
  });

  it('in the middle of a set-up does not take the name from who was first', async () => {
    const { app } = await startApp();
    const player = new Player(app, 'Pat');
    const going = Promise.withResolvers<void>();
    app.replace('CreateRoom', async (game: GameKey) => {
      await going.promise;
      const { creation } = await import('../../src/dungeon/activities.js');
      return creation.find(({ run }) => run.activityName === 'CreateRoom')!.run.handler(game, undefined!);
    });
    expect((await player.post('NewUser')).status).toBe(200);
    await expect.poll(() => app.calls('CreateRoom').length).toBe(1);
    expect((await player.post('NewUser')).status).toBe(400);
    going.resolve();
    await app.quiet();
    await player.confirm();
  });

  it('in a set-up that takes longer than that does not take the name either', async () => {
    const { app } = await startApp();
    const player = new Player(app, 'Pat');
    app.replace('CreateMonster', () => {
      throw new Error('Not yet');
    });
    await player.enter();
    await app.skip({ seconds: 12 });
    expect((await player.post('NewUser')).status).toBe(400);
    app.restore('CreateMonster');
    await app.skip({ seconds: 2 });
    await player.confirm();
  });

  it('makes and undoes nothing with a step that comes late: not while the game is given up, nor in the next of its name', async () => {
    const { app, storage } = await startApp();
    const player = new Player(app, 'Pat');
    const { creation } = await import('../../src/dungeon/activities.js');
    app.replace('CreateMonster', () => {
      throw new Error('The ceiling came down');
    });
    app.replace('UndoCreateUser', () => {
      throw new Error('Not now');
    });
    await player.enter();
    await app.skip({ seconds: 20 });
    const { claim } = (await player.workflow('RunUserParallelWorkflow')).input as GameKey;
    const late = (which: 'run' | 'undo'): Promise<string[]> =>
      withStorage(storage, async () => {
        const outcomes = await Promise.allSettled(
          creation.map(async (step) => step[which].handler({ name: 'Pat', claim }, undefined!)),
        );
        return outcomes.map(({ status }) => status);
      });
    expect(await late('run')).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
    expect(await storage.rowKeys('Dungeon')).toEqual(['game', 'game-user']);
    expect((await player.post('NewUser')).status).toBe(400);

    app.restore('CreateMonster');
    app.restore('UndoCreateUser');
    await app.skip({ minutes: 1 });
    expect(await late('run')).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
    expect(await storage.rowKeys('Dungeon')).toEqual(['game']);

    await player.enter();
    const world = await player.world();
    await late('run');
    await late('undo');
    expect(await player.world()).toEqual(world);
  });

  it('after every single step, so that each runs twice, tells one and the same story', async () => {
    const { app } = await startApp();
    const activities = await import('../../src/dungeon/activities.js');
    const steps = [
      ...[...activities.creation, ...activities.placement].map(({ run }) => run),
      activities.askConfirmation,
      activities.readConfirmation,
      activities.killUser,
      activities.checkVictory,
    ] as Activity<GameKey, unknown>[];
    for (const { activityName, handler } of steps) {
      app.replace(activityName, async (input: GameKey) => {
        await handler(input, undefined!);
        return handler(input, undefined!);
      });
    }
    const player = await (await new Player(app, 'Pat').enter()).confirm();
    await player.win();
    const story = await player.story();
    expect(story).toHaveLength(new Set(story).size);
    expect(story.at(-1)).toBe('Pat has won the game!');
  });

  it('or whose timer fires a second early, kills nobody before the time is up', async () => {
    const { app, storage } = await startApp();
    const player = await new Player(app, 'Pat').enter();
    const { killUser } = await import('../../src/dungeon/activities.js');
    const { readGame } = await import('../../src/dungeon/store.js');
    await withStorage(storage, async () => {
      const { claim, confirmBy } = (await readGame('Pat'))!;
      expect(await killUser.handler({ name: 'Pat', claim }, silent())).toEqual({
        confirmed: false,
        waitUntil: confirmBy,
      });
    });
    expect((await player.world()).user.isAlive).toBe(true);
    app.replace('KillUser', async (key: GameKey) => {
      app.restore('KillUser');
      return { confirmed: false, waitUntil: new Date(app.now.getTime() + 1000).toISOString(), ...key };
    });
    await app.skip({ minutes: 2 });
    expect(await player.status('UserConfirmationWorkflow')).toBe('Running');
    await app.skip({ seconds: 1 });
    expect((await player.world()).user.isAlive).toBe(false);
  });

  it('before a look was noted, and looks again after the last, changes nothing', async () => {
    const { app, storage } = await startApp();
    const player = await new Player(app, 'Pat').enter();
    const { changeGame } = await import('../../src/dungeon/store.js');
    const { watch } = await import('../../src/dungeon/rules.js');
    const look = (last: boolean): Promise<unknown> =>
      withStorage(storage, () => changeGame('Pat', (game) => watch(game, last, moment.utc())));
    await look(true);
    const story = await player.story();
    expect(story.at(-1)).toBe('The watch over Pat has timed out.');
    await look(false);
    expect(await player.story()).toEqual(story);
  });

  it('after a workflow was started by another, does not start it again, also when it has ended since', async () => {
    const { app } = await startApp();
    const player = await (await new Player(app, 'Pat').enter()).confirm();
    const { claim } = (await player.workflow('RunUserSequentialWorkflow')).input as GameKey;
    await player.win();
    for (const workflow of ['RunUserSequentialWorkflow', 'GameMonitorWorkflow']) {
      expect(
        (await app.finished(await app.start('StartAgain', { name: 'Pat', claim, workflow }))).runtimeStatus,
      ).toBe('Completed');
    }
    await app.quiet();
    expect(app.calls('PlaceUserInRoom')).toHaveLength(1);
    expect((await player.world()).user.inventoryItems.split(',')).toHaveLength(2);
    expect((await player.story()).filter((line) => line === 'Pat has won the game!')).toHaveLength(1);
  });
});
