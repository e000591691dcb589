import { z } from 'zod';
import { isVisible } from '../http/index.js';

/** The five workflows of a game. */
export const workflows = [
  'RunUserParallelWorkflow',
  'UserConfirmationWorkflow',
  'UserMonitorWorkflow',
  'RunUserSequentialWorkflow',
  'GameMonitorWorkflow',
] as const;
export type Workflow = (typeof workflows)[number];

const letters = /^[\p{L}\p{M}\p{N} \-_'.]*$/u;

/** What a player is called, in NFC: 1 to 50 letters, marks, digits, blanks and -_'. with neither blanks nor dots at its ends. */
export const playerName = z
  .string()
  .normalize('NFC')
  .min(1, 'Give a name')
  .regex(letters, "Letters, digits, blanks and -_'. make a name")
  .refine((name) => Array.from(name).length <= 50, 'It must not be longer than 50 letters')
  .refine(isVisible, 'It must not contain invisible characters')
  .regex(/^[^ .](?:.*[^ .])?$/u, 'It must not begin or end with a blank or a dot');

/** What `NewUser` and `ConfirmUser` take. */
export const playerRequest = z.object({ name: playerName });

/** A word of an action. Left out, `null` and empty mean the same. */
const word = z
  .string()
  .max(200)
  .nullish()
  .transform((said) => said ?? '');

/** What `Action` takes. Things and monsters are called by their whole name. */
export const actionRequest = z.object({
  name: playerName,
  action: word,
  target: word,
  with: word,
});
export type Action = z.output<typeof actionRequest>;

/** The key of a game: the player's name, and the claim on it. A name that was freed and claimed anew is another game. */
export interface GameKey {
  name: string;
  claim: string;
}

/** A claim on a name that is about to be made. */
export type Claim = GameKey & Pick<Game, 'requestKey'>;

/** A game as a whole, apart from its {@link parts}. Times are ISO 8601 in UTC. */
export const gameHead = z.object({
  name: z.string(),
  /** Random. The ids of the game's workflows contain it. */
  claim: z.string(),
  claimedAt: z.string(),
  /** A hash of the `Idempotency-Key` of the request that claimed the name. Its repeat has claimed the name, too. */
  requestKey: z.string().optional(),
  /** Whether the request that claimed the name has started the workflows. Nobody can take the name over from then on. */
  started: z.boolean().optional(),
  /** `undoing`: its set-up has failed, nothing more is made. `free`: it is undone or closed, and the name may be claimed. */
  state: z.enum(['open', 'undoing', 'free']),
  /** Until when the player may confirm; absent until the set-up is complete. */
  confirmBy: z.string().optional(),
  confirmed: z.boolean(),
  /** Whether the monitor of the user looks at the player. */
  watched: z.enum(['not yet', 'now', 'no more']),
  /** When the monitor of the user last recorded a look. */
  lookedAt: z.string().optional(),
  /** When the monitor of the game last recorded a look. */
  checkedAt: z.string().optional(),
  /** When a player last did something. Absent until they confirm. */
  touchedAt: z.string().optional(),
  /** Whether the win is recorded in the story. */
  won: z.boolean(),
  /** When the game ended: won, lost, undone or closed. */
  endedAt: z.string().optional(),
  /** The time under which the sweep finds the game: not later than the moment when something must have happened to it. */
  dueAt: z.string().optional(),
  /** How many lines of story this name has had. */
  told: z.number(),
  /** How many of them belong to earlier games. */
  forgotten: z.number(),
});

const thing = z.object({
  name: z.string(),
  isTreasure: z.boolean(),
  at: z.enum(['aside', 'room', 'monster', 'player']),
});
export type Thing = z.infer<typeof thing>;

/** The parts of a game. Each is there once it was made. */
export const parts = {
  user: z.object({ isAlive: z.boolean(), inRoom: z.boolean() }),
  monster: z.object({ name: z.string(), isAlive: z.boolean(), inRoom: z.boolean() }),
  room: z.object({ name: z.string(), description: z.string() }),
  weapon: thing,
  treasure: thing,
};
export type PartName = keyof typeof parts;
export type Parts = { [Name in PartName]: z.infer<(typeof parts)[Name]> };

/** The record of a game: the truth about it. */
export type Game = z.infer<typeof gameHead> & Partial<Parts>;

/** What a rule returns: the game, changed or the very same, and lines for those who watch it. */
export interface Change {
  game: Game;
  /** Added to the story when the game has changed, and sent to the console in any case: an activity may run twice. */
  lines: readonly string[];
  /** Sent to the console only. */
  remarks?: readonly string[];
}

/** A line of a game's story. */
export interface Line {
  /** From 1; higher for later lines, also over games of the same name. */
  number: number;
  text: string;
  /** ISO 8601, UTC. */
  at: string;
}
