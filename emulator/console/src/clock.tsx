import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { post } from './api.js';
import { appNow, type Due, type State } from './live.js';
import { linkTo } from './route.js';
import { spanText, timeText, untilText } from './words.js';

const SKIPS: [label: string, body: object][] = [
  ['+1 h', { hours: 1 }],
  ['+1 day', { days: 1 }],
  ['To the next timer', { to: 'next' }],
  ['Until idle', { to: 'idle' }],
];

/** The time of the app, the buttons that skip it, and what is due next. */
export function ClockBar({ live }: { live: State }): VNode {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [now, setNow] = useState(() => appNow(live));
  useEffect(() => {
    setNow(appNow(live));
    const timer = setInterval(() => setNow(appNow(live)), 1_000);
    return () => clearInterval(timer);
  }, [live.skew]);
  const { clock } = live;
  const skip = (body: object): void => {
    setBusy(true);
    setProblem(undefined);
    post('clock', body)
      .catch((error: Error) => setProblem(error.message))
      .finally(() => setBusy(false));
  };
  const busy = isBusy || clock?.isSkipping === true;
  return (
    <section class="clock" aria-label="Time">
      <p>
        <time dateTime={new Date(now).toISOString()}>{timeText(now)}</time> UTC
        {clock !== undefined && clock.ahead >= 1_000 && (
          <span class="ahead"> {spanText(clock.ahead)} ahead of real time</span>
        )}
      </p>
      {clock?.skips === true && (
        <div class="actions" role="group" aria-label="Skip time">
          {SKIPS.map(([label, body]) => (
            <button key={label} type="button" disabled={busy} onClick={() => skip(body)}>
              {label}
            </button>
          ))}
          {busy && (
            <>
              <button type="button" onClick={() => void post('clock', { stop: true })}>
                Stop
              </button>
              <span role="status">Skipping. While something runs, the time waits for it.</span>
            </>
          )}
        </div>
      )}
      {clock?.skips === false && (
        <p class="faint">
          This time is real. To skip time, start the emulator with <code>--clock skip</code>.
        </p>
      )}
      {problem && (
        <p role="alert" class="wrong">
          {problem}
        </p>
      )}
      {clock && (
        <details>
          <summary>
            {clock.due.length === 0 ? 'Nothing is due' : `Due next: ${dueText(clock.due[0]!, live, now)}`}
          </summary>
          <ol class="due" aria-label="Due next">
            {clock.due.map((due) => (
              <li key={`${due.at} ${'timer' in due ? due.timer : due.instanceId}`}>
                <time dateTime={new Date(due.at).toISOString()}>{timeText(due.at)}</time>{' '}
                {untilText(due.at, now)}:{' '}
                {'timer' in due ? (
                  `the timer function ${due.timer}`
                ) : (
                  <a href={linkTo(due.instanceId)}>{instanceText(due.instanceId, live)}</a>
                )}
              </li>
            ))}
          </ol>
          {clock.skips && (
            <p class="faint">
              What does not skip: the times of storage itself (a message that is invisible, a lease, the age
              of a file), and <code>setTimeout</code> in functions. While time is skipped, a timer function
              runs at most once an hour; in a long skip less often, down to once a day.
            </p>
          )}
        </details>
      )}
    </section>
  );
}

function dueText(due: Due, live: State, now: number): string {
  const what = 'timer' in due ? due.timer : instanceText(due.instanceId, live);
  return `${what} ${untilText(due.at, now)}`;
}

function instanceText(id: string, { rows }: State): string {
  const name = rows.get(id)?.name;
  return name === undefined ? id : `${name} ${id}`;
}
