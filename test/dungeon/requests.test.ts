import type { DurableClient } from 'durable-functions';
import { describe, expect, it } from 'vitest';
import { startApp, useApp } from '../support/app.js';
import { request, silent, withStorage } from '../support/request.js';
import { Player } from './player.js';

describe('a name', () => {
  const shared = useApp();

  it.each([
    'P',
    'Pat',
    'Pat Kim',
    "O'Neil",
    'a-b_c.d',
    '王小明',
    'Ång ström',
    'नमस्ते',
    '42',
    '-',
    "'",
    'W'.repeat(50),
    '𝒳'.repeat(50),
    "x' or PartitionKey ne '",
    'con',
  ])('can be %j', async (name) => {
    const { app } = shared();
    const player = await (await new Player(app, name).enter()).confirm();
    await player.win();
    expect((await player.world()).user.name).toBe(name);
    expect(await player.status('GameMonitorWorkflow')).toBe('Completed');
    expect(await player.story()).toContain(`${name} has won the game!`);
  });

  it.each([
    '',
    ' ',
    '.',
    '..',
    ' Pat',
    'Pat ',
    'Pat.',
    '.Pat',
    'a/b',
    'a\\b',
    'a?b',
    'a#b',
    'a%b',
    'a\nb',
    'a\tb',
    'a\0b',
    '<b>',
    'a&b',
    '"',
    '🐉',
    'W'.repeat(51),
    '𝒳'.repeat(51),
    'x'.repeat(10_000),
    '\uD800',
    42,
    null,
    true,
    {},
    { name: 'Pat' },
    '\u3164',
    'Pat\u034f',
  ])('cannot be %j', async (name) => {
    const { app } = shared();
    const before = await app.instances();
    for (const endpoint of ['NewUser', 'ConfirmUser', 'Action']) {
      const response = await app.post(`/api/${endpoint}`, { name, action: 'get', target: 'x' });
      expect([response.status, response.headers.get('content-type')]).toEqual([
        400,
        'application/problem+json',
      ]);
      expect(await response.json()).toMatchObject({ detail: expect.stringMatching(/^name/) as string });
    }
    expect(await app.instances()).toEqual(before);
  });

  it('is the same however its letters are put together, and another in another case', async () => {
    const { app } = await startApp();
    await new Player(app, 'Zoë'.normalize('NFD')).enter();
    expect((await app.post('/api/NewUser', { name: 'Zoë'.normalize('NFC') })).status).toBe(400);
    expect((await new Player(app, 'Zoë'.normalize('NFD')).world()).user.name).toBe('Zoë'.normalize('NFC'));
    await new Player(app, 'zoë').enter();
  });
});

describe('what comes in', () => {
  const shared = useApp();
  const unnamed = useApp();

  it.each(['', 'null', '[]', '42', '"Pat"', '{', '{"name":', '\u{FEFF}x', '{}'])(
    'as %j is no name, and the console says so',
    async (body) => {
      const { app, storage } = unnamed();
      for (const endpoint of ['NewUser', 'ConfirmUser', 'Action']) {
        const response = await app.request('POST', `/api/${endpoint}`, {
          body,
          headers: { 'content-type': 'application/json' },
        });
        expect([response.status, response.headers.get('content-type')]).toEqual([
          400,
          'application/problem+json',
        ]);
      }
      expect(await storage.console()).toHaveLength(3);
    },
  );

  it.each([
    [{}, /understands/],
    [{ action: 'dance' }, /understands/],
    [{ action: 'GET', target: 'x' }, /understands/],
    [{ action: 'get' }, /what to get/],
    [{ action: 'get', target: 'moon' }, /no moon/],
    [{ action: 'kill' }, /what to kill/],
    [{ action: 'kill', target: 'MONSTER' }, /with/],
    [{ action: 'kill', target: 'MONSTER', with: 'teeth' }, /no teeth/],
    [{ action: 'get', target: 'TREASURE' }, /on the floor/],
    [{ action: 'get', target: 'MONSTER' }, /on the floor/],
    [{ action: 'kill', target: 'MONSTER', with: 'WEAPON' }, /no .* to kill with/],
    [{ action: 'get', target: null, with: null }, /what to get/],
    [{ action: 'get', target: 7 }, /target/],
    [{ action: ['get'], target: 'WEAPON' }, /action/],
    [{ action: 'get', target: 'x'.repeat(300) }, /target/],
  ])('as the move %j is refused, changes nothing, and the console says so', async (move, why) => {
    const { app, storage } = shared();
    const player = new Player(app, 'Mover');
    if ((await player.status('GameMonitorWorkflow')) === 404) await (await player.enter()).confirm();
    const before = await player.world();
    const [weapon, treasure] = before.inventory;
    await storage.console();
    const things: Record<string, string> = {
      WEAPON: weapon!.name,
      TREASURE: treasure!.name,
      MONSTER: before.monster!.name,
    };
    const response = await player.act(
      Object.fromEntries(
        Object.entries(move).map(([field, value]) => [field, things[value as string] ?? value]),
      ),
    );
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ detail: expect.stringMatching(why) as string });
    expect(await player.world()).toEqual(before);
    expect(await storage.console()).toEqual([expect.stringMatching(/^User Mover tried /)]);
  });

  it('for somebody who does not exist is refused', async () => {
    const { app } = await startApp();
    const nobody = new Player(app, 'Nobody');
    expect((await nobody.post('ConfirmUser')).status).toBe(400);
    expect((await nobody.act({ action: 'get', target: 'x' })).status).toBe(400);
    expect((await app.get('/api/GameStatus/Nobody')).status).toBe(400);
    expect(await nobody.status('GameMonitorWorkflow')).toBe(404);
    expect((await app.get('/api/dungeon/Nobody/story')).status).toBe(404);
  });

  it('for a dead player is refused', async () => {
    const { app } = await startApp();
    const player = await new Player(app, 'Pat').enter();
    await app.skip({ minutes: 2 });
    const response = await player.act({ action: 'get', target: 'x' });
    expect([response.status, await response.json()]).toEqual([
      400,
      expect.objectContaining({ detail: 'Pat is dead.' }),
    ]);
  });

  it.each([
    '/api/GameStatus/%00',
    '/api/GameStatus/a%2Fb',
    '/api/GameStatus/%20',
    '/api/GameStatus/..a',
    '/api/CheckStatus/%3C/GameMonitorWorkflow',
    '/api/dungeon/Pat/story?after=-1',
    '/api/dungeon/Pat/story?after=x',
    '/api/dungeon/Pat/story?after=1e99',
  ])('as %s is answered with what is wrong', async (path) => {
    const response = await shared().app.get(path);
    expect([400, 404]).toContain(response.status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
  });

  it('from the original page is taken: all four fields, and any content type', async () => {
    const { app } = await startApp();
    const player = await (await new Player(app, 'Pat').enter()).confirm();
    const { room } = await player.world();
    const response = await app.request('POST', '/api/Action', {
      body: JSON.stringify({ name: 'Pat', action: 'get', target: room!.inventoryItems, with: '' }),
      headers: { 'content-type': 'text/plain', origin: 'null' },
    });
    expect(response.status).toBe(200);
  });
});

