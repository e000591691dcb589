import { z } from 'zod';
import { NoAnswerError, type Payments, type PaymentState } from './port.js';

const answer = z.object({ state: z.enum(['authorised', 'captured', 'declined', 'reversed']) });

/** How long the provider has for an answer, in milliseconds. */
const TIME_LIMIT = 10_000;

/**
 * A payment provider by HTTP. Under `url`: `POST payments` `{ amount, currency, token }` with the header `Idempotency-Key`,
 * `POST payments/{key}/capture`, `POST payments/{key}/reversal`, `GET payments/{key}`. Each answers 2xx with `{ state }`, or 402
 * for a declined payment; `GET` answers 404 when there is none.
 *
 * @param timeLimit of each request, in milliseconds
 */
export function httpPayments(url: string, timeLimit = TIME_LIMIT): Payments {
  const base = url.replace(/\/*$/, '/payments');
  return {
    authorise: ({ key, amount: { amount, currency }, token }) =>
      send('POST', base, key, { amount, currency, token }),
    capture: (key) => send('POST', `${base}/${key}/capture`, `${key}-capture`),
    reverse: (key) => send('POST', `${base}/${key}/reversal`, `${key}-reversal`),
    state: (key) => send('GET', `${base}/${key}`),
  };

  async function send(method: string, to: string, key?: string, body?: object): Promise<PaymentState> {
    const response = await fetch(to, {
      method,
      headers: {
        accept: 'application/json',
        ...(key !== undefined && { 'idempotency-key': key }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeLimit),
    }).catch(noAnswer);
    if (response.status === 402) {
      return 'declined';
    }
    if (method === 'GET' && response.status === 404) {
      return 'none';
    }
    if (response.status >= 500 || response.status === 429 || response.status === 408) {
      return noAnswer(new Error(`status ${response.status}`));
    }
    if (!response.ok) {
      throw new Error(
        `The payment provider answered ${response.status} to ${method} ${new URL(to).pathname}`,
      );
    }
    const parsed = answer.safeParse(await response.json().catch(noAnswer));
    return parsed.success ? parsed.data.state : noAnswer(parsed.error);
  }
}

function noAnswer(cause: unknown): never {
  throw new NoAnswerError('The payment provider gave no answer', { cause });
}
