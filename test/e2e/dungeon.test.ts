/** A whole game by HTTP alone, at `E2E_BASE_URL`. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { useBaseUrl } from '../support/base-url.js';
import { call, PATIENCE, until, type Answer } from './http.js';

interface World {
  user: { currentRoom: string | null; isAlive: boolean; inventoryItems: string };
  monster: { name: string; isAlive: boolean; inventoryItems: string };
  room: { name: string; description: string; monster: string | null; inventoryItems: string };
}

describe('The dungeon, by HTTP', { timeout: 3 * PATIENCE }, () => {
  const origin = useBaseUrl();

  test('is played to the win, and its workflows show it', async () => {
    const player = at(origin(), `Pat ${randomUUID().slice(0, 8)}`);
    expect((await player.post('NewUser')).status).toBe(200);
    expect((await player.post('NewUser')).status).toBe(400);
    await until(
      () => player.status('UserConfirmationWorkflow'),
      ({ json }) => json?.['status'] === 'Running',
    );
    await until(
      () => player.post('ConfirmUser'),
      ({ status }) => status === 200,
    );
    await until(
      () => player.status('GameMonitorWorkflow'),
      ({ json }) => json?.['status'] === 'Running',
    );

    const begun = await player.world();
    expect(begun.user).toMatchObject({ currentRoom: begun.room.name, isAlive: true });
    const weapon = begun.room.inventoryItems;
    expect((await player.act('kill', begun.monster.name, weapon)).status).toBe(400);
    expect((await player.act('get', weapon)).status).toBe(200);
    expect((await player.act('get', weapon)).status).toBe(400);
    expect((await player.act('kill', begun.monster.name, weapon)).status).toBe(200);
    const slain = await player.world();
    expect(slain.monster).toMatchObject({ isAlive: false });
    expect(slain.room.inventoryItems).toBe(begun.monster.inventoryItems);
    expect((await player.act('get', slain.room.inventoryItems)).status).toBe(200);

    await until(
      () => player.status('GameMonitorWorkflow'),
      ({ json }) => json?.['status'] === 'Completed',
    );
    await until(
      () => player.status('UserMonitorWorkflow'),
      ({ json }) => json?.['status'] === 'Completed',
    );
    expect((await player.world()).user.inventoryItems.split(',').toSorted()).toEqual(
      [weapon, begun.monster.inventoryItems].toSorted(),
    );
    const story = (await player.get('dungeon', '/story?after=0')).json?.['lines'] as { text: string }[];
    expect(story.at(-1)?.text).toMatch(/ has won the game!$|watch over/);
  });

  test('refuses players and things that do not exist', async () => {
    const nobody = at(origin(), `Nobody ${randomUUID().slice(0, 8)}`);
    expect((await nobody.get('GameStatus')).status).toBe(400);
    expect((await nobody.post('ConfirmUser')).status).toBe(400);
    expect((await nobody.act('get', 'moon')).status).toBe(400);
    expect((await nobody.status('GameMonitorWorkflow')).status).toBe(404);
    expect((await call('POST', `${origin()}/api/NewUser`, {})).status).toBe(400);
  });
});

/** A player at a base URL. */
function at(origin: string, name: string) {
  const post = (endpoint: string, fields: object = {}): Promise<Answer> =>
    call('POST', `${origin}/api/${endpoint}`, { name, ...fields });
  const get = (endpoint: string, rest = ''): Promise<Answer> =>
    call('GET', `${origin}/api/${endpoint}/${encodeURIComponent(name)}${rest}`);
  return {
    post,
    get,
    act: (action: string, target: string, tool = '') => post('Action', { action, target, with: tool }),
    status: (workflow: string) => get('CheckStatus', `/${workflow}`),
    world: async () => (await get('GameStatus')).json as unknown as World,
  };
}
