import { app } from '@azure/functions';
import { observe } from './observe.js';
import { startSdk, type Instruments } from './sdk.js';
import type { Destinations } from './settings.js';

/** Starts telemetry, and attaches it to the functions. */
export async function start(to: Destinations): Promise<Instruments> {
  const instruments = await startSdk(to);
  // The host keeps what functions log to itself, then: it would send on whole texts, and we send what is safe.
  app.setup({ capabilities: { WorkerOpenTelemetryEnabled: true } });
  observe(instruments);
  app.hook.appTerminate(() => instruments.flush());
  return instruments;
}
