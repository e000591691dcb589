import type { VNode } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { get, post, type AppInfo, type QueueInfo } from './api.js';
import { Form, Message, useSending } from './form.js';
import type { State } from './live.js';
import { timeText } from './words.js';

const functionPath = (name: string): string => `api/functions/${encodeURIComponent(name)}`;

/** Runs a function now. @returns what came of it */
async function runNow(name: string, input = ''): Promise<string> {
  const { succeeded, message } = await post<{ succeeded: boolean | null; message: string }>(
    `${functionPath(name)}/run`,
    { input },
  );
  if (succeeded === false) throw new Error(message);
  return message;
}

/** The queue and timer functions of the app: each can run now. */
export function Functions({ app, live }: { app: AppInfo | undefined; live: State }): VNode {
  return (
    <>
      <section aria-labelledby="timers">
        <h2 id="timers">Timer functions</h2>
        {app?.timers.length === 0 && <p class="faint">The app has none.</p>}
        {app?.timers.map((timer) => (
          <TimerFunction key={timer.name} timer={timer} live={live} />
        ))}
      </section>
      <section aria-labelledby="queues">
        <h2 id="queues">Queue functions</h2>
        {app?.queues.length === 0 && <p class="faint">The app has none.</p>}
        {app?.queues.map((name) => (
          <QueueFunction key={name} name={name} />
        ))}
      </section>
    </>
  );
}

function TimerFunction({
  timer: { name, schedule, next },
  live,
}: {
  timer: AppInfo['timers'][number];
  live: State;
}): VNode {
  const sending = useSending();
  const due = live.clock?.due.find((one) => 'timer' in one && one.timer === name)?.at ?? next;
  return (
    <div class="function">
      <h3>{name}</h3>
      <p class="faint">
        {schedule}
        {due !== undefined && `, next at ${timeText(due)}`}
      </p>
      <button type="button" disabled={sending.isBusy} onClick={() => void sending.send(() => runNow(name))}>
        Run {name} now
      </button>
      <Message of={sending} />
    </div>
  );
}

function QueueFunction({ name }: { name: string }): VNode {
  const [queue, setQueue] = useState<QueueInfo>();
  const [problem, setProblem] = useState<string>();
  const [input, setInput] = useState('');
  const sending = useSending();
  const read = useCallback((): void => {
    get<QueueInfo>(`${functionPath(name)}/queue`).then(setQueue, (error: Error) => setProblem(error.message));
  }, [name]);
  useEffect(read, [read]);
  return (
    <div class="function">
      <h3>{name}</h3>
      {problem !== undefined && <p class="faint">{problem}</p>}
      {queue && (
        <p class="faint">
          Queue {queue.queue}: {queue.messages} {queue.messages === 1 ? 'message' : 'messages'};{' '}
          {queue.poison} poison {queue.poison === 1 ? 'message' : 'messages'}.{' '}
          <button type="button" onClick={read}>
            Look again
          </button>
        </p>
      )}
      {queue && queue.poisonMessages.length > 0 && (
        <ol class="due" aria-label={`Poison messages of ${queue.queue}`}>
          {queue.poisonMessages.map(({ id, insertedOn, text }) => (
            <li key={id}>
              <time dateTime={insertedOn}>{timeText(insertedOn)}</time> <code class="log">{text}</code>
            </li>
          ))}
        </ol>
      )}
      <Form
        title={`Run ${name} now`}
        action="Run"
        sending={sending}
        onSend={() => runNow(name, input).finally(read)}
      >
        <label>
          Message
          <textarea rows={3} value={input} onInput={(event) => setInput(event.currentTarget.value)} />
        </label>
      </Form>
    </div>
  );
}
