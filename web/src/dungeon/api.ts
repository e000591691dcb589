/** The dungeon's HTTP interface, as the page uses it. */
import { json, Refused, send } from '../http';

export interface Being {
  name: string;
  currentRoom?: string | null;
  isAlive: boolean;
  /** Names joined by commas; absent or empty when there are none. */
  inventoryItems?: string | null;
}

export interface Room {
  name: string;
  description: string;
  monster?: string | null;
  inventoryItems?: string | null;
}

export interface Thing {
  name: string;
  monster?: string | null;
  room?: string | null;
  isTreasure: boolean;
}

/** A player's world. Parts are missing while it is being set up. */
export interface World {
  user?: Being | null;
  monster?: Being | null;
  room?: Room | null;
  inventory?: Thing[] | null;
}

export const workflows = [
  'RunUserParallelWorkflow',
  'UserConfirmationWorkflow',
  'RunUserSequentialWorkflow',
  'GameMonitorWorkflow',
  'UserMonitorWorkflow',
] as const;

export type Workflow = (typeof workflows)[number];

export interface WorkflowState {
  /** The Durable runtime status in words: Pending, Running, Completed, Failed, Terminated, ... */
  status: string;
  /** When the workflow was started, in milliseconds since 1970. */
  created: number;
  /** The server's time when it answered, in milliseconds since 1970. */
  asked: number;
}

/** A line of the story. Numbers increase, and none is used twice. */
export interface Line {
  number: number;
  text: string;
  /** ISO 8601. */
  at: string;
}

export type Move = { action: 'get'; target: string } | { action: 'kill'; target: string; with: string };

/** @param key of the request: a repeat with the same key gets the same game, should an answer have been lost */
export const newUser = (name: string, key: string): Promise<unknown> =>
  ask('NewUser', { name }, { 'Idempotency-Key': key });
export const confirmUser = (name: string): Promise<unknown> => ask('ConfirmUser', { name });
export const act = (name: string, move: Move): Promise<unknown> => ask('Action', { name, ...move });

/** @returns nothing when there is no such player */
export async function gameStatus(name: string): Promise<World | undefined> {
  const response = await unlessRefused(ask(`GameStatus/${encodeURIComponent(name)}`), 400, 404);
  return response && (await json<World>(response));
}

/** @returns nothing when the player has no such workflow, or not yet */
export async function checkStatus(name: string, workflow: Workflow): Promise<WorkflowState | undefined> {
  const response = await unlessRefused(ask(`CheckStatus/${encodeURIComponent(name)}/${workflow}`), 400, 404);
  if (!response) return undefined;
  const { status, created } = await json<{ status: string; created: string }>(response);
  return {
    status,
    created: Date.parse(created),
    asked: Date.parse(response.headers.get('date') ?? '') || Date.now(),
  };
}

/** @returns the lines that came after the line of that number */
export async function story(name: string, after: number): Promise<Line[]> {
  const response = await unlessRefused(
    ask(`dungeon/${encodeURIComponent(name)}/story?after=${after}`),
    400,
    404,
  );
  return response ? (await json<{ lines: Line[] }>(response)).lines : [];
}

/**
 * @throws Refused, with the server's explanation
 * @throws Unreachable
 */
async function ask(path: string, body?: object, headers: Record<string, string> = {}): Promise<Response> {
  return send(
    `/api/${path}`,
    body && {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    },
  );
}

async function unlessRefused(
  answer: Promise<Response>,
  ...statuses: number[]
): Promise<Response | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Refused && statuses.includes(error.status)) return undefined;
    throw error;
  }
}
