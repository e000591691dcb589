/** How rules refuse. Pure: rules may import it. */
export { Refusal, refuse, type Reason } from './refusal.js';
export { TryLaterError } from './try-later.js';
