import { z } from 'zod';
import { line, personName, text } from '../http/index.js';

/** An amount in minor units of a currency (ISO 4217): 1999 is 19.99 EUR. */
export const money = z.object({ amount: z.int(), currency: z.string() });
export type Money = z.infer<typeof money>;

/** In minor units: the limit without a setting, and of orders that were recorded without one. */
export const DEFAULT_APPROVAL_LIMIT = 100_000;

/** What is sold. */
export interface Product {
  sku: string;
  name: string;
  price: Money;
}

/** A line of a cart. */
export interface CartLine {
  sku: string;
  quantity: number;
}

/** What a caller calls a cart. */
export const cartName = line(64);

/** What `PUT /api/carts/{cartId}/items/{sku}` takes. */
export const quantityRequest = z.strictObject({ quantity: z.int().min(1).max(999) });

/** What `POST /api/stock/{sku}/receipts` takes. */
export const receiptRequest = z.strictObject({
  receiptId: line(64),
  quantity: z.int().min(1).max(1_000_000),
});

/** An address by its fields. */
const addressFields = z
  .record(line(40), line(200))
  .refine((fields) => Object.keys(fields).length <= 20, 'An address has at most 20 fields');

/** What `POST /api/carts/{cartId}/checkout` takes. */
export const checkoutRequest = z.strictObject({
  /** What the payment provider knows the buyer's means of payment by. */
  payment: z.strictObject({ token: line(200) }),
  /** An address as one text, or by its fields. */
  shipTo: z.union([text(1024).min(1), addressFields]),
  /** The person who approves an order over the limit. */
  approver: personName.optional(),
});
export type CheckoutRequest = z.output<typeof checkoutRequest>;

/** A checked request, its cart and its buyer. */
export interface Checkout extends CheckoutRequest {
  /** As the caller wrote it. */
  cartId: string;
  /** The key of the cart's entity. */
  cartKey: string;
  buyer: string;
}

/** How far an order is: the step that it does now. The last two are the way back. */
export const stage = z.enum([
  'taking',
  'reserving',
  'approving',
  'authorising',
  'committing',
  'capturing',
  'dispatching',
  'dispatched',
  'undoing',
  'undone',
]);
export type Stage = z.infer<typeof stage>;

/** What callers see of {@link stage}. */
export type OrderState =
  | 'in-progress'
  | 'awaiting-approval'
  | 'dispatched'
  | 'rejected'
  | 'failed'
  | 'cancelled'
  | 'needs-attention';

/** An address as the table gives it: its fields are stored as JSON, and that is a text too. */
function storedAddress(stored: unknown): unknown {
  try {
    return addressFields.safeParse(JSON.parse(String(stored))).data ?? stored;
  } catch {
    return stored;
  }
}

const orderLine = z.object({
  sku: z.string(),
  name: z.string(),
  quantity: z.number(),
  price: money,
  amount: z.int(),
});
export type OrderLine = z.infer<typeof orderLine>;

const step = z.object({
  step: z.enum([
    'checkout',
    'cart',
    'reservation',
    'approval',
    'authorisation',
    'stock',
    'capture',
    'dispatch',
    'cancellation',
    'notification',
  ]),
  outcome: z.enum(['done', 'waiting', 'refused', 'failed', 'undone', 'undoing-failed']),
  /** ISO 8601, UTC. */
  at: z.string(),
  /** What happened, in words. */
  text: z.string(),
});
/** Something that happened to an order. */
export type Step = z.infer<typeof step>;

/** An order's record: the truth about it. Times are ISO 8601 in UTC. */
export const orderRecord = z.object({
  /** The instance id of its workflow too. */
  id: z.string(),
  cartId: z.string(),
  /** The key of the cart's entity. */
  cartKey: z.string(),
  buyer: z.string(),
  token: z.string(),
  shipTo: z.preprocess(storedAddress, checkoutRequest.shape.shipTo),
  approver: z.string().optional(),
  /** By which the entities know the order again: see `ticket-rules.ts`. */
  ticket: z.number(),
  stage,
  /** Priced when they were taken from the cart; empty before. */
  lines: z.array(orderLine),
  total: money,
  /** Why the order turned back, and which steps are left to undo, in this order. */
  ending: z
    .object({
      outcome: z.enum(['rejected', 'failed', 'cancelled']),
      reason: z.string(),
      undo: z.array(step.shape.step),
    })
    .optional(),
  /** The id of its approval, once one was asked for. */
  approval: z.string().optional(),
  /** When the sweep last looked at it while it waited for its approval, or for an operator. */
  watchedAt: z.string().optional(),
  /** Why an operator is needed. */
  attention: z.string().optional(),
  steps: z.array(step),
  createdAt: z.string(),
  /** A repeat of the request has the same hash; another request with the same key has another. */
  requestHash: z.string(),
  /** Over this total, in minor units, it needs an approval. */
  approvalLimit: z.number().default(DEFAULT_APPROVAL_LIMIT),
});
export type Order = z.infer<typeof orderRecord>;

/** What the workflow needs of an order. */
export interface Plan {
  id: string;
  /** The key of the cart's entity. */
  cart: string;
  ticket: number;
  stage: Stage;
  lines: CartLine[];
  /** The id of its approval. */
  approval?: string | undefined;
  /** Which steps are left to undo, in this order. */
  undo: Step['step'][];
}

/** A receipt's record. */
export const receiptRecord = z.object({
  id: z.string(),
  sku: z.string(),
  receiptId: z.string(),
  quantity: z.number(),
  ticket: z.number(),
  /** `closed`: the stock no longer keeps it. */
  state: z.enum(['pending', 'counted', 'closed']),
  /** ISO 8601, UTC. */
  receivedAt: z.string(),
});
export type Receipt = z.infer<typeof receiptRecord>;
