/** Chains of three activities on the Azure Storage hub. */
import type * as Hub from '../../emulator/src/durable/azure-storage/hub.js';
import type * as Emulator from '../../emulator/src/emulator.js';
import { APP, built, median, report, timed, withAzurite } from '../measure.ts';

const { startEmulator } = await built<typeof Emulator>('emulator.js');

await withAzurite(async (storage) => {
  const emulator = await startEmulator({ app: APP, port: 0, storage });
  const hub = emulator.hub as Hub.AzureStorageHub;
  const { engine } = emulator.host;

  const completed = new Set<string>();
  const waiting = new Map<string, () => void>();
  engine.onChange(({ instanceId, runtimeStatus }) => {
    if (runtimeStatus !== 'Completed') return;
    completed.add(instanceId);
    waiting.get(instanceId)?.();
  });
  /** Starts a chain over HTTP and waits until the engine reports its completion. */
  const chain = async (): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${emulator.port}/api/orchestrators/chain`, {
      method: 'POST',
    });
    const { id } = (await response.json()) as { id: string };
    if (!completed.has(id))
      await new Promise<void>((resolve) => {
        waiting.set(id, resolve);
      });
  };

  for (let warmUp = 0; warmUp < 20; warmUp++) await chain();
  await engine.whenQuiet();
  const before = hub.requests;
  const times: number[] = [];
  for (let run = 0; run < 50; run++) times.push(await timed(chain));
  await engine.whenQuiet();
  const requests = (hub.requests - before) / 50;
  report({
    name: 'chain on storage, alone',
    value: median(times),
    unit: 'ms',
    target: 60,
    better: 'lower',
    method:
      'median of 50, one at a time after 20; from POST to the commit that completes it; Azurite on disk',
  });
  report({
    name: 'storage requests a chain',
    value: requests,
    unit: '',
    target: 15,
    better: 'lower',
    method: 'mean of those 50',
  });

  const together = await timed(() => Promise.all(Array.from({ length: 200 }, chain)));
  report({
    name: 'chains on storage, 200 at once',
    value: 200 / (together / 1000),
    unit: 'per second',
    target: 30,
    better: 'higher',
    method: '200 POSTs at once, to the last completion',
  });
  await emulator.stop();
});
process.exit(0);
