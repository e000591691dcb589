/** What carts and stock do, however often, late and in whatever order it is asked of them. */
import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as carts from '../../src/orders/cart-rules.js';
import { emptyCart, MAX_LINES, type Cart } from '../../src/orders/cart-rules.js';
import * as stocks from '../../src/orders/stock-rules.js';
import { emptyStock, levels, type Stock } from '../../src/orders/stock-rules.js';
import { REMEMBERED } from '../../src/orders/ticket-rules.js';

const order = (number: number) => ({ id: `order-${number}`, ticket: number });
const lines = (cart: Cart): string[] => cart.lines.map(({ sku, quantity }) => `${quantity} ${sku}`);

/** Does operations one after the other. */
function after<State>(state: State, ...operations: ((state: State) => readonly [State, unknown])[]): State {
  return operations.reduce((current, operation) => operation(current)[0], state);
}

describe('a cart', () => {
  const put = (sku: string, quantity: number) => (cart: Cart) => carts.set(cart, { sku, quantity });
  const take = (number: number) => (cart: Cart) => carts.take(cart, order(number));
  const putBack = (number: number) => (cart: Cart) => carts.putBack(cart, order(number));

  it('has the quantity that was set last, and is left as it was by a repeat', () => {
    const cart = after(emptyCart, put('saw', 2), put('glue', 1), put('saw', 5));
    expect(lines(cart)).toEqual(['5 saw', '1 glue']);
    expect(put('saw', 5)(cart)[0]).toBe(cart);
  });

  it('refuses a line beyond the hundredth, says so, and takes it when there is room', () => {
    const fill = Array.from({ length: MAX_LINES }, (_, index) => put(`sku-${index}`, 1));
    const full = after(emptyCart, ...fill, put('saw', 1));
    expect(full.lines).toHaveLength(MAX_LINES);
    expect(full.refused).toEqual([{ sku: 'saw', quantity: 1, reason: 'A cart holds at most 100 lines' }]);
    expect(lines(after(full, put('sku-7', 9)))).toContain('9 sku-7');
    const room = after(full, (cart) => carts.remove(cart, { sku: 'sku-3' }), put('saw', 1));
    expect(lines(room)).toContain('1 saw');
    expect(room.refused).toEqual([]);
  });

  it('gives its lines to one order, and to that one as often as it asks', () => {
    const filled = after(emptyCart, put('saw', 2));
    const [taken, first] = carts.take(filled, order(1));
    expect(first).toEqual({ lines: [{ sku: 'saw', quantity: 2 }] });
    expect(carts.take(taken, order(2))).toEqual([taken, { lines: [] }]);
    expect(carts.take(after(taken, put('glue', 1)), order(1))[1]).toEqual(first);
  });

  it('gets its lines back once, and keeps the quantity of those that were set again meanwhile', () => {
    const taken = after(emptyCart, put('saw', 2), put('glue', 3), take(1), put('glue', 1));
    const back = after(taken, putBack(1));
    expect(lines(back)).toEqual(['1 glue', '2 saw']);
    expect(putBack(1)(back)[0]).toBe(back);
  });

  it('gives nothing to an order that has put back, also when it had not taken yet', () => {
    expect(carts.take(after(emptyCart, put('saw', 2), putBack(1)), order(1))[1]).toEqual({ lines: [] });
  });
});

describe('the stock', () => {
  const receive = (number: number, quantity: number) => (stock: Stock) =>
    stocks.receive(stock, { id: `receipt-${number}`, ticket: number, quantity });
  const reserve = (number: number, quantity: number) => (stock: Stock) =>
    stocks.reserve(stock, { ...order(number), quantity });
  const commit = (number: number) => (stock: Stock) => stocks.commit(stock, order(number));
  const release = (number: number) => (stock: Stock) => stocks.release(stock, order(number));
  const close = (number: number) => (stock: Stock) => stocks.close(stock, order(number));
  const ten = after(emptyStock, receive(1, 10));

  it('counts a receipt once', () => {
    expect(levels(after(ten, receive(1, 10)))).toEqual({ available: 10, reserved: 0, sold: 0 });
  });

  it('reserves all of it or none', () => {
    expect(reserve(1, 11)(ten)).toEqual([ten, { reserved: false, available: 10 }]);
    expect(levels(after(ten, reserve(1, 7), reserve(2, 4)))).toEqual({ available: 3, reserved: 7, sold: 0 });
  });

  it('takes back what was reserved, and what was sold', () => {
    expect(levels(after(ten, reserve(1, 7), release(1), release(1)))).toEqual(levels(ten));
    expect(levels(after(ten, reserve(1, 7), commit(1), commit(1)))).toEqual({
      available: 3,
      reserved: 0,
      sold: 7,
    });
    expect(levels(after(ten, reserve(1, 7), commit(1), release(1), commit(1)))).toEqual(levels(ten));
  });

  it('reserves nothing for an order that has released, also when it had not reserved yet', () => {
    expect(reserve(1, 1)(after(ten, release(1)))[1]).toMatchObject({ reserved: false });
  });

  it('knows an order that it has forgotten from a new one', () => {
    const many = Array.from({ length: 3 * REMEMBERED }, (_, index) => index + 1);
    const busy = after(ten, ...many.flatMap((number) => [reserve(number, 1), release(number)]));
    expect(reserve(1, 1)(busy)).toEqual([busy, { stale: 2 * REMEMBERED }]);
    expect(reserve(3 * REMEMBERED, 1)(busy)[1]).toMatchObject({ reserved: false });
    expect(reserve(3 * REMEMBERED + 1, 1)(busy)[1]).toEqual({ reserved: true });
  });

  it('whatever comes twice, late, or in another order, never falls below zero, adds up, and does each thing once', () => {
    const operation = record({
      kind: constantFrom('receive', 'reserve', 'commit', 'release', 'close'),
      number: integer({ min: 1, max: 150 }),
    });
    const kinds = { reserve: (number: number) => reserve(number, (number % 3) + 1), commit, release, close };
    assert(
      property(array(operation, { maxLength: 600, size: 'max' }), (operations) => {
        const received = new Set<number>();
        const ended = new Set<number>();
        let stock = emptyStock;
        for (const { kind, number } of operations) {
          const before = levels(stock);
          if (kind === 'receive') {
            const [next, answer] = receive(1000 + number, 5)(stock);
            if ('counted' in answer) received.add(number);
            stock = next;
          } else {
            stock = kinds[kind](number)(stock)[0];
          }
          // Who has ended changes nothing any more, however many others came and went.
          if (ended.has(number) && kind !== 'receive') expect(levels(stock)).toEqual(before);
          if (kind === 'release') ended.add(number);
          const { available, reserved, sold } = levels(stock);
          expect(Math.min(available, reserved, sold)).toBeGreaterThanOrEqual(0);
          expect(available + reserved + sold).toBe(5 * received.size);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('stays small, however many orders there were', () => {
    const many = Array.from({ length: 1000 }, (_, index) => index + 1);
    const busy = after(ten, ...many.flatMap((number) => [reserve(number, 1), release(number)]));
    expect(JSON.stringify(busy).length).toBeLessThan(64 * REMEMBERED);
  });
});
