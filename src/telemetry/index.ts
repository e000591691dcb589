/**
 * What the app tells of itself, by OpenTelemetry. Importing this starts it where a setting asks for it (see
 * settings.ts), before the host calls the first function; without one, nothing of it is loaded. Features know
 * nothing of it.
 */
import { destinations } from './settings.js';

const to = destinations(process.env);
const started = to === undefined ? undefined : await import('./start.js').then(({ start }) => start(to));

/** Hands over all that was written so far. */
export async function flush(): Promise<void> {
  await started?.flush();
}
