/**
 * What the app tells of itself, by OpenTelemetry. Importing this starts it where a setting asks for it (see
 * settings.ts), before the host calls the first function; without one, nothing of it is loaded. Features know
 * nothing of it.
 */
import type { Counter } from '@opentelemetry/api';
import { destinations } from './settings.js';

const to = destinations(process.env);
const started = to === undefined ? undefined : await import('./start.js').then(({ start }) => start(to));

/** Hands over all that was written so far. */
export async function flush(): Promise<void> {
  await started?.flush();
}

const counters = new Map<string, Counter>();

/** Counts something for the operators: a metric of that name, if telemetry is on. */
export function count(metric: string, by: number, attributes: Readonly<Record<string, string>> = {}): void {
  if (started === undefined) return;
  const counter = counters.get(metric) ?? started.meter.createCounter(metric);
  counters.set(metric, counter);
  counter.add(by, attributes);
}
