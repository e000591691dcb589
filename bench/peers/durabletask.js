/** Microsoft's durabletask-js on its backend in memory, which is for tests. It does not skip time. */
import {
  InMemoryOrchestrationBackend,
  TestOrchestrationClient,
  TestOrchestrationWorker,
  whenAll,
} from '@microsoft/durabletask-js';

const hello = async (_, name) => `Hello, ${name}!`;
const HISTORY = 100_000;
/** In seconds. */
const LIMIT = 3600;

export async function start() {
  const backend = new InMemoryOrchestrationBackend(HISTORY);
  const client = new TestOrchestrationClient(backend);
  const worker = new TestOrchestrationWorker(backend);
  worker.addNamedActivity('hello', hello);
  worker.addNamedOrchestrator('chain', async function* (context) {
    for (const city of ['Tokyo', 'Seattle', 'London']) yield context.callActivity('hello', city);
  });
  worker.addNamedOrchestrator('steps', async function* (context, count) {
    for (let number = 0; number < count; number++) yield context.callActivity('hello', number);
  });
  worker.addNamedOrchestrator('fanOut', async function* (context, width) {
    yield whenAll(Array.from({ length: width }, (_, number) => context.callActivity('hello', number)));
  });
  worker.addNamedOrchestrator('wait', async function* (context) {
    yield context.waitForExternalEvent('Go');
  });
  await worker.start();
  const run = async (name, input) => {
    const id = await client.scheduleNewOrchestration(name, input);
    const state = await client.waitForOrchestrationCompletion(id, true, LIMIT);
    if (state?.failureDetails !== undefined) throw new Error(state.failureDetails.message);
  };
  return {
    chain: () => run('chain'),
    fanOut: (width) => run('fanOut', width),
    steps: (count) => run('steps', count),
    waiting: async (count) => {
      for (let number = 0; number < count; number++) await client.scheduleNewOrchestration('wait');
    },
    stop: () => worker.stop(),
  };
}
