/** The dungeon's HTTP interface, as the page uses it. */

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

/** The server refused the request (4xx). */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** There was no answer, or an answer that reports a failure of the server (5xx). */
export class Unreachable extends Error {}

const patience = 15_000;

export const newUser = (name: string): Promise<unknown> => ask('NewUser', { name });
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
async function ask(path: string, body?: object): Promise<Response> {
  const post = body && {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  };
  let response: Response;
  try {
    response = await fetch(`/api/${path}`, {
      ...post,
      cache: 'no-store',
      signal: AbortSignal.timeout(patience),
    });
  } catch (error) {
    throw new Unreachable(
      error instanceof DOMException
        ? `It has not answered for ${patience / 1000} seconds.`
        : 'It cannot be reached.',
    );
  }
  if (response.ok) return response;
  if (response.status >= 500) throw new Unreachable(`It answers with an error (${response.status}).`);
  throw new Refused(response.status, await reason(response));
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

async function json<T>(response: Response): Promise<T> {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this app's own answers, whose shapes its tests hold
    return (await response.json()) as T;
  } catch {
    throw new Unreachable('Its answer cannot be read.');
  }
}

/** The explanation of a refusal: the text of a problem document (RFC 9457), or the whole body. */
async function reason(response: Response): Promise<string> {
  const text = await response.text().catch(() => '');
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem === 'object' && problem && 'detail' in problem && typeof problem.detail === 'string')
      return problem.detail;
  } catch {
    // not a problem document
  }
  return text || `The dungeon says no (${response.status}).`;
}
