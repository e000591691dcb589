/** Chains and a wide fan-out on the hub in memory, against the SDK alone. */
import type { InvocationRequest } from '../../emulator/src/worker/types.js';
import type * as Emulator from '../../emulator/src/emulator.js';
import { APP, built, report, timed } from '../measure.ts';

const { startEmulator } = await built<typeof Emulator>('emulator.js');
const emulator = await startEmulator({ app: APP, port: 0, storage: 'memory' });
const { engine, worker } = emulator.host;

// The requests that the SDK gets during one chain: four replays and three activities.
const asked: InvocationRequest[] = [];
const invoke = worker.invoke.bind(worker);
worker.invoke = async (request) => {
  asked.push({
    ...request,
    ...(request.triggerValue !== undefined && { triggerValue: JSON.stringify(request.triggerValue) }),
  });
  return invoke(request);
};
await engine.startInstance({ name: 'chain', input: '""' });
await engine.whenQuiet();
worker.invoke = invoke;

const alone = async (): Promise<void> => {
  for (const { triggerValue, ...request } of asked) {
    // A host passes the trigger's data as JSON text.
    const trigger = worker.functions.get(request.functionName)!.trigger.name;
    await invoke(
      triggerValue === undefined
        ? request
        : { ...request, inputData: { [trigger]: { string: triggerValue as string } } },
    );
  }
};
const started = async (): Promise<void> => {
  await engine.startInstance({ name: 'chain', input: '""' });
  await engine.whenQuiet();
};
const called = async (): Promise<void> => {
  await (
    await fetch(`http://127.0.0.1:${emulator.port}/api/orchestrators/chain`, { method: 'POST' })
  ).arrayBuffer();
  await engine.whenQuiet();
};

const RUNS = 1000;
async function each(task: () => Promise<void>): Promise<number> {
  return (
    (await timed(async () => {
      for (let run = 0; run < RUNS; run++) await task();
    })) / RUNS
  );
}
for (const task of [alone, started, called]) await each(task);
// In turns, so that other work of the machine disturbs all of them alike.
const sums = { sdk: 0, client: 0, http: 0 };
for (let turn = 0; turn < 5; turn++) {
  sums.sdk += (await each(alone)) / 5;
  sums.client += (await each(started)) / 5;
  sums.http += (await each(called)) / 5;
}
const method = `mean of 5 times ${RUNS}, warmed, in turns within one process`;
report({
  name: 'chain by the SDK alone',
  value: sums.sdk,
  unit: 'ms',
  better: 'lower',
  method: `${method}; its four replays and three activities, nothing else`,
});
report({
  name: 'chain on the memory hub, through the durable client',
  value: sums.client,
  unit: 'ms',
  better: 'lower',
  method,
});
report({
  name: 'the SDK’s share of that',
  value: (100 * sums.sdk) / sums.client,
  unit: '%',
  target: 50,
  better: 'higher',
  method,
});
report({
  name: 'chain on the memory hub, by HTTP and the SDK’s client',
  value: sums.http,
  unit: 'ms',
  better: 'lower',
  method: `${method}; two HTTP requests each: the starter's, and the SDK client's own to the host`,
});

const wide = await timed(async () => {
  await engine.startInstance({ name: 'fanOut', input: '1000' });
  await engine.whenQuiet();
});
report({
  name: 'fan-out of 1,000 activities, memory hub',
  value: wide / 1000,
  unit: 's',
  target: 1,
  better: 'lower',
  method: 'once, from start to quiet',
});
await emulator.stop();
process.exit(0);
