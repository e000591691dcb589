/** What becomes of a game whose workflows fail, end or never start, at any moment. */
import { describe, expect, it } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import type { Workflow } from '../../src/dungeon/model.js';
import { startApp, type AppStorage } from '../support/app.js';
import { killedAtTheHub } from '../support/request.js';
import { Player } from './player.js';

interface Entered {
  app: TestApp;
  storage: AppStorage;
  player: Player;
}

async function arrived(): Promise<Entered> {
  const { app, storage } = await startApp({ sweep: true, verifyReplay: false });
  return { app, storage, player: new Player(app, 'Pat') };
}

/** An activity that fails until it is restored, so that its workflow can be caught at this step. */
function stuckAt({ app }: Entered, activity: string): void {
  app.replace(activity, () => {
    throw new Error('Not now');
  });
}

async function terminate({ app, player }: Entered, workflow: Workflow): Promise<void> {
  const { instanceId } = await player.workflow(workflow);
  await app.terminate(instanceId, 'By an operator');
  expect(await player.status(workflow)).toBe('Terminated');
}

/** Lets time pass while the sweep does nothing. */
async function withoutSweep({ app }: Entered, by: Parameters<TestApp['skip']>[0]): Promise<void> {
  app.replace('Sweep', () => {});
  await app.skip(by);
  app.restore('Sweep');
}

const aFewMinutes = { minutes: 4 };

