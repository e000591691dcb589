import { describe, expect, it, inject } from 'vitest';
import { startApp } from '../support/app.js';
import { withStorage } from '../support/request.js';
import { Player } from './player.js';

const hundred = Array.from({ length: 100 });

/** How many answers there were of each status. */
function counted(responses: Response[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of responses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

describe('a hundred callers at once', () => {
  it('who want one name get one game, and the others are told', async () => {
    const { app, storage } = await startApp();
    const player = new Player(app, 'Pat');
    // While the first has not started the game, the others cannot know whether it will.
    const enter = async (): Promise<Response> => {
      const answer = await player.post('NewUser');
      return answer.status === 503 ? enter() : answer;
    };
    const answers = await Promise.all(hundred.map(enter));
    await app.quiet();
    expect(counted(answers)).toEqual({ 200: 1, 400: 99 });
    expect(await answers.find(({ status }) => status === 400)!.json()).toMatchObject({
      detail: 'There is a player Pat already. Take another name.',
    });
    expect((await app.instances()).map(({ name }) => name).toSorted()).toEqual([
      'RunUserParallelWorkflow',
      'UserConfirmationWorkflow',
      'UserMonitorWorkflow',
    ]);
    expect(await storage.rowKeys('Dungeon')).toHaveLength(6);
    expect(
      (await storage.console()).filter((line) => line === 'Attempt to add duplicate user Pat failed.'),
    ).toHaveLength(99);
  });

  it('who confirm one player begin one game', async () => {
    const { app } = await startApp();
    const player = await new Player(app, 'Pat').enter();
    const answers = await Promise.all(hundred.map(() => player.post('ConfirmUser')));
    await app.quiet();
    expect(counted(answers)[200]).toBeGreaterThan(0);
    expect(answers.every(({ status }) => status === 200 || status === 404)).toBe(true);
    expect((await player.story()).filter((line) => line === 'Pat has accepted the challenge!')).toHaveLength(
      1,
    );
    expect(app.calls('PlaceUserInRoom')).toHaveLength(1);
    expect((await player.world()).user.currentRoom).not.toBeNull();
  });

  it('who take one weapon: one takes it, and the others are told', async () => {
    const { app } = await startApp();
    const player = await (await new Player(app, 'Pat').enter()).confirm();
    const weapon = (await player.world()).room!.inventoryItems;
    const answers = await Promise.all(hundred.map(() => player.act({ action: 'get', target: weapon })));
    await app.quiet();
    expect(counted(answers)).toEqual({ 200: 1, 400: 99 });
    expect(await answers.find(({ status }) => status === 400)!.json()).toMatchObject({
      detail: `Pat holds the ${weapon} already.`,
    });
    expect(await player.world()).toMatchObject({
      user: { inventoryItems: weapon },
      room: { inventoryItems: '' },
    });
    expect((await player.story()).filter((line) => line === `Pat has picked up the ${weapon}.`)).toHaveLength(
      1,
    );
  });

  it('who slay one monster: it dies once, and drops one treasure', async () => {
    const { app } = await startApp();
    const player = await (await new Player(app, 'Pat').enter()).confirm();
    await player.take();
    const { user, monster } = await player.world();
    const answers = await Promise.all(
      hundred.map(() => player.act({ action: 'kill', target: monster!.name, with: user.inventoryItems })),
    );
    await app.quiet();
    expect(counted(answers)).toEqual({ 200: 1, 400: 99 });
    await player.take();
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
    expect((await player.story()).filter((line) => line === 'Pat has won the game!')).toHaveLength(1);
  });
});

/** Each plays a whole game, of some three hundred storage operations: the short form has fewer players. */
const PLAYERS = inject('long') ? 100 : 20;

describe('many callers at once', () => {
  it('play as many games, each its own, to the win', async () => {
    const { app } = await startApp({ verifyReplay: false });
    const players = Array.from({ length: PLAYERS }, (_, index) => new Player(app, `Player ${index}`));
    for (const turn of ['enter', 'confirm', 'take', 'slay', 'take'] as const) {
      await Promise.all(players.map(async (player) => player[turn]()));
    }
    for (const player of players) {
      const { user, inventory } = await player.world();
      expect([user.name, user.inventoryItems.split(',').toSorted()]).toEqual([
        player.name,
        inventory.map(({ name }) => name).toSorted(),
      ]);
      expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
      const story = await player.story();
      expect(story).toContain(`${player.name} has won the game!`);
      expect(
        story.filter((line) => line.includes('Player ')).every((line) => line.includes(player.name)),
      ).toBe(true);
    }
  });
});

describe('the record of a game', () => {
  it('loses none of several changes at once, also when there is nothing to tell of them', async () => {
    const { app, storage } = await startApp();
    await new Player(app, 'Pat').enter();
    const { changeGame, readGame } = await import('../../src/dungeon/store.js');
    await withStorage(storage, async () => {
      await Promise.all(
        hundred
          .slice(0, 8)
          .map(() =>
            changeGame('Pat', (game) => ({ game: { ...game, forgotten: game.forgotten + 1 }, lines: [] })),
          ),
      );
      expect(await readGame('Pat')).toMatchObject({ forgotten: 8 });
    });
  });

  it('is begun anew by who claims a name of which somebody deleted the head and left the rest', async () => {
    const { app, storage } = await startApp();
    const player = await (await new Player(app, 'Pat').enter()).confirm();
    const earlier = await player.world();
    await storage.deleteRow('Dungeon', 'Pat', 'game');
    expect((await player.post('ConfirmUser')).status).toBe(400);
    expect((await player.act({ action: 'get', target: 'x' })).status).toBe(400);
    await player.enter();
    expect(await player.story()).not.toContain('Pat has accepted the challenge!');
    expect((await player.world()).user.currentRoom).toBeNull();
    await player.confirm();
    await player.win();
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
    expect(earlier.user.currentRoom).not.toBeNull();
  });

  it('that cannot be changed because its rows do not fit together is answered with 503, not tried for ever', async () => {
    const { app, storage } = await startApp();
    const player = await (await new Player(app, 'Pat').enter()).confirm();
    const { changeGame } = await import('../../src/dungeon/store.js');
    await withStorage(storage, async () => {
      for (let line = 1; line <= 100; line++) {
        await changeGame('Pat', (game) => ({
          game: { ...game, started: line % 2 === 0 },
          lines: [`Line ${line}`],
        }));
      }
    });
    const { lines } = (await (await app.get('/api/dungeon/Pat/story')).json()) as {
      lines: { number: number }[];
    };
    await storage.deleteRow('Dungeon', 'Pat', `story-${String(lines[0]!.number).padStart(9, '0')}`);
    const response = await player.act({ action: 'get', target: (await player.world()).room!.inventoryItems });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      503,
      'application/problem+json',
    ]);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await player.world()).user.inventoryItems).toBe('');
  });
});
