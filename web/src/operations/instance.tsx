import type { VNode } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { hasEnded, JsonView, Timeline, type Row } from '../../timeline';
import { act, read, type Action, type Shown } from './api';
import { Actions } from './actions';
import type { Attempt } from '../attempt';
import { findChild } from './children';

/** How often a running instance is read again, in milliseconds; less often when that takes long. */
const INTERVAL = 3000;

/** One instance: its state, what can be done with it, and its history. */
export function InstanceView({ id, attempt }: { id: string; attempt: Attempt }): VNode {
  const [instance, setInstance] = useState<Shown>();
  const [nested, setNested] = useState<ReadonlyMap<string, Shown>>(new Map());
  const [purged, setPurged] = useState(false);
  const [now, setNow] = useState(Date.now);
  /** Whether inputs and outputs were asked for. */
  const payloads = useRef(false);
  const heading = useRef<HTMLHeadingElement>(null);

  const look = useCallback(async (): Promise<boolean> => {
    return attempt(async () => {
      setInstance(await read(id, payloads.current));
      setNow(Date.now());
    });
  }, [id, attempt]);

  useEffect(() => heading.current?.focus(), [instance === undefined]);
  useEffect(() => void look(), [look]);
  const runs = instance !== undefined && !hasEnded(instance.runtimeStatus) && !purged;
  useEffect(() => {
    if (!runs) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOpen = true;
    const wait = (interval: number): void => {
      timer = setTimeout(() => {
        const began = performance.now();
        void (document.hidden ? Promise.resolve(true) : look()).then(() => {
          if (isOpen) wait(Math.max(INTERVAL, 10 * (performance.now() - began)));
        });
      }, interval);
    };
    wait(INTERVAL);
    return () => {
      isOpen = false;
      clearTimeout(timer);
    };
  }, [runs, look]);

  const loadPayloads = async (): Promise<void> => {
    payloads.current = true;
    await look();
    await attempt(async () => {
      const whole = await Promise.all(
        [...nested].map(async ([key, child]) => [key, await read(child.instanceId, true)] as const),
      );
      setNested(new Map(whole));
    });
  };

  const toggle = (row: Row, expand: boolean): void => {
    if (!expand) {
      setNested(new Map([...nested].filter(([key]) => key !== row.key && !key.startsWith(`${row.key}/`))));
      return;
    }
    void attempt(async () => {
      const parentKey = row.key.split('/').slice(0, -1).join('/');
      const shown = parentKey === '' ? instance! : nested.get(parentKey)!;
      // Several children may have the same name and time: their inputs tell them apart.
      const parent = shown.payloads ? shown : await read(shown.instanceId, true);
      const child = await findChild(
        row,
        parent,
        new Set([...nested.values()].map((other) => other.instanceId)),
      );
      if (child === undefined) throw new Error(`The hub has no instance of ${row.label} any more.`);
      setNested((before) => new Map(before).set(row.key, child));
    });
  };

  const run = async (action: Action, reason: string): Promise<boolean> => {
    const done = await attempt(() => act(id, action, reason));
    if (done && action === 'purge') setPurged(true);
    else if (done) await look();
    return done;
  };

  return (
    <article class="instance" aria-labelledby="instance">
      <p>
        <a href="#">All instances</a>
      </p>
      <h2 id="instance" ref={heading} tabIndex={-1}>
        {instance?.name ?? 'Instance'} <span class="id">{id}</span>
      </h2>
      {purged && <p class="notice">It is purged: the hub has nothing of it any more.</p>}
      {instance && !purged && (
        <>
          <div class="bar">
            <p role="status">
              <span class={`state ${instance.runtimeStatus}`}>{instance.runtimeStatus}</span>, created{' '}
              {new Date(instance.createdTime).toLocaleString()}, last change{' '}
              {new Date(instance.lastUpdatedTime).toLocaleString()}
            </p>
            <button type="button" onClick={() => void look()}>
              Refresh
            </button>
          </div>
          <Actions status={instance.runtimeStatus} run={run} />
          {instance.customStatus !== null && instance.customStatus !== undefined && (
            <section aria-labelledby="custom">
              <h3 id="custom">Custom status</h3>
              <JsonView value={instance.customStatus} />
            </section>
          )}
          <Timeline
            instance={instance}
            now={now}
            nested={nested}
            onToggle={toggle}
            onOpen={(other) => {
              location.hash = `#${encodeURIComponent(other)}`;
            }}
            {...(!instance.payloads && { onPayloads: () => void loadPayloads() })}
          />
        </>
      )}
    </article>
  );
}
