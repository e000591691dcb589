import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { Rollout, RolloutState, Summary, Wave } from './api';

const names: Record<RolloutState | 'waiting' | 'done', string> = {
  planning: 'being planned',
  updating: 'updating',
  soaking: 'soaking',
  'awaiting-approval': 'waits for an approval',
  paused: 'paused',
  stopping: 'stopping',
  'rolling-back': 'rolling back',
  completed: 'completed',
  'rolled-back': 'rolled back',
  aborted: 'aborted',
  waiting: 'waiting',
  done: 'done',
};
const ended: readonly RolloutState[] = ['completed', 'rolled-back', 'aborted'];
const stopping: readonly RolloutState[] = [...ended, 'stopping', 'rolling-back'];

/** A rollout: its waves, what happened, and what a person can do. */
export function RolloutPanel({
  rollout,
  others,
  steer,
}: {
  rollout: Rollout;
  others: Summary[];
  steer: (what: 'pause' | 'resume' | 'abort', more?: { rollBack: boolean }) => void;
}): VNode {
  const { firmware, state, reason, waves, soakUntil, steps } = rollout;
  const [asks, setAsks] = useState(false);
  const abort = (rollBack: boolean): void => {
    setAsks(false);
    steer('abort', { rollBack });
  };
  return (
    <section class="panel" aria-labelledby="rollout">
      <h2 id="rollout">Rollout of {firmware}</h2>
      <p role="status">
        It is {names[state]}
        {state === 'soaking' && soakUntil !== undefined
          ? ` until ${new Date(soakUntil).toLocaleTimeString()}`
          : ''}
        .{reason !== undefined && ` ${reason}.`}
      </p>
      <ol class="waves" aria-label="Waves">
        {waves.map((wave) => (
          <WaveBar key={wave.number} wave={wave} />
        ))}
      </ol>
      {!stopping.includes(state) && (
        <p class="actions">
          {state === 'paused' ? (
            <button type="button" onClick={() => steer('resume')}>
              Resume
            </button>
          ) : (
            <button type="button" onClick={() => steer('pause')}>
              Pause
            </button>
          )}
          {asks ? (
            <>
              <button type="button" onClick={() => abort(false)}>
                Abort, keep what devices have
              </button>
              <button type="button" onClick={() => abort(true)}>
                Abort and roll back
              </button>
              <button type="button" onClick={() => setAsks(false)}>
                Go on
              </button>
            </>
          ) : (
            <button type="button" onClick={() => setAsks(true)}>
              Abort…
            </button>
          )}
        </p>
      )}
      <details>
        <summary>What happened</summary>
        <ol class="steps">
          {steps.map(({ at, text }) => (
            <li key={`${at} ${text}`}>
              <time dateTime={at}>{new Date(at).toLocaleTimeString()}</time> {text}
            </li>
          ))}
        </ol>
      </details>
      {others.length > 1 && (
        <nav aria-label="Rollouts">
          <ul class="latest">
            {others.map((other) => (
              <li key={other.id}>
                <a href={`#${other.id}`} aria-current={other.id === rollout.id}>
                  {other.firmware}, {new Date(other.createdAt).toLocaleString()}
                </a>{' '}
                {names[other.state]}
              </li>
            ))}
          </ul>
        </nav>
      )}
    </section>
  );
}

/** A wave as a bar, whose parts are its devices by their state. */
function WaveBar({ wave: { number, devices, state, counts } }: { wave: Wave }): VNode {
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  return (
    <li>
      <span>
        Wave {number}: {names[state]}
      </span>
      <div class="bar" aria-hidden="true">
        {parts.map(([part, count]) => (
          <span key={part} class={part} style={{ flexGrow: count }} />
        ))}
      </div>
      <span class="counts">
        {parts.map(([part, count]) => `${count} ${part}`).join(', ')} of {devices}
      </span>
    </li>
  );
}