describe('a workflow', () => {
  it('that continues as new, which a host says for a moment, is running', async () => {
    const { app, storage } = await startApp();
    await new Player(app, 'Pat').enter();
    const { checkStatus } = await import('../../src/dungeon/endpoints.js');
    const client = {
      getStatus: () => Promise.resolve({ createdTime: new Date(0), runtimeStatus: 'ContinuedAsNew' }),
    } as unknown as DurableClient;
    const asked = request({ params: { username: 'Pat', workflow: 'UserMonitorWorkflow' } });
    expect(await withStorage(storage, () => checkStatus(asked, client, silent()))).toEqual({
      jsonBody: { created: new Date(0), status: 'Running' },
    });
  });
});

describe('the story', () => {
  it('is given from the beginning or after a line, each with its number and time', async () => {
    const { app } = await startApp({ time: '2030-01-01T00:00:00Z' });
    const player = await (await new Player(app, 'Pat').enter()).confirm();
    const all = (await (await app.get('/api/dungeon/Pat/story')).json()) as {
      lines: { number: number; text: string; at: string }[];
    };
    expect(all.lines.map(({ number }) => number)).toEqual(all.lines.map((_, index) => index + 1));
    expect(all.lines[0]).toMatchObject({
      text: expect.any(String) as string,
      at: '2030-01-01T00:00:00.000Z',
    });
    expect(await player.story(all.lines.length - 2)).toEqual(all.lines.slice(-2).map(({ text }) => text));
    expect(await player.story(all.lines.length)).toEqual([]);
  });

  it('is told on the console as it goes, in its order', async () => {
    const { app, storage } = await startApp();
    const player = await (await new Player(app, 'Pat').enter()).confirm();
    await player.win();
    const told = await storage.console();
    const story = await player.story();
    expect(told.filter((line) => story.includes(line)).toSorted()).toEqual(story.toSorted());
    for (const [earlier, later] of [
      ['accepted the challenge', 'looks around'],
      ['looks around', 'picked up'],
      ['slain', 'grabbed'],
      ['grabbed', 'won the game'],
    ]) {
      expect(told.findIndex((line) => line.includes(earlier!))).toBeLessThan(
        told.findIndex((line) => line.includes(later!)),
      );
    }
  });

  it('keeps its last hundred lines', async () => {
    const { app, storage } = await startApp();
    const player = await new Player(app, 'Pat').enter();
    const { changeGame } = await import('../../src/dungeon/store.js');
    await withStorage(storage, async () => {
      for (let line = 1; line <= 130; line++) {
        await changeGame('Pat', (game) => ({
          game: { ...game, confirmed: line % 2 === 0 },
          lines: [`Line ${line}`],
        }));
      }
    });
    expect(await player.story()).toEqual(Array.from({ length: 100 }, (_, index) => `Line ${index + 31}`));
  });
});

describe('the starter', () => {
  it('starts a game by its first workflow, with the body of NewUser', async () => {
    const { app } = await startApp();
    const player = new Player(app, 'Pat');
    const start = (body: unknown): Promise<Response> =>
      app.post('/api/orchestrators/RunUserParallelWorkflow', body);
    const response = await start({ name: 'Pat' });
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as { id: string };
    await app.quiet();
    expect(await app.instance(id)).toMatchObject({
      name: 'RunUserParallelWorkflow',
      runtimeStatus: 'Running',
    });
    expect((await start({ name: 'Pat' })).status).toBe(400);
    expect((await start({ name: '' })).status).toBe(400);
    expect((await start(undefined)).status).toBe(400);
    await player.confirm();
    await player.win();
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: 'confirmed' });
  });
});
