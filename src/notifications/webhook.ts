import { secretSetting } from '../links/index.js';
import { retryAfter, type Outcome } from './rules.js';
import { shapes, type Sent } from './shapes.js';

/** How long the webhook may take for its answer, in milliseconds. */
const PATIENCE = 10_000;

/** Statuses after which the same request may succeed. */
const TRANSIENT = new Set([408, 425, 429]);

/** The address to which messages are posted; `undefined` when it is not set. @throws Error when it is wrong */
export function webhook(): URL | undefined {
  const address = secretSetting('NOTIFICATION_WEBHOOK_URL');
  if (address === undefined) return undefined;
  const url = URL.parse(address);
  // The address is a secret: whoever has it can post.
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Error('NOTIFICATION_WEBHOOK_URL is no address');
  return url;
}

/**
 * Posts a message to a webhook.
 *
 * @throws Error when the setting `NOTIFICATION_FORMAT` is wrong
 */
export async function post(url: URL, message: Sent, patience = PATIENCE): Promise<Outcome> {
  const shape = process.env['NOTIFICATION_FORMAT'] || 'teams';
  if (shape !== 'teams' && shape !== 'slack')
    throw new Error('NOTIFICATION_FORMAT is neither teams nor slack');
  const body = shapes[shape](message);
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
      // The message would go where nobody has sent it.
      redirect: 'manual',
      signal: AbortSignal.timeout(patience),
    });
    await response.body?.cancel();
  } catch (error) {
    return { delivered: false, reason: reasonOf(error), again: true };
  }
  const { ok, status, headers } = response;
  if (ok) return { delivered: true };
  return {
    delivered: false,
    reason: `the webhook answered ${status}`,
    again: status >= 500 || TRANSIENT.has(status),
    retryAfter: retryAfter(headers.get('retry-after'), Date.now()),
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return 'the webhook gave no answer in time';
  const { code } = ((error as Error).cause ?? {}) as { code?: string };
  return `the webhook could not be reached (${code ?? 'unknown'})`;
}
