import type { VNode } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { JsonView, Timeline } from '../../../web/timeline/index.js';
import { instancePath, urlOf, type InstanceView } from './api.js';
import { Entity } from './entity.js';
import { appNow, type State } from './live.js';
import { linkTo, open } from './route.js';
import { timelineOf } from './shown.js';
import { useInstance } from './use-instance.js';
import { useNested } from './use-nested.js';
import { Verbs } from './verbs.js';
import { timeText, waitText } from './words.js';

/** One instance: what it is, what it waits for, its timeline, and what can be done with it. */
export function Instance({ id, live }: { id: string; live: State }): VNode {
  const row = live.rows.get(id);
  const { view, problem } = useInstance(id, row);
  if (view === undefined || (row === undefined && live.isComplete && problem !== undefined))
    return <p role="status">{problem ?? 'The instance is being read.'}</p>;
  return (
    <article aria-label={id}>
      <h2>
        {view.entity === undefined && `${view.name} `}
        <span class="id">{id}</span>{' '}
        {view.entity === undefined && (
          <span class={`status ${view.status}`} role="status">
            {view.status}
          </span>
        )}
      </h2>
      {view.entity === undefined ? (
        <Orchestration view={view} live={live} />
      ) : (
        <Entity id={id} entity={view.entity} />
      )}
    </article>
  );
}

function Orchestration({ view, live }: { view: InstanceView; live: State }): VNode {
  const now = useAppNow(live, view);
  const timeline = useMemo(() => timelineOf(view, true), [view]);
  const { nested, onToggle } = useNested(timeline);
  const children = [...live.rows.values()].filter(({ parent }) => parent === view.instanceId);
  const episodes = view.history.filter(({ EventType }) => EventType === 'OrchestratorStarted').length;
  return (
    <>
      <Waits view={view} now={now} />
      <Diagnostics view={view} />
      <Verbs view={view} />
      <section aria-labelledby="timeline">
        <h3 id="timeline">
          Timeline{' '}
          <small>
            {view.history.length.toLocaleString('en')} events; the code ran {episodes}{' '}
            {episodes === 1 ? 'time' : `times, ${episodes - 1} of them as replays`}
          </small>
        </h3>
        <Timeline instance={timeline} now={now} nested={nested} onToggle={onToggle} onOpen={open} />
        <p class="actions">
          <a class="button" download href={urlOf(`${instancePath(view.instanceId)}/history.json`)}>
            Download the history
          </a>
          <a class="button" download href={urlOf(`${instancePath(view.instanceId)}/test.ts`)}>
            Download a test of it
          </a>
        </p>
      </section>
      <section class="facts" aria-label="Facts">
        <dl>
          <Fact name="Created">{timeText(view.created)}</Fact>
          <Fact name="Updated">{timeText(view.updated)}</Fact>
          {view.version !== null && view.version !== '' && <Fact name="Version">{view.version}</Fact>}
          {view.parent !== null && (
            <Fact name="Parent">
              <a href={linkTo(view.parent)}>{view.parent}</a>
            </Fact>
          )}
          {children.length > 0 && (
            <Fact name="Children">
              <ul>
                {children.slice(0, 100).map(({ id, name, status }) => (
                  <li key={id}>
                    <a href={linkTo(id)}>
                      {name} {id}
                    </a>{' '}
                    <span class={`status ${status}`}>{status}</span>
                  </li>
                ))}
                {children.length > 100 && <li>and {children.length - 100} more</li>}
              </ul>
            </Fact>
          )}
        </dl>
        <div class="payloads">
          <Payload title="Input" value={view.input} />
          <Payload title="Output" value={view.output} />
          <Payload title="Custom status" value={view.customStatus} />
        </div>
      </section>
    </>
  );
}

/** The app's time, for what is open: anew with each change, and every ten seconds while the instance runs. */
function useAppNow(live: State, view: InstanceView): number {
  const [tick, setTick] = useState(0);
  const runs = ['Running', 'Pending', 'Suspended'].includes(view.status);
  useEffect(() => {
    if (!runs) return undefined;
    const timer = setInterval(() => setTick((count) => count + 1), 10_000);
    return () => clearInterval(timer);
  }, [runs]);
  return useMemo(() => appNow(live), [view, live.skew, tick]);
}

function Waits({ view, now }: { view: InstanceView; now: number }): VNode | null {
  const { waits, where, status } = view;
  if (waits.length === 0 && where === undefined) return null;
  return (
    <section class="waits" aria-label="What it waits for">
      {waits.length > 0 && (
        <p>
          {status === 'Suspended' ? 'It is suspended, and after that waits' : 'It waits'} for{' '}
          {waits.slice(0, 5).map((wait, index) => (
            <span key={index}>
              {index > 0 && ', and for '}
              {wait.kind === 'subOrchestration' || wait.kind === 'entity' ? (
                <a href={linkTo(wait.instanceId)}>{waitText(wait, now)}</a>
              ) : (
                waitText(wait, now)
              )}
            </span>
          ))}
          {waits.length > 5 && `, and for ${waits.length - 5} more`}.
        </p>
      )}
      {where !== undefined && (
        <p>
          In the code: <code>{where}</code>
        </p>
      )}
    </section>
  );
}

function Diagnostics({ view: { diagnostics } }: { view: InstanceView }): VNode | null {
  if (diagnostics.length === 0) return null;
  return (
    <section class="diagnostics" aria-label="What the log says">
      {diagnostics.map(({ level, at, message }, index) => (
        <p key={index} class={level === 'error' ? 'wrong' : ''}>
          <time dateTime={at}>{timeText(at)}</time> <span class="log">{message}</span>
        </p>
      ))}
    </section>
  );
}

function Fact({ name, children }: { name: string; children: preact.ComponentChildren }): VNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Payload({ title, value }: { title: string; value: unknown }): VNode | null {
  if (value === null || value === undefined) return null;
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <JsonView value={value} />
    </section>
  );
}
