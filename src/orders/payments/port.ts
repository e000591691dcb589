import type { Money } from '../model.js';

/** What an order asks the payment provider for. */
export interface PaymentRequest {
  /** The order's id: the provider's idempotency key. Whatever is asked twice under one key happens once. */
  key: string;
  amount: Money;
  /** What the provider knows the buyer's means of payment by. */
  token: string;
}

/**
 * How a payment is: `none` was never asked for, `authorised` is promised, `captured` is paid, `declined` was refused,
 * `reversed` was given back or never will be paid.
 */
export type PaymentState = 'none' | 'authorised' | 'captured' | 'declined' | 'reversed';

/**
 * A payment provider. Each operation returns the payment's state after it; a declined payment is a state, not an error.
 *
 * @throws {NoAnswerError} when the provider may have done it or not: ask for the `state`
 */
export interface Payments {
  /** Promises the amount. A payment that was reversed stays so. */
  authorise(payment: PaymentRequest): Promise<PaymentState>;
  /** Takes the money that was promised. */
  capture(key: string): Promise<PaymentState>;
  /** Gives back what was promised or taken. Nothing can be authorised or captured under this key afterwards. */
  reverse(key: string): Promise<PaymentState>;
  /** Asks how a payment is. */
  state(key: string): Promise<PaymentState>;
}

/** No answer came, or none in time. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/** Does something with a payment; when the answer is lost, asks how the payment is. */
export async function sure(
  payments: Payments,
  key: string,
  operation: () => Promise<PaymentState>,
): Promise<PaymentState> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof NoAnswerError) {
      return payments.state(key);
    }
    throw error;
  }
}
