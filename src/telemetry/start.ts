import { app } from '@azure/functions';
import { observe } from './observe.js';
import { startSdk, type Instruments } from './sdk.js';
import type { Destinations } from './settings.js';

/** Starts telemetry, and attaches it to the functions. */
export async function start(to: Destinations): Promise<Instruments> {
  const instruments = await startSdk(to);
  // Makes the host keep the functions' log lines: it would send whole texts, and the app sends templates
  // only.
  app.setup({ capabilities: { WorkerOpenTelemetryEnabled: true } });
  observe(instruments);
  app.hook.appTerminate(() => instruments.flush());
  return instruments;
}
