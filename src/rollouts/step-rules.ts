import type { Moment } from 'moment';
import type { Rollout } from './model.js';

/** The maximum number of steps in the record. */
const STEPS = 100;
/** The maximum length of the steps as JSON, which is one column of a table: that has at most 32,768 characters. */
const LENGTH = 30_000;

/** Begins the next wave. */
export function nextWave(rollout: Rollout, text: string, at: Moment): Rollout {
  const { soakUntil: _, ...rest } = rollout;
  return entering({ ...rest, wave: rollout.wave + 1 }, 'updating', text, at);
}

/** Ends the rollout. Devices that have a command may still report. */
export function draining(
  rollout: Rollout,
  outcome: 'aborted' | 'rolled-back',
  reason: string,
  at: Moment,
): Rollout {
  const stops = { ...rollout, paused: false, ending: { outcome, reason } };
  return entering(stops, 'draining', `${reason}. No more commands are sent.`, at);
}

/** Ends the rollout after its last device. */
export function ending(rollout: Rollout, outcome: 'completed', reason: string, at: Moment): Rollout {
  return entering({ ...rollout, ending: { outcome, reason } }, 'concluding', `${reason}.`, at);
}

/** Changes the stage. */
export function entering(rollout: Rollout, stage: Rollout['stage'], text: string, at: Moment): Rollout {
  return noting({ ...rollout, stage, progressAt: at.toISOString() }, text, at);
}

/** Records what happened. */
export function noting(rollout: Rollout, text: string, at: Moment): Rollout {
  const steps = [...rollout.steps, { at: at.toISOString(), text }].slice(-STEPS);
  while (JSON.stringify(steps).length > LENGTH) steps.shift();
  return { ...rollout, steps };
}

/** The end of a sentence, with a reason if there is one. */
export function because(reason: string | undefined): string {
  return reason ? `: ${reason}` : '.';
}

/** A number with its noun. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
