import { entity } from '../durable/index.js';

/** The key of the only heartbeat. */
export const HEARTBEAT = 'hub';

/**
 * Keeps when the hub last processed a message that was sent to it every minute. A hub that accepts messages but
 * processes none looks healthy from outside.
 */
export const heartbeat = entity(
  'Heartbeat',
  { at: null as string | null },
  {
    beat: (state, { at }: { at: string }) => [state.at !== null && state.at >= at ? state : { at }, null],
  },
);
