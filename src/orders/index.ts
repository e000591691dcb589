/** Orders: a cart, stock that never falls below zero, and a checkout that adds up to the cent. */
export { dispatch, reportPoison } from './dispatch.js';
export { clearCart, deleteItem, getCart, getCatalogue, putItem } from './endpoints/carts.js';
export { cancelOrder, checkOut, getOrder, retryOrder } from './endpoints/orders.js';
export { getStock, receiveGoods } from './endpoints/stock.js';
export { orderOrchestrator, receiptOrchestrator } from './orchestrators.js';
export { purgeableOrders, purgeableReceipts, supervisedOrders, supervisedReceipts } from './workflows.js';