describe('a game goes on within minutes', () => {
  it('when its workflows were never started', async () => {
    const game = await arrived();
    const { newUser } = await import('../../src/dungeon/endpoints.js');
    await killedAtTheHub(newUser, { body: '{"name":"Pat"}' }, game.storage);
    expect(await game.app.instances()).toEqual([]);
    await game.app.skip(aFewMinutes);
    expect(await game.player.status('UserMonitorWorkflow')).toBe('Running');
    await game.player.confirm();
    await game.player.win();
    expect(await game.player.status('GameMonitorWorkflow')).toBe('Completed');
  });

  it.each(['CreateUser', 'CreateMonster', 'CreateRoom', 'CreateInventory', 'AskConfirmation'])(
    'when the set-up was terminated at %s',
    async (activity) => {
      const game = await arrived();
      stuckAt(game, activity);
      await game.player.enter();
      await terminate(game, 'RunUserParallelWorkflow');
      const confirmation = await game.player.workflow('UserConfirmationWorkflow');
      if (confirmation !== undefined) await terminate(game, 'UserConfirmationWorkflow');
      game.app.restore(activity);
      await game.app.skip({ minutes: 3 });
      await game.player.confirm();
      await game.player.win();
      const story = await game.player.story();
      expect(story).toHaveLength(new Set(story).size);
      expect(story).toContain('Pat has won the game!');
    },
  );

  it('when the wait for the confirmation was terminated: for who confirms, at once', async () => {
    const game = await arrived();
    await game.player.enter();
    await terminate(game, 'UserConfirmationWorkflow');
    expect(await game.player.status('RunUserParallelWorkflow')).toBe('Failed');
    await game.player.confirm();
    await game.player.win();
    expect(await game.player.status('GameMonitorWorkflow')).toBe('Completed');
  });

  it('when the wait for the confirmation was terminated: for who does not confirm, to their death', async () => {
    const game = await arrived();
    await game.player.enter();
    await terminate(game, 'UserConfirmationWorkflow');
    await game.app.skip(aFewMinutes);
    expect((await game.player.world()).user.isAlive).toBe(false);
    expect(await game.player.story()).toContain('Alas, Pat died from waiting too long!');
  });

  it.each(['KillUser', 'StartNewWorkflow'])(
    'when the confirmation was terminated at %s',
    async (activity) => {
      const game = await arrived();
      await game.player.enter();
      stuckAt(game, activity);
      if (activity === 'StartNewWorkflow') await game.player.post('ConfirmUser');
      else await game.app.skip({ minutes: 2 });
      await terminate(game, 'UserConfirmationWorkflow');
      game.app.restore(activity);
      await game.app.skip(aFewMinutes);
      expect((await game.player.world()).user).toMatchObject(
        activity === 'KillUser'
          ? { isAlive: false }
          : { isAlive: true, currentRoom: expect.any(String) as string },
      );
    },
  );

  it.each([
    'PlaceUserInRoom',
    'PlaceInventoryInRoom',
    'PlaceMonsterInRoom',
    'PlaceInventoryOnMonster',
    'StartNewWorkflow',
  ])('when the laying out was terminated at %s', async (activity) => {
    const game = await arrived();
    await game.player.enter();
    if (activity !== 'StartNewWorkflow') stuckAt(game, activity);
    await game.player.post('ConfirmUser');
    if (activity === 'StartNewWorkflow') {
      // As if the host had been killed after the last step, before it started the monitor.
      await game.app.quiet();
      await terminate(game, 'GameMonitorWorkflow');
    } else {
      await expect.poll(() => game.app.calls(activity).length).toBeGreaterThan(0);
      await terminate(game, 'RunUserSequentialWorkflow');
      game.app.restore(activity);
    }
    await game.app.skip(aFewMinutes);
    expect(await game.player.status('GameMonitorWorkflow')).toBe('Running');
    await game.player.win();
    const story = await game.player.story();
    expect(story).toHaveLength(new Set(story).size);
    expect(story).toContain('Pat has won the game!');
  });

  it('when the monitor of the game was terminated: for who wins meanwhile, at once', async () => {
    const game = await arrived();
    await (await game.player.enter()).confirm();
    await terminate(game, 'GameMonitorWorkflow');
    await game.player.win();
    expect(await game.player.story()).toContain('Pat has won the game!');
    expect(await game.player.status('GameMonitorWorkflow')).toBe('Completed');
  });

  it('when the monitor of the game was terminated after the hour in which the player is watched', async () => {
    const game = await arrived();
    await (await game.player.enter()).confirm();
    await terminate(game, 'UserMonitorWorkflow');
    await withoutSweep(game, { minutes: 61 });
    await game.app.skip(aFewMinutes);
    expect((await game.player.story()).at(-1)).toBe('The watch over Pat has timed out.');
    await terminate(game, 'GameMonitorWorkflow');
    await withoutSweep(game, { minutes: 76 });
    await game.app.skip(aFewMinutes);
    expect(await game.player.status('GameMonitorWorkflow')).toBe('Running');
  });

  it('when the monitor of the user was terminated, and the watch ends after the same hour', async () => {
    const game = await arrived();
    await (await game.player.enter()).confirm();
    await terminate(game, 'UserMonitorWorkflow');
    await game.app.skip(aFewMinutes);
    expect(await game.player.status('UserMonitorWorkflow')).toBe('Running');
    await terminate(game, 'UserMonitorWorkflow');
    await withoutSweep(game, { minutes: 53 });
    await game.app.skip({ minutes: 2, seconds: 59 });
    expect(await game.player.status('UserMonitorWorkflow')).toBe('Running');
    await game.app.skip({ seconds: 1 });
    expect(await game.player.status('UserMonitorWorkflow')).toBe('Completed');
    const story = await game.player.story();
    expect(story.filter((line) => line === 'The watch over Pat has timed out.')).toHaveLength(1);
    expect(story.filter((line) => line.startsWith('Pat is watched'))).toHaveLength(1);
  });

  it.each(['AbandonGame', 'UndoCreateInventory', 'UndoCreateUser', 'FreeName'])(
    'when the undoing of its set-up was terminated at %s',
    async (activity) => {
      const game = await arrived();
      stuckAt(game, 'CreateMonster');
      stuckAt(game, activity);
      await game.player.enter();
      await game.app.skip({ seconds: 20 });
      await terminate(game, 'RunUserParallelWorkflow');
      game.app.restore(activity);
      await game.app.skip(aFewMinutes);
      expect((await game.app.get('/api/GameStatus/Pat')).status).toBe(400);
      game.app.restore('CreateMonster');
      await game.player.enter();
      await game.player.confirm();
    },
  );

  it('when every workflow that it needs was terminated again and again', async () => {
    const game = await arrived();
    await game.player.enter();
    for (const workflow of ['UserConfirmationWorkflow', 'UserMonitorWorkflow'] as const) {
      await terminate(game, workflow);
    }
    await game.player.confirm();
    for (let round = 0; round < 3; round++) {
      for (const workflow of ['UserMonitorWorkflow', 'GameMonitorWorkflow'] as const) {
        await terminate(game, workflow);
      }
      await game.app.skip({ minutes: 6 });
      expect(await game.player.status('UserMonitorWorkflow')).toBe('Running');
      expect(await game.player.status('GameMonitorWorkflow')).toBe('Running');
    }
    await game.player.win();
    expect(await game.player.story()).toContain('Pat has won the game!');
  });
});

describe('a workflow that is started again although it had done its work', () => {
  it.each([
    'RunUserParallelWorkflow',
    'UserConfirmationWorkflow',
    'RunUserSequentialWorkflow',
    'UserMonitorWorkflow',
    'GameMonitorWorkflow',
  ] as const)('changes nothing: %s', async (workflow) => {
    const game = await arrived();
    await (await game.player.enter()).confirm();
    const again = async (): Promise<void> => {
      const { instanceId, input, runtimeStatus } = await game.player.workflow(workflow);
      if (runtimeStatus === 'Running') await game.app.terminate(instanceId);
      await game.app.start(workflow, input, instanceId);
      await game.app.quiet();
    };
    const [world, story] = [await game.player.world(), await game.player.story()];
    await again();
    expect([await game.player.world(), await game.player.story()]).toEqual([world, story]);
    await game.player.win();
    await game.app.skip({ seconds: 20 });
    const [won, wonStory] = [await game.player.world(), await game.player.story()];
    await again();
    expect([await game.player.world(), await game.player.story()]).toEqual([won, wonStory]);
    expect(wonStory.filter((line) => line === 'Pat has won the game!')).toHaveLength(1);
  });
});
