import path from 'node:path';
import { readConfig } from './config/config.js';

/**
 * `emulator kill-worker`: asks the emulator that runs an app to end the app's process, now or when a function runs
 * next.
 * @throws Error when no emulator does that; the message is one line
 */
export async function killWorker(options: {
  app: string;
  port?: number;
  during: string | undefined;
  key: string | undefined;
}): Promise<void> {
  const { app, port = readConfig(path.resolve(app)).port, during, key } = options;
  const url = new URL(`http://localhost:${port}/admin/emulator/kill-worker`);
  if (during !== undefined) url.searchParams.set('during', during);
  const response = await fetch(url, {
    method: 'POST',
    headers: key === undefined ? {} : { 'x-functions-key': key },
  }).catch((error: unknown) => {
    throw new Error(`No emulator answers on port ${port}.`, { cause: error });
  });
  if (response.status === 401 || response.status === 403)
    throw new Error('The emulator requires the master key: --key.');
  if (response.status !== 202)
    throw new Error(
      during === undefined
        ? `What answers on port ${port} is no emulator.`
        : `The app on port ${port} has no function named '${during}'.`,
    );
  process.stdout.write(
    during === undefined
      ? "The emulator ends the app's process.\n"
      : `The emulator ends the app's process when '${during}' runs next.\n`,
  );
}
