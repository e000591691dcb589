import { describe, expect, it } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import type { Workflow } from '../../src/dungeon/model.js';
import { startApp, type AppStorage } from '../support/app.js';
import { killedAtTheHub } from '../support/request.js';
import { Player } from './player.js';

const something = expect.any(String) as string;

async function enter(name = 'Pat'): Promise<{ app: TestApp; storage: AppStorage; player: Player }> {
  const { app, storage } = await startApp();
  return { app, storage, player: await new Player(app, name).enter() };
}

async function inside(name = 'Pat'): Promise<{ app: TestApp; storage: AppStorage; player: Player }> {
  const entered = await enter(name);
  await entered.player.confirm();
  return entered;
}

describe('a game', () => {
  it('begins with a player before a dungeon, who is given two minutes', async () => {
    const { player } = await enter();
    expect(await player.world()).toEqual({
      user: { name: 'Pat', currentRoom: null, isAlive: true, inventoryItems: '' },
      monster: { name: something, currentRoom: null, isAlive: true, inventoryItems: '' },
      inventory: [
        { name: something, monster: null, room: null, isTreasure: false },
        { name: something, monster: null, room: null, isTreasure: true },
      ],
      room: { name: something, description: something, monster: null, inventoryItems: '' },
    });
    expect(await player.status('RunUserParallelWorkflow')).toBe('Running');
    expect(await player.status('UserConfirmationWorkflow')).toBe('Running');
    expect(await player.status('UserMonitorWorkflow')).toBe('Running');
    expect(await player.status('RunUserSequentialWorkflow')).toBe(404);
    expect(await player.status('GameMonitorWorkflow')).toBe(404);
    expect(await player.story()).toContain('Pat has 2 minutes to confirm.');
  });

  it('is laid out for who confirms', async () => {
    const { player } = await inside();
    const { user, monster, room, inventory } = await player.world();
    const [weapon, treasure] = inventory;
    expect(user.currentRoom).toBe(room!.name);
    expect(monster).toMatchObject({ currentRoom: room!.name, inventoryItems: treasure!.name });
    expect(room).toMatchObject({ monster: monster!.name, inventoryItems: weapon!.name });
    expect(inventory).toEqual([
      { name: weapon!.name, monster: null, room: room!.name, isTreasure: false },
      { name: treasure!.name, monster: monster!.name, room: null, isTreasure: true },
    ]);
    expect(await player.status('RunUserParallelWorkflow')).toBe('Completed');
    expect(await player.status('UserConfirmationWorkflow')).toBe('Completed');
    expect(await player.status('RunUserSequentialWorkflow')).toBe('Completed');
    expect(await player.status('GameMonitorWorkflow')).toBe('Running');
    expect((await player.post('ConfirmUser')).status).toBe(404);
  });

  it('is won by who takes the weapon, slays the monster and takes its treasure', async () => {
    const { app, player } = await inside();
    await player.take();
    await player.slay();
    const { user, monster, room, inventory } = await player.world();
    expect([monster!.isAlive, monster!.inventoryItems, room!.inventoryItems]).toEqual([
      false,
      '',
      inventory[1]!.name,
    ]);
    expect(await player.status('GameMonitorWorkflow')).toBe('Running');
    await player.take();
    expect((await player.world()).user.inventoryItems).toBe(`${user.inventoryItems},${inventory[1]!.name}`);
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
    expect((await player.story()).filter((line) => line === 'Pat has won the game!')).toHaveLength(1);
    expect(await player.status('UserMonitorWorkflow')).toBe('Running');
    await app.skip({ seconds: 20 });
    expect(await player.status('UserMonitorWorkflow')).toBe('Completed');
    expect(await player.workflow('UserMonitorWorkflow')).toMatchObject({ output: 'over' });
  });

  it('is lost by who has not confirmed after exactly two minutes', async () => {
    const { app, player } = await enter();
    await app.skip({ minutes: 1, seconds: 59, milliseconds: 999 });
    expect((await player.world()).user.isAlive).toBe(true);
    await app.skip({ milliseconds: 1 });
    expect((await player.world()).user.isAlive).toBe(false);
    expect(await player.workflow('RunUserParallelWorkflow')).toMatchObject({
      runtimeStatus: 'Completed',
      output: 'dead',
    });
    expect(await player.status('UserConfirmationWorkflow')).toBe('Completed');
    expect(await player.status('RunUserSequentialWorkflow')).toBe(404);
    expect((await player.post('ConfirmUser')).status).toBe(404);
    await app.skip({ seconds: 20 });
    expect(await player.status('UserMonitorWorkflow')).toBe('Completed');
    expect(await player.story()).toEqual(
      expect.arrayContaining(['Alas, Pat died from waiting too long!', 'The watch over Pat is done.']),
    );
  });

  it('can be confirmed in the last millisecond', async () => {
    const { app, player } = await enter();
    await app.skip({ minutes: 1, seconds: 59, milliseconds: 999 });
    await player.confirm();
    expect((await player.world()).user.currentRoom).not.toBeNull();
  });

  it('cannot be confirmed after two minutes, though nobody has killed the player yet', async () => {
    const { app, player } = await enter();
    const { instanceId } = await player.workflow('UserConfirmationWorkflow');
    await app.suspend(instanceId);
    await app.skip({ minutes: 2, milliseconds: 1 });
    expect((await player.post('ConfirmUser')).status).toBe(404);
    await app.resume(instanceId);
    await app.quiet();
    expect((await player.world()).user.isAlive).toBe(false);
  });

  it.each([
    ['KillMonster', 'GotTreasure'],
    ['GotTreasure', 'KillMonster'],
  ])('is won when %s comes before %s', async (first, second) => {
    const { app, storage, player } = await inside();
    const { id } = await movedUnheard(player, storage);
    expect(await player.status('GameMonitorWorkflow')).toBe('Running');
    await app.suspend(id);
    await app.raise(id, first);
    await app.raise(id, second);
    await app.resume(id);
    await app.quiet();
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
    expect(await player.story()).toContain('Pat has won the game!');
  });

  it('is won within one look when the host is killed between each move and its event', async () => {
    const { app, storage, player } = await inside();
    await movedUnheard(player, storage);
    expect(await player.status('GameMonitorWorkflow')).toBe('Running');
    await app.skip({ seconds: 20 });
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
    expect(await player.status('UserMonitorWorkflow')).toBe('Completed');
    expect(await player.story()).toContain('Pat has won the game!');
  });

  it.each(['get', 'kill'])(
    'is won at once by who repeats a move that was made, but not heard of: %s',
    async (action) => {
      const { app, storage, player } = await inside();
      await movedUnheard(player, storage);
      const { monster, inventory } = await player.world();
      const target = action === 'get' ? inventory[1]!.name : monster!.name;
      expect((await player.act({ action, target, with: inventory[0]!.name })).status).toBe(400);
      await app.quiet();
      expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
    },
  );

  it('is won also by who takes a day, and whose last event was lost', async () => {
    const { app, storage, player } = await inside();
    await app.skip({ days: 1 });
    await movedUnheard(player, storage);
    await app.skip({ hours: 1 });
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
  });

  it('is won by moves made before its monitor listens', async () => {
    const { player, goOn } = await heldUpAt('CheckVictory');
    const { room, monster, inventory } = await player.world();
    expect((await player.act({ action: 'get', target: room!.inventoryItems })).status).toBe(200);
    expect(
      (await player.act({ action: 'kill', target: monster!.name, with: inventory[0]!.name })).status,
    ).toBe(200);
    expect((await player.act({ action: 'get', target: inventory[1]!.name })).status).toBe(200);
    await goOn();
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
    expect(await player.story()).toContain('Pat has won the game!');
  });

  it('is won also by who slays the monster before it is given the treasure', async () => {
    const { player, goOn } = await heldUpAt('PlaceInventoryOnMonster');
    await player.act({ action: 'get', target: (await player.world()).room!.inventoryItems });
    const { monster, inventory } = await player.world();
    expect(
      (await player.act({ action: 'kill', target: monster!.name, with: inventory[0]!.name })).status,
    ).toBe(200);
    await goOn();
    expect(await player.world()).toMatchObject({
      monster: { isAlive: false, inventoryItems: '' },
      room: { inventoryItems: inventory[1]!.name },
    });
    await player.take();
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
  });

  it('has a monster that nobody can slay before it is there', async () => {
    const { player, goOn } = await heldUpAt('PlaceMonsterInRoom');
    await player.act({ action: 'get', target: (await player.world()).room!.inventoryItems });
    const { monster, inventory } = await player.world();
    expect(
      (await player.act({ action: 'kill', target: monster!.name, with: inventory[0]!.name })).status,
    ).toBe(400);
    await goOn();
    await player.slay();
    await player.take();
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
  });

  it('is not won by an event behind which there is no move', async () => {
    const { app, player } = await inside();
    const { instanceId } = await player.workflow('GameMonitorWorkflow');
    await app.raise(instanceId, 'KillMonster');
    await app.raise(instanceId, 'GotTreasure');
    await app.quiet();
    expect(await player.status('GameMonitorWorkflow')).toBe('Running');
    expect(await player.story()).not.toContain('Pat has won the game!');
  });

  it('is not begun by an event behind which there is no confirmation', async () => {
    const { app, player } = await enter();
    const { instanceId } = await player.workflow('UserConfirmationWorkflow');
    await app.raise(instanceId, 'ApprovalTask', true);
    await app.quiet();
    expect(await player.status('RunUserSequentialWorkflow')).toBe(404);
    await app.skip({ minutes: 2 });
    expect((await player.world()).user.isAlive).toBe(false);
  });

  it('goes on for a player whose confirmation was recorded, though its event was lost', async () => {
    const { app, storage, player } = await enter();
    const { confirmUser } = await import('../../src/dungeon/endpoints.js');
    await killedAtTheHub(confirmUser, { body: '{"name":"Pat"}' }, storage);
    expect((await player.world()).user.currentRoom).toBeNull();
    await app.skip({ minutes: 2 });
    expect((await player.world()).user).toMatchObject({ isAlive: true, currentRoom: something });
  });
});

