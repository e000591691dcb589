import { app, type InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { z } from 'zod';
import { notify, operator } from '../notifications/index.js';
import { triggerQueue } from '../storage/index.js';
import { dispatched } from './rules.js';
import { changeOrder, DISPATCH } from './store.js';
import { goOnWithOrder } from './workflows.js';

const message = z.object({ orderId: z.string() });

/** Sends an order. A repeated message, or one about an order that is being undone, changes nothing. */
export async function dispatch(queued: unknown, context: InvocationContext): Promise<void> {
  const { orderId } = message.parse(queued);
  const order = await changeOrder(orderId, dispatched);
  await goOnWithOrder(df.getClient(context), order);
}

/** Reports a message that could not be processed. The order's workflow asks dispatch again later, and undoes the order in the end. */
export async function reportPoison(queued: unknown, context: InvocationContext): Promise<void> {
  const { data } = message.safeParse(queued);
  context.error('A message to dispatch could not be processed', queued);
  await notify(
    {
      to: operator(),
      subject: 'A message to dispatch could not be processed',
      text: `It is: ${JSON.stringify(queued)?.slice(0, 1000)}\n\nAn order that is not dispatched asks again by itself.`,
      about: data === undefined ? `queue ${DISPATCH}` : `/api/orders/${data.orderId}`,
      key: `dispatch-poison-${context.triggerMetadata?.['id'] as string}`,
    },
    context,
  );
}

app.storageQueue('Dispatch', {
  queueName: triggerQueue(DISPATCH),
  connection: 'AppStorage',
  extraInputs: [df.input.durableClient()],
  handler: dispatch,
});
app.storageQueue('DispatchPoison', {
  queueName: triggerQueue(`${DISPATCH}-poison`),
  connection: 'AppStorage',
  handler: reportPoison,
});
