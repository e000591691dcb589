import { randomUUID } from 'node:crypto';
import { TableClient } from '@azure/data-tables';
import type { TestApp } from '../../emulator/src/testing.js';
import { startApp, type AppOptions, type AppStorage } from '../support/app.js';

/** An order as its caller sees it. */
export interface SeenOrder {
  id: string;
  state: string;
  reason?: string;
  total: { amount: number; currency: string };
  lines: { sku: string; quantity: number; amount: number }[];
  approval?: string;
  steps: { step: string; outcome: string; at: string; text: string }[];
}

/** A cart as its caller sees it. */
export interface SeenCart {
  lines: { sku: string; quantity: number; amount: number }[];
  total: { amount: number; currency: string };
  refused: { sku: string; reason: string }[];
}

/** What people and programs do in the shop of an app under test, by HTTP alone. */
export class Shop {
  readonly #storage: AppStorage | undefined;

  constructor(
    readonly app: TestApp,
    storage?: AppStorage,
  ) {
    this.#storage = storage;
  }

  /** The storage of a shop that was made by {@link open}. */
  get storage(): AppStorage {
    return this.#storage!;
  }

  /** A shop whose stock has arrived. */
  static async open(
    stock: Record<string, number> = { hammer: 10, nails: 100, lathe: 5 },
    options: AppOptions = {},
  ): Promise<Shop> {
    const { app, storage } = await startApp({ verifyReplay: false, dispatchQueue: true, ...options });
    const shop = new Shop(app, storage);
    await shop.stocked(stock);
    return shop;
  }

  /** Fills the stock without a receipt, which would have a workflow of its own. */
  async stocked(stock: Record<string, number>): Promise<void> {
    for (const [key, quantity] of Object.entries(stock))
      await this.app.signal({ name: 'Stock', key }, 'receive', { id: 'first', ticket: 1, quantity });
  }

  /** Goods arrive. */
  async receive(sku: string, quantity: number, receiptId: string = randomUUID()): Promise<Response> {
    return this.app.post(`/api/stock/${sku}/receipts`, { receiptId, quantity });
  }

  async put(cartId: string, sku: string, quantity: number): Promise<Response> {
    return this.app.request('PUT', `/api/carts/${cartId}/items/${sku}`, { body: { quantity } });
  }

  async checkOut(
    cartId: string,
    token: string,
    { key, ...more }: { key?: string; approver?: string; shipTo?: unknown } = {},
  ): Promise<Response> {
    return this.app.post(
      `/api/carts/${cartId}/checkout`,
      { payment: { token }, shipTo: 'Main Street 1', ...more },
      key === undefined ? {} : { 'idempotency-key': key },
    );
  }

  /** Fills a cart and checks it out. @returns the order's id */
  async order(
    lines: Record<string, number>,
    token = 'pays',
    { cartId = randomUUID(), ...more }: { cartId?: string; key?: string; approver?: string } = {},
  ): Promise<string> {
    for (const [sku, quantity] of Object.entries(lines)) accepted(await this.put(cartId, sku, quantity));
    const answer = accepted(await this.checkOut(cartId, token, more));
    return ((await answer.json()) as { id: string }).id;
  }

  async seen(orderId: string): Promise<SeenOrder> {
    return (await (await this.app.get(`/api/orders/${orderId}`)).json()) as SeenOrder;
  }

  async cart(cartId: string): Promise<SeenCart> {
    return (await (await this.app.get(`/api/carts/${cartId}`)).json()) as SeenCart;
  }

  /** The lines of a cart, as `quantity sku`. */
  async lines(cartId: string): Promise<string[]> {
    return (await this.cart(cartId)).lines.map(({ sku, quantity }) => `${quantity} ${sku}`);
  }

  /** What there is of a product: available, reserved, sold. */
  async stock(sku: string): Promise<[number, number, number]> {
    const { available, reserved, sold } = (await (await this.app.get(`/api/stock/${sku}`)).json()) as {
      available: number;
      reserved: number;
      sold: number;
    };
    return [available, reserved, sold];
  }

  async cancel(orderId: string): Promise<Response> {
    return this.app.delete(`/api/orders/${orderId}`);
  }

  async decide(orderId: string, decision: string, by: string, comment?: string): Promise<void> {
    const { approval } = await this.seen(orderId);
    await this.app.post(`${approval}/decision`, { decision, by, ...(comment && { comment }) });
    await this.app.quiet();
  }

  /** The payments of the local ledger, by order. */
  async payments(): Promise<Map<string, { state: string; amount: number }>> {
    const table = TableClient.fromConnectionString(this.storage.connectionString, 'Payments', {
      allowInsecureConnection: true,
    });
    const found = new Map<string, { state: string; amount: number }>();
    try {
      for await (const { id, state, amount } of table.listEntities())
        found.set(String(id), { state: String(state), amount: Number(amount) });
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode !== 404) throw error;
    }
    return found;
  }
}

/** The steps of an order, as `step outcome`. */
export function steps({ steps: all }: SeenOrder): string[] {
  return all.map(({ step, outcome }) => `${step} ${outcome}`);
}

/** @throws Error unless the answer is 202 */
export function accepted(answer: Response): Response {
  if (answer.status !== 202) throw new Error(`The answer is ${answer.status}`);
  return answer;
}
