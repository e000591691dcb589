import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { Device, Wanted } from './api';

/** Asks for a rollout to all devices, or to those with a firmware. */
export function Start({ devices, start }: { devices: Device[]; start: (wanted: Wanted) => void }): VNode {
  const [firmware, setFirmware] = useState('');
  const [from, setFrom] = useState('');
  const [waves, setWaves] = useState('1, 10%, 50%, 100%');
  const [share, setShare] = useState('10%');
  const [soak, setSoak] = useState('PT20S');
  const versions = [...new Set(devices.flatMap(({ firmware: has }) => (has ? [has] : [])))].toSorted();
  return (
    <section class="panel" aria-labelledby="start">
      <h2 id="start">Roll out firmware</h2>
      <form
        class="start"
        onSubmit={(event) => {
          event.preventDefault();
          start({
            firmware: firmware.trim(),
            devices: from === '' ? {} : { firmware: from },
            waves: waves.split(',').map((wave) => (wave.includes('%') ? wave.trim() : Number(wave))),
            maxFailureShare: share.trim(),
            soak: soak.trim(),
          });
        }}
      >
        <label for="firmware">Firmware</label>
        <input
          id="firmware"
          required
          placeholder="2.0.0"
          value={firmware}
          onInput={({ currentTarget }) => setFirmware(currentTarget.value)}
        />
        <label for="from">To devices</label>
        <select id="from" value={from} onChange={({ currentTarget }) => setFrom(currentTarget.value)}>
          <option value="">all</option>
          {versions.map((version) => (
            <option key={version} value={version}>
              with {version}
            </option>
          ))}
        </select>
        <label for="waves">Ends of the waves</label>
        <input id="waves" value={waves} onInput={({ currentTarget }) => setWaves(currentTarget.value)} />
        <label for="share">Devices of a wave that may fail</label>
        <input id="share" value={share} onInput={({ currentTarget }) => setShare(currentTarget.value)} />
        <label for="soak">Soak after each wave, as an ISO 8601 duration</label>
        <input id="soak" value={soak} onInput={({ currentTarget }) => setSoak(currentTarget.value)} />
        <button type="submit" class="primary">
          Start
        </button>
      </form>
    </section>
  );
}
