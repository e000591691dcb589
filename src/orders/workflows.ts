import type { DurableClient } from 'durable-functions';
import moment from 'moment';
import { ensureRunning } from '../durable/index.js';
import type { Purgeable, Supervised } from '../supervision/index.js';
import type { Order, Receipt } from './model.js';
import { changed, orderOrchestrator, receiptOrchestrator } from './orchestrators.js';
import { isOver, planOf, watched } from './rules.js';
import { orders, receipts } from './store.js';

/**
 * Makes sure that the workflow of an order runs, and reads its record; unless the order is over. `isNew`: the record was
 * inserted just now.
 */
export async function goOnWithOrder(
  client: DurableClient,
  order: Order,
  { isNew = false }: { isNew?: boolean } = {},
): Promise<void> {
  if (isOver(order)) {
    return;
  }
  const { id } = order;
  await ensureRunning(client, orderOrchestrator, {
    instanceId: id,
    input: { id, plan: planOf(order) },
    isNew,
    // One that waits for an approval has nothing to read until that ends.
    ...(order.stage !== 'approving' && { wake: changed }),
  });
}

/** Makes sure that the workflow of a receipt runs, unless it is done. */
export async function goOnWithReceipt(client: DurableClient, { id, state }: Receipt): Promise<void> {
  if (state !== 'closed') {
    await ensureRunning(client, receiptOrchestrator, { instanceId: id, input: { id } });
  }
}

/** Orders whose workflow is late: it failed, was terminated or never started, or an operator is needed. */
export const supervisedOrders: Supervised = {
  name: 'orders',
  records: orders,
  async goOn(client, id) {
    const order = await orders.read(id);
    if (order !== undefined) {
      await goOnWithOrder(client, order);
      await orders.change(id, (current) => watched(current, moment.utc()));
    }
  },
};

/** Receipts that the stock has not counted in time. */
export const supervisedReceipts: Supervised = {
  name: 'receipts',
  records: receipts,
  async goOn(client, id) {
    const receipt = await receipts.read(id);
    if (receipt !== undefined) {
      await goOnWithReceipt(client, receipt);
    }
  },
};

/** Orders in which nothing has to happen any more, and receipts that the stock has counted. */
export const purgeableOrders: Purgeable = { name: 'orders', records: orders };
export const purgeableReceipts: Purgeable = { name: 'receipts', records: receipts };