describe('whoever looks after a player', () => {
  it('does so every 20 seconds for an hour, with a history that stays short', async () => {
    const { app, player } = await inside();
    let longest = 0;
    for (let minute = 0; minute < 59; minute++) {
      await app.skip({ minutes: 1 });
      longest = Math.max(
        longest,
        (await app.history((await player.workflow('UserMonitorWorkflow')).instanceId)).length,
      );
    }
    await app.skip({ seconds: 59 });
    expect(await player.status('UserMonitorWorkflow')).toBe('Running');
    await app.skip({ seconds: 1 });
    expect(await player.workflow('UserMonitorWorkflow')).toMatchObject({
      runtimeStatus: 'Completed',
      output: 'timed out',
    });
    expect(app.calls('MonitorUser')).toHaveLength(181);
    expect(longest).toBeLessThan(400);
    expect((await player.story()).slice(-2)).toEqual([
      'Pat is alive but has not found the treasure.',
      'The watch over Pat has timed out.',
    ]);
    expect(await player.status('GameMonitorWorkflow')).toBe('Running');
  });
});

describe('a set-up that fails', () => {
  const steps: [string, Workflow][] = [
    ['CreateUser', 'RunUserParallelWorkflow'],
    ['CreateMonster', 'RunUserParallelWorkflow'],
    ['CreateRoom', 'RunUserParallelWorkflow'],
    ['CreateInventory', 'RunUserParallelWorkflow'],
    ['PlaceUserInRoom', 'RunUserSequentialWorkflow'],
    ['PlaceInventoryInRoom', 'RunUserSequentialWorkflow'],
    ['PlaceMonsterInRoom', 'RunUserSequentialWorkflow'],
    ['PlaceInventoryOnMonster', 'RunUserSequentialWorkflow'],
  ];

  it.each(steps)('at %s is undone, and the name is free', async (failing, workflow) => {
    const { app, storage } = await startApp();
    const player = new Player(app, 'Pat');
    app.replace(failing, () => {
      throw new Error('The ceiling came down');
    });
    await player.enter();
    if (workflow === 'RunUserSequentialWorkflow') await player.confirm();
    await app.skip({ seconds: 30 });

    expect(await player.workflow(workflow)).toMatchObject({
      runtimeStatus: 'Failed',
      output: expect.stringMatching(
        /The dungeon of Pat could not be laid out\. What was made is undone, and the name is free again\. \(.* The ceiling came down\)$/,
      ) as string,
    });
    expect(await player.status(workflow)).toBe('Failed');
    expect((await app.get('/api/GameStatus/Pat')).status).toBe(400);
    expect((await player.post('ConfirmUser')).status).toBe(400);
    expect((await player.story()).at(-1)).toBe('The name Pat is free again.');
    expect(await storage.console()).toContain('The name Pat is free again.');
    expect(await player.status('UserMonitorWorkflow')).toBe('Completed');
    expect(await storage.rowKeys('Dungeon')).toEqual(['game']);

    app.restore(failing);
    await player.enter();
    expect(await player.story()).not.toContain('The name Pat is free again.');
    await player.confirm();
    await player.win();
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
  });

  it('is undone the last step first', async () => {
    const { app } = await startApp();
    const player = new Player(app, 'Pat');
    app.replace('PlaceInventoryOnMonster', () => {
      throw new Error('The ceiling came down');
    });
    await player.enter();
    await player.confirm();
    await app.skip({ seconds: 30 });
    const undone = [
      'UndoPlaceInventoryOnMonster',
      'UndoPlaceMonsterInRoom',
      'UndoPlaceInventoryInRoom',
      'UndoPlaceUserInRoom',
      'UndoCreateInventory',
      'UndoCreateRoom',
      'UndoCreateMonster',
      'UndoCreateUser',
    ];
    const history = await app.history((await player.workflow('RunUserSequentialWorkflow')).instanceId);
    expect(
      history.flatMap((event) =>
        event.EventType === 'TaskScheduled' && event.Name.startsWith('Undo') ? [event.Name] : [],
      ),
    ).toEqual(undone);
    expect((await player.story()).slice(-8)).toEqual([
      expect.stringMatching(/driven out/),
      expect.stringMatching(/is put aside/),
      expect.stringMatching(/led out/),
      expect.stringMatching(/are taken away/),
      expect.stringMatching(/filled up/),
      expect.stringMatching(/is gone/),
      'Pat is sent home.',
      'The name Pat is free again.',
    ]);
  });

  it('once only is tried again, and nobody notices', async () => {
    const { app } = await startApp();
    const player = new Player(app, 'Pat');
    let attempts = 0;
    app.replace('CreateMonster', () => {
      attempts++;
      if (attempts === 2) app.restore('CreateMonster');
      throw new Error('Not now');
    });
    await player.enter();
    await app.skip({ seconds: 10 });
    await player.confirm();
    await player.win();
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
  });
});

