import { createHash } from 'node:crypto';
import type { HttpRequest } from '@azure/functions';
import * as df from 'durable-functions';
import {
  accepted,
  check,
  eventually,
  notFound,
  ownKey,
  readJson,
  withProblems,
  type Handler,
} from '../../http/index.js';
import { keyFor } from '../../storage/index.js';
import type { Cart } from '../cart-rules.js';
import { catalogue, productOf } from '../catalogue.js';
import { cart } from '../entities.js';
import { cartName, quantityRequest } from '../model.js';
import { priced, totalOf } from '../rules.js';

/** `GET /api/catalogue` */
export const getCatalogue: Handler = async () => ({ jsonBody: { value: catalogue } });

/** `GET /api/carts/{cartId}`: a cart that nobody has put anything in is empty. */
export const getCart: Handler = async (request, client) => {
  const { id, key } = cartOf(request);
  return { jsonBody: view(id, await cart.read(client, key)) };
};

/** `PUT /api/carts/{cartId}/items/{sku}` `{ quantity }`: answers as soon as the cart has it, or after some seconds. */
export const putItem: Handler = async (request, client) => {
  const { id, key, location } = cartOf(request);
  const { sku } = productOf(skuOf(request)) ?? noProduct(request);
  const { quantity } = check(quantityRequest, await readJson(request));
  await cart.signal(client, key, 'set', { sku, quantity });
  const after = await eventually(
    () => cart.read(client, key),
    ({ lines, refused }) =>
      [...lines, ...refused].some((line) => line.sku === sku && line.quantity === quantity),
  );
  return accepted(location, view(id, after));
};

/** `DELETE /api/carts/{cartId}/items/{sku}` */
export const deleteItem: Handler = async (request, client) => {
  const { id, key, location } = cartOf(request);
  const sku = skuOf(request);
  const { lines } = await cart.read(client, key);
  if (productOf(sku) === undefined && lines.every((line) => line.sku !== sku)) {
    return noProduct(request);
  }
  await cart.signal(client, key, 'remove', { sku });
  const after = await eventually(
    () => cart.read(client, key),
    (seen) => seen.lines.every((line) => line.sku !== sku),
  );
  return accepted(location, view(id, after));
};

/** `DELETE /api/carts/{cartId}` */
export const clearCart: Handler = async (request, client) => {
  const { id, key, location } = cartOf(request);
  await cart.signal(client, key, 'clear', null);
  const after = await eventually(
    () => cart.read(client, key),
    ({ lines }) => lines.length === 0,
  );
  return accepted(location, view(id, after));
};

/**
 * The cart that a request names: its id as the caller wrote it, its entity's key, and its path. Each person whom the
 * platform has signed in has carts of their own.
 */
export function cartOf(request: HttpRequest): { id: string; key: string; location: string } {
  const id = check(cartName, request.params['cartId'], 'cartId');
  const key = keyFor(ownKey(request, id));
  return {
    id,
    key: key.length <= LONGEST_KEY ? key : shortened(key),
    location: `/api/carts/${encodeURIComponent(id)}`,
  };
}

/** The key of an entity is in the keys of tables, which have at most 1 KiB in UTF-16. */
const LONGEST_KEY = 400;

/** `keyFor` never makes two _ in a row, so no other cart has this key. */
function shortened(key: string): string {
  return `${key.slice(0, 300)}__${createHash('sha256').update(key).digest('hex')}`;
}

function view(cartId: string, { lines, refused }: Cart): object {
  const all = lines.map(priced).filter((line) => line !== undefined);
  const gone = lines.filter((line) => priced(line) === undefined);
  return {
    cartId,
    lines: all,
    total: totalOf(all),
    refused: [...refused, ...gone.map((line) => ({ ...line, reason: 'It is no longer sold' }))],
  };
}

function skuOf(request: HttpRequest): string {
  return request.params['sku'] ?? '';
}

function noProduct(request: HttpRequest): never {
  throw notFound(`There is no product ${skuOf(request)}. GET /api/catalogue lists them.`);
}

df.app.client.http('GetCatalogue', {
  route: 'api/catalogue',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(getCatalogue),
});
df.app.client.http('GetCart', {
  route: 'api/carts/{cartId}',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(getCart),
});
df.app.client.http('PutItem', {
  route: 'api/carts/{cartId}/items/{sku}',
  methods: ['PUT'],
  authLevel: 'function',
  handler: withProblems(putItem),
});
df.app.client.http('DeleteItem', {
  route: 'api/carts/{cartId}/items/{sku}',
  methods: ['DELETE'],
  authLevel: 'function',
  handler: withProblems(deleteItem),
});
df.app.client.http('ClearCart', {
  route: 'api/carts/{cartId}',
  methods: ['DELETE'],
  authLevel: 'function',
  handler: withProblems(clearCart),
});
