/** AWS Lambda durable functions: their test runner, which runs a function in this process. */
import { withDurableExecution } from '@aws/durable-execution-sdk-js';
import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';

const hello = (name) => async () => `Hello, ${name}!`;
const SLEEP = 4.5 * 86_400;

const handler = withDurableExecution(async ({ what, count }, context) => {
  if (what === 'chain')
    for (const city of ['Tokyo', 'Seattle', 'London']) await context.step(city, hello(city));
  if (what === 'steps')
    for (let number = 0; number < count; number++) await context.step(`hello ${number}`, hello(number));
  if (what === 'fanOut')
    await Promise.all(
      Array.from({ length: count }, (_, number) => context.step(`hello ${number}`, hello(number))),
    );
  if (what === 'wait') await context.wait({ days: 1 });
  if (what === 'reminders')
    for (let number = 0; number < 10; number++) {
      await context.wait({ seconds: SLEEP });
      await context.step(`hello ${number}`, hello(number));
    }
});

export async function start(_, row) {
  await LocalDurableTestRunner.setupTestEnvironment({ skipTime: row !== 'waiting' });
  const run = async (payload) => {
    const execution = await new LocalDurableTestRunner({ handlerFunction: handler }).run({ payload });
    if (execution.getStatus() !== 'SUCCEEDED') throw new Error(`It ended ${execution.getStatus()}.`);
  };
  return {
    chain: () => run({ what: 'chain' }),
    fanOut: (count) => run({ what: 'fanOut', count }),
    steps: (count) => run({ what: 'steps', count }),
    waiting: async (count) => {
      for (let number = 0; number < count; number++) run({ what: 'wait' }).catch(() => {});
    },
    reminders: () => run({ what: 'reminders' }),
  };
}
