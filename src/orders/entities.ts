import { entity } from '../durable/index.js';
import { clear, close as closeCart, emptyCart, putBack, remove, set, take } from './cart-rules.js';
import { close as closeStock, commit, emptyStock, receive, release, reserve } from './stock-rules.js';

/** What somebody wants to buy, by `keyFor` the cart's id. */
export const cart = entity('Cart', emptyCart, { set, remove, clear, take, putBack, close: closeCart });

/** What there is of a product, by its SKU. It never falls below zero: its operations run one by one. */
export const stock = entity('Stock', emptyStock, { receive, reserve, commit, release, close: closeStock });
