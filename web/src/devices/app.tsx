import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useAttempts } from '../attempt';
import { KeyForm } from '../key-form';
import { Alerts } from './alerts';
import * as api from './api';
import { Grid } from './grid';
import { RolloutPanel } from './rollout';
import { Start } from './start';

/** How often the page looks, in milliseconds. */
const INTERVAL = 1500;
/** The page reads about so many devices a look: a large fleet less often. */
const DEVICES_A_LOOK = 200;

/** The rollout that the address names: `/devices#rollout-...`. */
const named = (): string | undefined => /^#(rollout-[\da-f]{32})$/.exec(location.hash)?.[1];

interface Seen {
  devices: api.Device[];
  more: boolean;
  alerts: api.Alert[];
  rollouts: api.Summary[];
}

export function App(): VNode {
  const [seen, setSeen] = useState<Seen>();
  const [id, setId] = useState(named);
  const [rollout, setRollout] = useState<api.Rollout>();
  const { attempt, trouble, needsKey, keyKept } = useAttempts();

  useEffect(() => {
    const change = (): void => setId(named());
    addEventListener('hashchange', change);
    return () => removeEventListener('hashchange', change);
  }, []);

  useEffect(() => {
    if (needsKey) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOpen = true;
    let pause = 0;
    const look = async (number: number): Promise<void> => {
      if (!document.hidden || number === 0)
        await attempt(async () => {
          const [list, alerts, fleet] = await Promise.all([
            api.rollouts(),
            api.alerts(),
            pause-- <= 0 ? api.fleet() : undefined,
          ]);
          if (fleet) pause = Math.ceil(fleet.devices.length / DEVICES_A_LOOK) - 1;
          const shown = id ?? list[0]?.id;
          const details = shown === undefined ? undefined : await api.rollout(shown);
          if (!isOpen) return;
          setSeen((before) => ({
            devices: [],
            more: false,
            ...before,
            ...fleet,
            alerts,
            rollouts: list,
          }));
          setRollout(details);
        });
      if (isOpen) timer = setTimeout(() => void look(number + 1), INTERVAL);
    };
    void look(0);
    return () => {
      isOpen = false;
      clearTimeout(timer);
    };
  }, [id, needsKey, attempt]);

  const begin = (wanted: api.Wanted): void =>
    void attempt(async () => {
      const begun = await api.start(wanted);
      history.replaceState(null, '', `#${begun.id}`);
      setRollout(begun);
      setId(begun.id);
    });

  const steer = (what: 'pause' | 'resume' | 'abort', more?: { rollBack: boolean }): void =>
    void attempt(async () => {
      if (rollout) setRollout(await api.steer(rollout.id, what, more));
    });

  return (
    <main>
      <header>
        <h1>Devices</h1>
        <p class="lead">
          Each device has a workflow that notices when it is silent or too hot. Another one rolls out firmware
          in waves, and stops when too many devices fail.
        </p>
      </header>
      <div role="alert">{trouble && <p class="notice error">{trouble}</p>}</div>
      {needsKey ? (
        <KeyForm of="Devices" kept={keyKept} />
      ) : seen === undefined ? (
        <p class="quiet">Looking…</p>
      ) : seen.devices.length === 0 ? (
        <section class="panel" aria-labelledby="empty">
          <h2 id="empty">There are no devices yet</h2>
          <p>
            Simulate some: <code>npm run fleet -- --devices 200 --failing 5%</code>
          </p>
        </section>
      ) : (
        <>
          <Grid devices={seen.devices} more={seen.more} firmware={rollout?.firmware} />
          <Alerts alerts={seen.alerts} />
          {rollout && (
            <RolloutPanel key={rollout.id} rollout={rollout} others={seen.rollouts} steer={steer} />
          )}
          <Start devices={seen.devices} start={begin} />
        </>
      )}
    </main>
  );
}
