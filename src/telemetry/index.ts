/**
 * Telemetry by OpenTelemetry. If a setting names a destination (see settings.ts), importing this module
 * starts it, before the host calls the first function. Without such a setting, none of its code is loaded.
 */
import type { Counter } from '@opentelemetry/api';
import { destinations } from './settings.js';

const to = destinations(process.env);
const started = to === undefined ? undefined : await import('./start.js').then(({ start }) => start(to));

/** Sends everything written so far. */
export async function flush(): Promise<void> {
  await started?.flush();
}

const counters = new Map<string, Counter>();

/** Adds to the metric of that name, if telemetry is on. */
export function count(metric: string, by: number, attributes: Readonly<Record<string, string>> = {}): void {
  if (started === undefined) return;
  const counter = counters.get(metric) ?? started.meter.createCounter(metric);
  counters.set(metric, counter);
  counter.add(by, attributes);
}
