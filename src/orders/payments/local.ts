import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { recordStore } from '../../storage/index.js';
import { NoAnswerError, type PaymentRequest, type Payments } from './port.js';

const payment = z.object({
  id: z.string(),
  token: z.string(),
  amount: z.int(),
  currency: z.string(),
  state: z.enum(['none', 'authorised', 'captured', 'declined', 'reversed']),
  /** How often its authorisation has failed. */
  failures: z.int(),
});
type Payment = z.infer<typeof payment>;

/** The ledger: what each order's payment is. Its captured rows are the money that was taken. */
const ledger = recordStore({ table: 'Payments', schema: payment });

/** How long an answer may take, in milliseconds. */
const TIME_LIMIT = 500;

/**
 * A payment provider in the app's own storage, for development and tests. It does what the token says: `pays`; `declines`, as every
 * token does that it does not know; `fails-twice`, and then pays; `hangs`, and never answers; `loses-answer`: takes the money, and
 * its answers to that are lost.
 */
export const localPayments: Payments = {
  async authorise({ key, amount, token }: PaymentRequest) {
    await ledger.insert({ id: key, token, ...amount, state: 'none', failures: 0 });
    const { state } = await changed(key, authorised);
    if (token === 'hangs') {
      await sleep(TIME_LIMIT);
      throw new NoAnswerError(`No answer within ${TIME_LIMIT} ms`);
    }
    if (state === 'none') {
      throw new Error('The payment provider is out of order');
    }
    return answered(token, state);
  },

  async capture(key) {
    const { token, state } = await changed(key, (entry) =>
      entry.state === 'authorised' ? { ...entry, state: 'captured' } : entry,
    );
    return answered(token, state);
  },

  async reverse(key) {
    // Also what was never asked for: an authorisation that comes later finds it.
    await ledger.insert({ id: key, token: '', amount: 0, currency: '', state: 'reversed', failures: 0 });
    const { state } = await changed(key, (entry) =>
      entry.state === 'declined' || entry.state === 'reversed' ? entry : { ...entry, state: 'reversed' },
    );
    return state;
  },

  async state(key) {
    return (await ledger.read(key))?.state ?? 'none';
  },
};

function authorised(entry: Payment): Payment {
  if (entry.state !== 'none') {
    return entry;
  }
  switch (entry.token) {
    case 'pays':
    case 'loses-answer':
      return { ...entry, state: 'authorised' };
    case 'fails-twice':
      return entry.failures < 2
        ? { ...entry, failures: entry.failures + 1 }
        : { ...entry, state: 'authorised' };
    case 'hangs':
      return entry;
    default:
      return { ...entry, state: 'declined' };
  }
}

function answered(token: string, state: Payment['state']): Payment['state'] {
  if (token === 'loses-answer') {
    throw new NoAnswerError('The answer was lost');
  }
  return state;
}

async function changed(key: string, rule: (entry: Payment) => Payment): Promise<Payment> {
  const result = await ledger.change(key, rule);
  if (result === undefined || !('record' in result)) {
    throw new Error(`There is no payment ${key}`);
  }
  return result.record;
}
