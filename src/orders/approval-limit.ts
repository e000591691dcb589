import { DEFAULT_APPROVAL_LIMIT } from './model.js';

/**
 * Orders over this total, in minor units, need an approval: the setting `ORDER_APPROVAL_LIMIT`. It is read at
 * the checkout and recorded in the order, so a later mistake in the setting does not end orders.
 *
 * @throws Error when it is not a whole number
 */
export function approvalLimit(): number {
  const { ORDER_APPROVAL_LIMIT: setting } = process.env;
  const limit = Number(setting ?? DEFAULT_APPROVAL_LIMIT);
  if (!Number.isSafeInteger(limit) || limit < 0 || setting?.trim() === '') {
    throw new Error(`ORDER_APPROVAL_LIMIT must be a whole number of minor units, not '${setting}'`);
  }
  return limit;
}
