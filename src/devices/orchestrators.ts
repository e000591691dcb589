import moment from 'moment';
import { event, eventOrDeadline, forSideEffects, now, orchestrator, waitFor } from '../durable/index.js';
import { assessDevice, noteMonitorEnded, type Registered } from './activities.js';
import { deviceEntity } from './entities.js';
import { keyOf } from './model.js';

/** Makes a monitor look at its device: a reading may matter, or the device was changed or removed. */
export const changed = event<null>('Changed');

/** The number of looks after which the monitor continues as new, to keep its history short. */
const LOOKS_PER_EXECUTION = 20;

/** The input of {@link deviceMonitor}. */
export interface Monitored extends Registered {
  /** When its next look was planned, if it continues as new. ISO 8601, UTC. */
  planned?: string | undefined;
}

/**
 * Monitors a device until it is removed. It looks when something is due, or when an event says that something may have
 * changed. In between it makes no request to storage. For a silent device nothing is due: the monitor waits for an event alone. It keeps no
 * state of its own, so it can be started again at any time.
 */
export const deviceMonitor = orchestrator(
  'DeviceMonitor',
  function* (context, { planned, ...device }: Monitored) {
    let due = planned;
    for (let look = 1; ; look += 1) {
      const at = now(context).toISOString();
      const stream = yield* deviceEntity.call(context, keyOf(device), 'observe', null);
      const { isOver, next } = yield* assessDevice(
        context,
        { ...device, stream, at, planned: due },
        forSideEffects,
      );
      if (isOver) {
        break;
      }
      due = next ?? undefined;
      if (due === undefined) {
        yield* waitFor(context, changed);
      } else {
        yield* eventOrDeadline(context, changed, moment.utc(due));
      }
      if (look === LOOKS_PER_EXECUTION) {
        context.df.continueAsNew({ ...device, planned: due });
        return undefined;
      }
    }
    yield* deviceEntity.call(context, keyOf(device), 'forget', null);
    yield* noteMonitorEnded(context, device, forSideEffects);
    return 'Removed';
  },
);