/** Enters and confirms; the activity is held up, and fails once before the game goes on. */
async function heldUpAt(activity: string): Promise<{ player: Player; goOn: () => Promise<void> }> {
  const { app, player } = await enter();
  const held = Promise.withResolvers<void>();
  app.replace(activity, async () => {
    await held.promise;
    throw new Error('not yet');
  });
  await player.post('ConfirmUser');
  await expect.poll(() => app.calls(activity).length).toBe(1);
  return {
    player,
    goOn: async () => {
      app.restore(activity);
      held.resolve();
      await app.skip({ minutes: 1 });
    },
  };
}

/** Makes the three moves on a host that is killed between each move and its event. */
async function movedUnheard(player: Player, storage: AppStorage): Promise<{ id: string }> {
  const { act } = await import('../../src/dungeon/endpoints.js');
  const unheard = async (action: object): Promise<void> => {
    await killedAtTheHub(act, { body: JSON.stringify({ name: player.name, ...action }) }, storage);
  };
  const { room, monster } = await player.world();
  await unheard({ action: 'get', target: room!.inventoryItems });
  await unheard({ action: 'kill', target: monster!.name, with: (await player.world()).user.inventoryItems });
  await unheard({ action: 'get', target: (await player.world()).room!.inventoryItems });
  expect((await player.world()).user.inventoryItems.split(',')).toHaveLength(2);
  return { id: (await player.workflow('GameMonitorWorkflow')).instanceId };
}
