/** What a game that nobody plays, or that has ended, leaves behind; and how many there can be. */
import { QueueClient } from '@azure/storage-queue';
import { describe, expect, it } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import { startApp, sweepOnce, type AppStorage } from '../support/app.js';
import { withStorage } from '../support/request.js';
import { Player } from './player.js';

const closed = 'Nobody has touched the dungeon of Pat for 2 days. It is closed.';

/** A game that nobody watches, on an app without the timer of the sweep: days are skipped fast. */
async function left(): Promise<{ app: TestApp; storage: AppStorage; player: Player }> {
  const { app, storage } = await startApp({ verifyReplay: false });
  const player = await (await new Player(app, 'Pat').enter()).confirm();
  await app.terminate((await player.workflow('UserMonitorWorkflow')).instanceId);
  return { app, storage, player };
}

/** Runs the sweep some times, a quarter of an hour apart. */
async function swept(app: TestApp, times = 4): Promise<void> {
  for (let time = 0; time < times; time++) {
    await sweepOnce(app);
    await app.skip({ minutes: 15 });
  }
}

async function expectNothingLeft(app: TestApp, storage: AppStorage): Promise<void> {
  expect(await app.instances()).toEqual([]);
  expect(await storage.allRowKeys('Dungeon')).toEqual([]);
  expect(await storage.allRowKeys('DungeonIndex')).toEqual([]);
  expect(await storage.dueEntries()).toEqual([]);
}

describe('a game that nobody touches', () => {
  it('is closed after two days, says so, frees its name, and leaves nothing', async () => {
    const { app, storage, player } = await left();
    await app.skip({ days: 1, hours: 23 });
    expect(await player.status('GameMonitorWorkflow')).toBe('Running');
    await app.skip({ hours: 1, minutes: 1 });
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
    expect((await player.story()).slice(-2)).toEqual([closed, 'The name Pat is free again.']);
    expect((await app.get('/api/GameStatus/Pat')).status).toBe(400);
    expect((await player.act({ action: 'get', target: 'x' })).status).toBe(400);
    await swept(app);
    await expectNothingLeft(app, storage);
    expect(await player.status('GameMonitorWorkflow')).toBe(404);
    await player.enter();
  });

  it('is closed also when its monitor does not run any more', async () => {
    const { app, storage, player } = await left();
    await app.terminate((await player.workflow('GameMonitorWorkflow')).instanceId);
    await app.skip({ days: 2 });
    const target = (await player.world()).room!.inventoryItems;
    // The deadline is a rule: it holds before anything has closed the game.
    expect((await player.act({ action: 'get', target })).status).toBe(400);
    await swept(app, 2);
    expect((await player.story()).at(-2)).toBe(closed);
    await swept(app);
    await expectNothingLeft(app, storage);
  });

  it('is played on by a player who comes back in time: the two days begin again with each move', async () => {
    const { app, player } = await left();
    await app.skip({ hours: 47 });
    await player.take();
    await app.skip({ hours: 47 });
    await player.slay();
    await player.take();
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
  });
});

describe('a game that has ended', () => {
  it.each(['won', 'lost', 'undone'])('leaves nothing soon after it was %s', async (end) => {
    const { app, storage } = await startApp({ sweep: true });
    const player = new Player(app, 'Pat');
    if (end === 'undone') {
      app.replace('CreateRoom', () => {
        throw new Error('The ceiling came down');
      });
    }
    await player.enter();
    if (end === 'won') {
      await player.confirm();
      await player.win();
    }
    await app.skip({ minutes: 9 });
    expect((await player.story()).length).toBeGreaterThan(3);
    await app.skip({ minutes: 30 });
    await expectNothingLeft(app, storage);
    expect((await app.get('/api/GameStatus/Pat')).status).toBe(400);
  });

  it('by death gives the name to the next who asks, at once', async () => {
    const { app, storage } = await startApp({ sweep: true });
    const player = await new Player(app, 'Pat').enter();
    await app.skip({ minutes: 2 });
    expect((await player.world()).user.isAlive).toBe(false);
    await player.enter();
    expect((await player.world()).user.isAlive).toBe(true);
    expect(await player.story()).not.toContain('Alas, Pat died from waiting too long!');
    await player.confirm();
    await player.win();
    await app.skip({ minutes: 40 });
    await expectNothingLeft(app, storage);
  });

  it('by death, again and again, leaves a name that can be played with, though the story of before is removed', async () => {
    const { app, storage } = await startApp({ sweep: true });
    const player = await new Player(app, 'Pat').enter();
    const { changeGame } = await import('../../src/dungeon/store.js');
    const lines = Array.from({ length: 88 }, (_, index) => `Line ${index}`);
    await withStorage(storage, () => changeGame('Pat', (game) => ({ game: { ...game, won: true }, lines })));
    await withStorage(storage, () =>
      changeGame('Pat', (game) => ({ game: { ...game, won: false }, lines: [] })),
    );
    await app.skip({ minutes: 2 });
    await player.enter();
    // Those of the first game are there still, and are not this game's.
    const story = await player.story();
    expect([story.includes('Pat stands before the dungeon.'), story.includes('Line 87')]).toEqual([
      true,
      false,
    ]);
    await player.confirm();
    await app.skip({ minutes: 13 });
    expect((await player.story()).length).toBeLessThan(50);
    await player.win();
    expect((await player.story()).at(-1)).toBe('Pat has won the game!');
  });

  it('by a win keeps its name for ten minutes', async () => {
    const { app } = await startApp();
    const player = await (await new Player(app, 'Pat').enter()).confirm();
    await player.win();
    expect((await player.post('NewUser')).status).toBe(400);
    await app.skip({ minutes: 10 });
    await player.enter();
  });

  it('is removed also when somebody deleted its head', async () => {
    const { app, storage } = await startApp({ sweep: true });
    await (await new Player(app, 'Pat').enter()).confirm();
    await storage.deleteRow('Dungeon', 'Pat', 'game');
    expect(await app.instances()).not.toEqual([]);
    await app.skip({ minutes: 40 });
    await expectNothingLeft(app, storage);
  });
});

