/** How orders are paid: a port, and two adapters. */
import { httpPayments } from './http.js';
import { localPayments } from './local.js';
import type { Payments } from './port.js';

export { sure, type PaymentState } from './port.js';

/** The provider at `PAYMENTS_URL`; without that setting, the local one. */
export function payments(): Payments {
  const { PAYMENTS_URL: url } = process.env;
  return url ? httpPayments(url) : localPayments;
}
