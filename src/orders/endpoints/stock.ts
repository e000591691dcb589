import { createHash } from 'node:crypto';
import type { HttpRequest } from '@azure/functions';
import * as df from 'durable-functions';
import moment from 'moment';
import {
  accepted,
  check,
  eventually,
  notFound,
  Problem,
  readJson,
  withProblems,
  type Handler,
} from '../../http/index.js';
import { productOf } from '../catalogue.js';
import { stock } from '../entities.js';
import { receiptRequest } from '../model.js';
import { levels } from '../stock-rules.js';
import { receipts } from '../store.js';
import { goOnWithReceipt } from '../workflows.js';

/** `GET /api/stock/{sku}` */
export const getStock: Handler = async (request, client) => {
  const sku = skuOf(request);
  return { jsonBody: { sku, ...levels(await stock.read(client, sku)) } };
};

/** `POST /api/stock/{sku}/receipts` `{ receiptId, quantity }`: answers as soon as it is counted, or after some seconds. */
export const receiveGoods: Handler = async (request, client) => {
  const sku = skuOf(request);
  const { receiptId, quantity } = check(receiptRequest, await readJson(request));
  const at = moment.utc();
  const id = `receipt-${createHash('sha256')
    .update(JSON.stringify([sku, receiptId]))
    .digest('hex')
    .slice(0, 32)}`;
  const { record } = await receipts.insert({
    id,
    sku,
    receiptId,
    quantity,
    ticket: at.valueOf(),
    state: 'pending',
    receivedAt: at.toISOString(),
  });
  if (record.quantity !== quantity) {
    throw new Problem(422, 'receipt-reused', `The receipt ${receiptId} had the quantity ${record.quantity}`, {
      detail: 'Send the same receipt again, or give the new one another receiptId.',
    });
  }
  await goOnWithReceipt(client, record);
  const seen = await eventually(
    async () => (await receipts.read(id)) ?? record,
    ({ state }) => state !== 'pending',
  );
  const state = seen.state === 'pending' ? seen.state : 'counted';
  return accepted(`/api/stock/${sku}`, { sku, receiptId, quantity, state, receivedAt: seen.receivedAt });
};

function skuOf(request: HttpRequest): string {
  const sku = request.params['sku'] ?? '';
  if (productOf(sku) === undefined) {
    throw notFound(`There is no product ${sku}. GET /api/catalogue lists them.`);
  }
  return sku;
}

df.app.client.http('GetStock', {
  route: 'api/stock/{sku}',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(getStock),
});
df.app.client.http('ReceiveGoods', {
  route: 'api/stock/{sku}/receipts',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(receiveGoods),
});