describe('a player who is forgotten', () => {
  it('costs few rows of history, also when they are watched for long', async () => {
    const { app } = await startApp({ verifyReplay: false });
    const rows = async (): Promise<{ rows: number; bytes: number }> => {
      const histories: unknown[][] = [];
      for (const { instanceId } of await app.instances()) {
        const path = `/runtime/webhooks/durabletask/instances/${instanceId}?showHistory=true&showHistoryOutput=true`;
        const { historyEvents } = (await (await app.get(path)).json()) as { historyEvents: unknown[] };
        histories.push(historyEvents);
      }
      return { rows: histories.flat().length, bytes: JSON.stringify(histories).length };
    };
    const player = await new Player(app, 'Pat').enter();
    await app.skip({ seconds: 80 });
    const forgotten = await rows();
    expect(forgotten.rows).toBeLessThanOrEqual(18);
    expect(forgotten.bytes).toBeLessThan(5000);
    await player.confirm();
    await app.skip({ minutes: 15 });
    // Two more workflows, and no more of the monitor.
    const watched = await rows();
    expect(watched.rows).toBeLessThanOrEqual(36);
    expect(watched.bytes).toBeLessThan(10_000);
  });
});

describe('the number of games', () => {
  const enter = async (app: TestApp, name: string, from?: string): Promise<Response> =>
    app.post('/api/NewUser', { name }, from === undefined ? {} : { 'x-forwarded-for': from });

  it('of one caller is limited, whatever the caller writes into the header, until some are removed', async () => {
    const { app, storage } = await startApp({ sweep: true, settings: { DungeonMaxGamesPerCaller: '2' } });
    expect((await enter(app, 'A', '203.0.113.7:1')).status).toBe(200);
    expect((await enter(app, 'B', '198.51.100.1, 203.0.113.7:2')).status).toBe(200);
    const refused = await enter(app, 'C', '198.51.100.2, 203.0.113.7:3');
    expect([refused.status, refused.headers.get('content-type')]).toEqual([429, 'application/problem+json']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await app.get('/api/GameStatus/C')).status).toBe(400);
    expect((await enter(app, 'C', '203.0.113.8')).status).toBe(200);
    await app.skip({ minutes: 40 });
    expect((await enter(app, 'D', '203.0.113.7')).status).toBe(200);
    await app.skip({ minutes: 40 });
    await expectNothingLeft(app, storage);
  });

  it('in all is limited, whoever asks', async () => {
    const { app } = await startApp({ settings: { DungeonMaxGames: '3' } });
    const answers = await Promise.all(
      Array.from({ length: 10 }, async (_, index) => enter(app, `Player ${index}`, `203.0.113.${index}`)),
    );
    const entered = answers.filter(({ status }) => status === 200);
    expect(entered.length).toBeLessThanOrEqual(3);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(10 - entered.length);
    for (let index = entered.length; index < 3; index++) {
      expect((await enter(app, `Late ${index}`)).status).toBe(200);
    }
    expect((await enter(app, 'One more')).status).toBe(429);
  });
});

describe('the console', () => {
  it('takes no more lines of refused requests when 250 wait, and keeps none for longer than an hour', async () => {
    const { app, storage } = await startApp();
    const queue = new QueueClient(storage.connectionString, 'console');
    await app.post('/api/NewUser', {});
    const { peekedMessageItems } = await queue.peekMessages();
    const [{ insertedOn, expiresOn } = { insertedOn: new Date(), expiresOn: new Date(0) }] =
      peekedMessageItems;
    expect(expiresOn.getTime() - insertedOn.getTime()).toBe(3_600_000);
    await Promise.all(Array.from({ length: 249 }, async () => queue.sendMessage('eA==')));
    await app.post('/api/NewUser', {});
    await app.post('/api/Action', { name: 'Pat', action: 'get', target: 'x' });
    expect((await queue.getProperties()).approximateMessagesCount).toBe(250);
  });
});
