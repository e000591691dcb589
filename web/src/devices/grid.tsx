import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { device as read, healths, type Device } from './api';

const marks = { healthy: '', unhealthy: '!', silent: '×', unknown: '?' } as const;

/**
 * The fleet, a cell a device: its colour and its sign are its health, and a bar marks the firmware of the rollout
 * that is shown. Arrow keys move between cells.
 */
export function Grid({
  devices,
  more,
  firmware,
}: {
  devices: Device[];
  more: boolean;
  firmware: string | undefined;
}): VNode {
  const [current, setCurrent] = useState(0);
  const [chosen, setChosen] = useState<string>();
  const list = useRef<HTMLUListElement>(null);

  const move = (event: KeyboardEvent): void => {
    const cells = [...(list.current?.querySelectorAll('button') ?? [])];
    const top = cells[0]?.offsetTop;
    const columns = Math.max(1, cells.filter(({ offsetTop }) => offsetTop === top).length);
    const steps: Record<string, number> = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: columns,
      ArrowUp: -columns,
      Home: -current,
      End: cells.length - 1 - current,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.min(cells.length - 1, Math.max(0, current + step));
    setCurrent(next);
    cells[next]?.focus();
  };

  return (
    <section class="panel" aria-labelledby="fleet">
      <h2 id="fleet">The fleet</h2>
      <ul class="legend" aria-label="Devices by health">
        {healths.map((health) => (
          <li key={health}>
            <span class={`cell ${health}`} aria-hidden="true">
              {marks[health]}
            </span>{' '}
            {devices.filter((each) => each.health === health).length} {health}
          </li>
        ))}
        {firmware !== undefined && (
          <li>
            <span class="cell new" aria-hidden="true" />{' '}
            {devices.filter((each) => each.firmware === firmware).length} with {firmware}
          </li>
        )}
      </ul>
      <ul class="grid" ref={list} onKeyDown={move} aria-label="Devices">
        {devices.map(({ id, health, firmware: has }, number) => (
          <li key={id}>
            <button
              type="button"
              class={`cell ${health}${has !== undefined && has === firmware ? ' new' : ''}`}
              tabIndex={number === Math.min(current, devices.length - 1) ? 0 : -1}
              aria-label={`${id}: ${health}, ${has === undefined ? 'firmware unknown' : `firmware ${has}`}`}
              aria-pressed={id === chosen}
              title={id}
              onClick={() => {
                setCurrent(number);
                setChosen(id === chosen ? undefined : id);
              }}
            >
              {marks[health]}
            </button>
          </li>
        ))}
      </ul>
      {more && <p class="quiet">There are more devices than the page shows.</p>}
      {chosen !== undefined && (
        <Details id={chosen} seen={JSON.stringify(devices.find(({ id }) => id === chosen))} />
      )}
    </section>
  );
}

/**
 * A device with its last reading.
 *
 * @param seen changes when the device does; then it is read again
 */
function Details({ id, seen }: { id: string; seen: string | undefined }): VNode {
  const [found, setFound] = useState<Device>();
  const [trouble, setTrouble] = useState<string>();
  useEffect(() => {
    read(id).then(setFound, (error: unknown) => setTrouble(String(error)));
  }, [id, seen]);
  const { lastReading } = found ?? {};
  return (
    <section class="details" aria-labelledby="device" role="status">
      <h3 id="device">{id}</h3>
      {trouble && <p class="error">{trouble}</p>}
      {found && (
        <dl>
          <dt>Health</dt>
          <dd>{found.health}</dd>
          <dt>Firmware</dt>
          <dd>{found.firmware ?? 'unknown'}</dd>
          <dt>Last reading</dt>
          <dd>
            {lastReading === undefined
              ? 'none yet'
              : `${new Date(lastReading.receivedAt).toLocaleString()}: ${Object.entries(lastReading.metrics)
                  .map(([name, value]) => `${name} ${value}`)
                  .join(', ')}`}
          </dd>
        </dl>
      )}
    </section>
  );
}
