import type { Lane, Span, WaveEnd } from './model.js';

/**
 * The waves of a rollout over so many devices. Each ends at a number of devices, or at a share of all, rounded
 * up; no wave ends before another one, or after the last device. Waves without devices are left out.
 *
 * @example
 * wavesOf([1, '10%', '100%'], 40); // [{ from: 0, to: 1 }, { from: 1, to: 4 }, { from: 4, to: 40 }]
 */
export function wavesOf(ends: readonly WaveEnd[], devices: number): Span[] {
  const waves: Span[] = [];
  for (const end of ends) {
    const from = waves.at(-1)?.to ?? 0;
    const to = Math.min(devices, typeof end === 'number' ? end : shareOf(end, devices));
    if (to > from) waves.push({ from, to });
  }
  return waves;
}

/** In thousandths of a percent, so that 10% of 30 is 3: 30 * 0.1 is more than that. */
function shareOf(end: string, devices: number): number {
  return Math.ceil((Math.round(parseFloat(end) * 1000) * devices) / 100_000);
}

/** The number of the wave of a device, from 0; `undefined` when no wave reaches it. */
export function waveOf(waves: readonly Span[], index: number): number | undefined {
  const wave = waves.findIndex(({ to }) => index < to);
  return wave === -1 ? undefined : wave;
}

/** The lanes of a wave: together they contain each device once. */
export function lanesOf({ from, to }: Span, maxParallel: number): Lane[] {
  const stride = Math.min(maxParallel, to - from);
  return Array.from({ length: stride }, (_, lane) => ({ from: from + lane, to, stride }));
}
