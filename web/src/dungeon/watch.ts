import {
  checkStatus,
  gameStatus,
  story,
  workflows,
  type Line,
  type Workflow,
  type WorkflowState,
  type World,
} from './api';

/** The state of a player's game, as far as the page knows it. */
export interface Seen {
  /** Undefined until the first answer; null when there is no such player. */
  world: World | null | undefined;
  workflows: Partial<Record<Workflow, WorkflowState>>;
  story: Line[];
  /**
   * Set while the server does not answer. The page retries at `again`, in milliseconds since 1970, or is
   * retrying now.
   */
  trouble?: { message: string; again: number | 'now' };
  /** An answer is taking long. */
  slow: boolean;
}

export interface Watch {
  /** Polls at once. Resolves when the state is newer than this call, or when the poll has failed. */
  look: () => Promise<void>;
  stop: () => void;
}

const second = 1000;
/** Milliseconds after a request in which its effects are expected, so that the page polls more often. */
const lively = 5 * second;
const longestStory = 200;
const ended = new Set(['Completed', 'Failed', 'Terminated', 'Canceled']);

export const hasEnded = (state: WorkflowState | undefined): boolean =>
  state !== undefined && ended.has(state.status);

/**
 * Polls a game: every second, more often just after a request, less often while the page is hidden, with
 * growing intervals while the server does not answer, and no longer once everything has ended.
 */
export function watch(name: string, show: (seen: Seen) => void): Watch {
  let seen: Seen = { world: undefined, workflows: {}, story: [], slow: false };
  let failures = 0;
  let waiting: (() => void)[] = [];
  let wake: (() => void) | undefined;
  let livelyUntil = Date.now() + lively;
  const stopping = new AbortController();
  const { signal } = stopping;

  const update = (change: Partial<Seen>): void => {
    if (signal.aborted) return;
    seen = { ...seen, ...change };
    show(seen);
  };

  async function ask(): Promise<Partial<Seen>> {
    const [world, lines, states] = await Promise.all([
      gameStatus(name),
      story(name, seen.story.at(-1)?.number ?? 0),
      statesOf(name, seen.workflows),
    ]);
    return {
      world: world ?? null,
      story: lines.length > 0 ? [...seen.story, ...lines].slice(-longestStory) : seen.story,
      workflows: states,
    };
  }

  async function look(): Promise<void> {
    if (seen.trouble) update({ trouble: { ...seen.trouble, again: 'now' } });
    const slow = setTimeout(() => update({ slow: true }), 3 * second);
    try {
      update({ ...(await ask()), trouble: undefined, slow: false });
      failures = 0;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      update({
        trouble: { message, again: Date.now() + Math.min(30, 2 ** failures++) * second },
        slow: false,
      });
    } finally {
      clearTimeout(slow);
    }
  }

  /** Milliseconds until the next poll. */
  function pause(): number {
    if (seen.trouble && seen.trouble.again !== 'now') return seen.trouble.again - Date.now();
    if (isOver(seen)) return Infinity;
    if (document.hidden) return 15 * second;
    return Date.now() < livelyUntil ? second / 4 : second;
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const askers = waiting;
      waiting = [];
      await look();
      for (const done of askers) done();
      if (signal.aborted || waiting.length > 0) continue;
      await new Promise<void>((resolve) => {
        const delay = pause();
        const timer = delay === Infinity ? undefined : setTimeout(resolve, Math.max(0, delay));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const done of waiting) done();
  }

  const onReturn = (): void => {
    if (!document.hidden) wake?.();
  };
  document.addEventListener('visibilitychange', onReturn, { signal });
  addEventListener('online', onReturn, { signal });
  void run();

  return {
    look: () =>
      new Promise((resolve) => {
        livelyUntil = Date.now() + lively;
        waiting.push(resolve);
        wake?.();
      }),
    stop: () => {
      stopping.abort();
      wake?.();
    },
  };
}

type States = Seen['workflows'];

/** Reads the states that may have changed, and then those of workflows that these may have started. */
async function statesOf(name: string, known: States): Promise<States> {
  const states = { ...known };
  const asked = new Set<Workflow>();
  for (;;) {
    const next = workflows.filter((workflow) => !asked.has(workflow) && worthAsking(workflow, states));
    if (next.length === 0) return states;
    await Promise.all(
      next.map(async (workflow) => {
        asked.add(workflow);
        states[workflow] = await checkStatus(name, workflow);
      }),
    );
  }
}

/**
 * Whether to read a workflow's state: not after it has completed, and not before the workflow that starts it has
 * run. A workflow that has failed may be started again.
 */
function worthAsking(workflow: Workflow, known: States): boolean {
  if (known[workflow]?.status === 'Completed') return false;
  if (workflow === 'RunUserSequentialWorkflow') return hasEnded(known.UserConfirmationWorkflow);
  if (workflow === 'GameMonitorWorkflow') return known.RunUserSequentialWorkflow !== undefined;
  return true;
}

/** Whether nothing will change any more: the game is won, lost or missing, and none of its workflows runs. */
function isOver({ world, workflows: known }: Seen): boolean {
  const idle = Object.values(known).every((state) => state === undefined || hasEnded(state));
  if (!world) return idle;
  const dead = world.user?.isAlive === false;
  return idle && (dead || known.GameMonitorWorkflow?.status === 'Completed');
}
