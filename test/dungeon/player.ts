import type { InstanceState, TestApp } from '../../emulator/src/testing.js';
import type { Workflow } from '../../src/dungeon/model.js';

/** What `GameStatus` answers. */
export interface World {
  user: { name: string; currentRoom: string | null; isAlive: boolean; inventoryItems: string };
  monster: { name: string; currentRoom: string | null; isAlive: boolean; inventoryItems: string } | null;
  inventory: { name: string; monster: string | null; room: string | null; isTreasure: boolean }[];
  room: { name: string; description: string; monster: string | null; inventoryItems: string } | null;
}

/** Somebody who plays by HTTP alone. */
export class Player {
  constructor(
    readonly app: TestApp,
    readonly name: string,
  ) {}

  /** `NewUser`, and waits until the player is asked to confirm. */
  async enter(): Promise<this> {
    await succeeded(this.post('NewUser'));
    await this.app.quiet();
    return this;
  }

  /** `ConfirmUser`, and waits until the dungeon is laid out. */
  async confirm(): Promise<this> {
    await succeeded(this.post('ConfirmUser'));
    await this.app.quiet();
    return this;
  }

  /** The three moves that win. */
  async win(): Promise<void> {
    await this.take();
    await this.slay();
    await this.take();
  }

  /** Gets what lies in the room. */
  async take(): Promise<void> {
    const { room } = await this.world();
    await this.moves({ action: 'get', target: room!.inventoryItems });
  }

  /** Kills the monster with what the player holds. */
  async slay(): Promise<void> {
    const { user, monster } = await this.world();
    await this.moves({ action: 'kill', target: monster!.name, with: user.inventoryItems });
  }

  async moves(action: object): Promise<void> {
    await succeeded(this.act(action));
    await this.app.quiet();
  }

  act(action: object): Promise<Response> {
    return this.post('Action', action);
  }

  post(endpoint: 'NewUser' | 'ConfirmUser' | 'Action', fields: object = {}): Promise<Response> {
    return this.app.post(`/api/${endpoint}`, { name: this.name, ...fields });
  }

  async world(): Promise<World> {
    const response = await succeeded(this.app.get(`/api/GameStatus/${encodeURIComponent(this.name)}`));
    return response.json() as Promise<World>;
  }

  /** What `CheckStatus` says of a workflow: its status, or 404. */
  async status(workflow: Workflow): Promise<string | number> {
    const response = await this.app.get(`/api/CheckStatus/${encodeURIComponent(this.name)}/${workflow}`);
    return response.ok ? ((await response.json()) as { status: string }).status : response.status;
  }

  async story(after = 0): Promise<string[]> {
    const response = await this.app.get(`/api/dungeon/${encodeURIComponent(this.name)}/story?after=${after}`);
    return ((await response.json()) as { lines: { text: string }[] }).lines.map(({ text }) => text);
  }

  /** The player's workflow, as the hub has it; the latest, should there be several. */
  async workflow(workflow: Workflow): Promise<InstanceState> {
    const all = (await this.app.instances()).filter(
      ({ name, input }) => name === workflow && (input as { name: string }).name === this.name,
    );
    return all.at(-1)!;
  }
}

async function succeeded(answer: Promise<Response>): Promise<Response> {
  const response = await answer;
  if (response.status !== 200) {
    throw new Error(`${response.url} answered ${response.status}: ${await response.text()}`);
  }
  return response;
}
