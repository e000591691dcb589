/** Whatever comes in whatever order, goods and money add up. */
import { array, assert, asyncProperty, boolean, constantFrom, integer, oneof, record } from 'fast-check';
import { expect, inject, it } from 'vitest';
import { Shop, type SeenOrder } from './shop.js';

// A lathe is over the limit.
const SKUS = ['nails', 'glue', 'hammer', 'lathe'] as const;
const sku = constantFrom(...SKUS);
const cart = constantFrom('ana', 'bo');
const step = constantFrom(
  'PriceLines',
  'NoteReservations',
  'AuthorisePayment',
  'CapturePayment',
  'HandOver',
  'ReversePayment',
  'NoteUndone',
  'Conclude',
  'Stock',
  'Cart',
  'Dispatch',
);

/** What can happen in a shop. */
const happening = oneof(
  {
    weight: 4,
    arbitrary: record({
      what: constantFrom('put' as const),
      cart,
      sku,
      quantity: integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 5,
    arbitrary: record({
      what: constantFrom('check out' as const),
      cart,
      token: constantFrom('pays', 'pays', 'pays', 'declines', 'fails-twice', 'loses-answer'),
      key: integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: record({ what: constantFrom('cancel' as const), nth: integer({ min: 0, max: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: record({
      what: constantFrom('receive' as const),
      sku,
      receipt: integer({ min: 1, max: 3 }),
    }),
  },
  // A step that is done, or not, before it fails.
  { weight: 3, arbitrary: record({ what: constantFrom('break' as const), step }) },
  { weight: 2, arbitrary: record({ what: constantFrom('mend' as const), step }) },
  {
    weight: 2,
    arbitrary: record({ what: constantFrom('terminate' as const), nth: integer({ min: 0, max: 5 }) }),
  },
  {
    weight: 2,
    arbitrary: record({
      what: constantFrom('wait' as const),
      minutes: constantFrom(0, 1, 30, 200),
      quiet: boolean(),
    }),
  },
);

it(
  'stock received = available + reserved + sold, and money captured = the orders completed',
  { timeout: 1_200_000 },
  async () => {
    await assert(
      asyncProperty(array(happening, { minLength: 10, maxLength: 30, size: 'max' }), async (happenings) => {
        const shop = await Shop.open({ nails: 5, glue: 5, hammer: 5, lathe: 5 });
        const { app } = shop;
        const received: Record<string, number> = { nails: 5, glue: 5, hammer: 5, lathe: 5 };
        const receipts = new Set<string>();
        const ids = new Set<string>();
        const broken = new Set<string>();
        const nth = (index: number): string | undefined => [...ids][index % Math.max(1, ids.size)];

        for (const each of happenings) {
          switch (each.what) {
            case 'put':
              // While its entity is broken, a cart would be waited for.
              if (!broken.has('Cart')) await shop.put(each.cart, each.sku, each.quantity);
              break;
            case 'check out': {
              const answer = await shop.checkOut(each.cart, each.token, { key: `key-${each.key}` });
              expect([202, 409, 422]).toContain(answer.status);
              if (answer.status === 202) ids.add(((await answer.json()) as { id: string }).id);
              break;
            }
            case 'cancel': {
              const id = nth(each.nth);
              if (id !== undefined) expect([202, 409]).toContain((await shop.cancel(id)).status);
              break;
            }
            case 'receive': {
              const id = `${each.sku}-${each.receipt}`;
              if (broken.has('Stock')) break;
              await shop.receive(each.sku, 3, id);
              if (!receipts.has(id)) received[each.sku]! += 3;
              receipts.add(id);
              break;
            }
            case 'break':
              broken.add(each.step);
              app.replace(each.step, () => {
                throw new Error('It is broken');
              });
              break;
            case 'mend':
              broken.delete(each.step);
              app.restore(each.step);
              break;
            case 'terminate': {
              const id = nth(each.nth);
              if (id !== undefined) await app.terminate(id);
              break;
            }
            case 'wait':
              await app.skip({ minutes: each.minutes });
              if (each.quiet) await app.quiet();
          }
        }

        for (const name of broken) app.restore(name);
        await app.skip('idle');
        // What was terminated or is stuck goes on, as the sweep or an operator would have it.
        for (let round = 0; round < 3; round++) {
          for (const id of ids) await app.post(`/api/orders/${id}/retry`);
          await app.skip('idle');
        }

        const orders: SeenOrder[] = await Promise.all([...ids].map(async (id) => shop.seen(id)));
        expect(
          orders.filter(({ state }) => !['dispatched', 'failed', 'cancelled', 'rejected'].includes(state)),
        ).toEqual([]);
        const completed = orders.filter(({ state }) => state === 'dispatched');
        const payments = await shop.payments();
        const captured = [...payments].filter(([, { state }]) => state === 'captured');
        expect(new Map(captured.map(([id, { amount }]) => [id, amount]))).toEqual(
          new Map(completed.map(({ id, total }) => [id, total.amount])),
        );
        for (const each of SKUS) {
          const sold = completed
            .flatMap(({ lines }) => lines)
            .filter((line) => line.sku === each)
            .reduce((sum, { quantity }) => sum + quantity, 0);
          expect(await shop.stock(each), each).toEqual([received[each]! - sold, 0, sold]);
        }
        await app.stop();
      }),
      { numRuns: inject('long') ? 200 : 3 },
    );
  },
);
