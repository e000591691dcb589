import moment, { type Moment } from 'moment';
import type { AlertChange, AlertKind, Device, Registration, Stream } from './model.js';
import { heldSince, isSameLimit, levelOf, patience } from './stream-rules.js';

/** After so many intervals of readings without a gap, a device that was silent has recovered. */
const INTERVALS_TO_RECOVERY = 3;
/** How far after its next look the monitor sets `watchBy`. So it need not write the record at each look. */
const SLACK = moment.duration(15, 'minutes');
/** If a monitor looks later than planned by more than this, the app was down. */
const PUNCTUALITY = moment.duration(1, 'minute');

/** The record of a new device. Its monitor looks at once. */
export function register(
  id: string,
  { interval, threshold }: Registration,
  at: Moment,
  registeredBy?: string,
): Device {
  const time = at.toISOString();
  return {
    id,
    registration: 1,
    interval,
    threshold,
    registeredAt: time,
    registeredBy,
    configuredAt: time,
    health: 'unknown',
    above: false,
    alerts: {},
    unsent: [],
    watchBy: time,
  };
}

/** Sets the interval and the threshold of a device; registers one again that was removed. A repeat changes nothing. */
export function configure(device: Device, wanted: Registration, at: Moment, by?: string): Device {
  const { id, removedAt, interval, threshold, unsent } = device;
  if (removedAt !== undefined) {
    return { ...register(id, wanted, at, by), registration: device.registration + 1, unsent };
  }
  const isSame = isSameLimit(threshold, wanted.threshold);
  if (isSame && interval === wanted.interval && threshold?.for === wanted.threshold?.for) {
    return device;
  }
  const time = at.toISOString();
  const changed = { ...device, ...wanted, threshold: wanted.threshold, configuredAt: time, watchBy: time };
  return isSame
    ? changed
    : { ...closed(changed, 'threshold', 'The threshold was changed', at), above: false };
}

/** Removes a device and closes its alerts. Its monitor ends. */
export function remove(device: Device, at: Moment): Device {
  if (device.removedAt !== undefined) {
    return device;
  }
  const time = at.toISOString();
  const reason = 'The device was removed';
  const removed = { ...device, removedAt: time, watchBy: time };
  return closed(closed(removed, 'silence', reason, at), 'threshold', reason, at);
}

/** Records that the monitor of a removed device has ended. */
export function ended(device: Device): Device {
  return device.removedAt === undefined ? device : { ...device, watchBy: undefined };
}

/** Whether the monitor must look at once, because of readings that were received. */
export function needsLook(
  { health, threshold, above, alerts }: Device,
  readings: readonly { metrics: Record<string, number> }[],
): boolean {
  if (health === 'unknown' || health === 'silent') {
    return true;
  }
  if (threshold === undefined || above || alerts.threshold !== undefined) {
    return false;
  }
  const { metric, above: limit } = threshold;
  return readings.some(({ metrics }) => Object.hasOwn(metrics, metric) && metrics[metric]! > limit);
}

/**
 * Sets the health of a device by its readings, and opens and closes its alerts.
 *
 * - Silence for two intervals opens an alert; three intervals of readings without a gap close it.
 * - A metric above its threshold for its time opens an alert. The metric must not be above it for that time, and for an
 *   interval at least, to close it.
 * - While a device is silent, its last value neither opens nor closes an alert.
 *
 * @param stream the readings, as they were at `at` or later
 * @param planned when the monitor had planned this look. If that was more than a minute before, the app was down and
 *   readings may be lost: the device gets as much time as the app has lost, two intervals at most, and only once
 */
export function assess(device: Device, stream: Stream, at: Moment, planned?: Moment): Device {
  if (device.removedAt !== undefined) {
    return device;
  }
  const excused = excuse(device, stream, at, planned);
  const isSilent = !at.isBefore(silentFrom(excused, stream));
  const level = levelOf(stream, device.threshold);
  const judged = thresholdJudged(silenceJudged(excused, stream, at), stream, at);
  const { alerts } = judged;
  const above = level?.side === 'above';
  const health = isSilent
    ? 'silent'
    : alerts.silence !== undefined || alerts.threshold !== undefined
      ? 'unhealthy'
      : stream.last === undefined
        ? 'unknown'
        : 'healthy';
  const isSame = judged.health === health && judged.above === above;
  return watched(isSame ? judged : { ...judged, health, above }, stream, at);
}

/** When the monitor must look at an assessed device again, if it gets no event before; `undefined` for a silent one. */
export function nextLook(device: Device, stream: Stream, at: Moment): Moment | undefined {
  const silence = silentFrom(device, stream);
  if (device.removedAt !== undefined || !at.isBefore(silence)) {
    return undefined;
  }
  const { threshold, alerts } = device;
  const level = levelOf(stream, threshold);
  const moments = [silence, recoveredAt(device, stream)];
  if (threshold !== undefined && level !== undefined) {
    const turns = level.side === 'above' ? alerts.threshold === undefined : alerts.threshold !== undefined;
    if (turns) moments.push(turnsAt(device, stream));
  }
  return moment.min(moments.filter((each) => each !== undefined));
}

/** Removes changes of alerts that were written and sent. */
export function sent(device: Device, changes: readonly AlertChange[]): Device {
  const unsent = device.unsent.filter(
    (each) => !changes.some(({ id, to }) => each.id === id && each.to === to),
  );
  return unsent.length === device.unsent.length ? device : { ...device, unsent };
}

/** The time from which the device is silent, if it does not report before. */
function silentFrom({ interval, configuredAt, excusedUntil }: Device, { last }: Stream): Moment {
  const lastContact = moment.max(moment.utc(configuredAt), moment.utc(last?.receivedAt ?? configuredAt));
  return moment.max(lastContact.clone().add(patience(interval)), moment.utc(excusedUntil ?? configuredAt));
}

/** When an open alert about silence closes, if the device continues to report. */
function recoveredAt({ interval, alerts }: Device, { last, unbrokenSince }: Stream): Moment | undefined {
  return alerts.silence !== undefined && last !== undefined && last.receivedAt > alerts.silence.openedAt
    ? after(moment.utc(unbrokenSince), INTERVALS_TO_RECOVERY, interval)
    : undefined;
}

/** When the level of the metric has held so long that the alert about it opens or closes. */
function turnsAt({ interval, threshold, alerts }: Device, stream: Stream): Moment | undefined {
  const level = levelOf(stream, threshold);
  if (level === undefined || threshold === undefined) {
    return undefined;
  }
  const held = heldSince(stream, level);
  const opens = held.clone().add(moment.duration(threshold.for));
  return alerts.threshold === undefined ? opens : moment.max(opens, after(held, 1, interval));
}

function silenceJudged(device: Device, stream: Stream, at: Moment): Device {
  const { alerts } = device;
  if (!at.isBefore(silentFrom(device, stream))) {
    return alerts.silence === undefined
      ? opened(
          device,
          'silence',
          stream.last === undefined
            ? `It has not reported since ${device.configuredAt}, when it was registered or changed`
            : `It has not reported since ${stream.last.receivedAt}`,
          at,
        )
      : device;
  }
  const recovered = recoveredAt(device, stream);
  return recovered === undefined || at.isBefore(recovered)
    ? device
    : closed(device, 'silence', `It has reported without a gap since ${stream.unbrokenSince}`, at);
}

function thresholdJudged(device: Device, stream: Stream, at: Moment): Device {
  const { threshold, alerts } = device;
  const level = levelOf(stream, threshold);
  const turns = turnsAt(device, stream);
  const isSilent = !at.isBefore(silentFrom(device, stream));
  if (threshold === undefined || turns === undefined || isSilent || at.isBefore(turns)) {
    return device;
  }
  const { metric, above } = threshold;
  const since = heldSince(stream, level!).toISOString();
  if (level!.side === 'above') {
    return alerts.threshold === undefined
      ? opened(device, 'threshold', `${metric} has been above ${above} since ${since}`, at)
      : device;
  }
  return alerts.threshold === undefined
    ? device
    : closed(device, 'threshold', `${metric} has not been above ${above} since ${since}`, at);
}

/** Gives a device the time that the app has lost. */
function excuse(device: Device, stream: Stream, at: Moment, planned: Moment | undefined): Device {
  const { interval, excusedUntil } = device;
  const lost = planned === undefined ? 0 : at.diff(planned);
  const lastContact = stream.last?.receivedAt ?? device.configuredAt;
  const isExcused = excusedUntil !== undefined && excusedUntil > lastContact;
  if (lost <= PUNCTUALITY.asMilliseconds() || isExcused || at.isBefore(silentFrom(device, stream))) {
    return device;
  }
  const until = at.clone().add(Math.min(lost, patience(interval).asMilliseconds()));
  return { ...device, excusedUntil: until.toISOString() };
}

/** Sets `watchBy`, only if the present value is before the next look or far after it. */
function watched(device: Device, stream: Stream, at: Moment): Device {
  const next = nextLook(device, stream, at);
  const { watchBy } = device;
  if (next === undefined) {
    return watchBy === undefined ? device : { ...device, watchBy: undefined };
  }
  const latest = next.clone().add(SLACK);
  const holds = watchBy !== undefined && !next.isAfter(watchBy) && !latest.isBefore(watchBy);
  return holds ? device : { ...device, watchBy: latest.toISOString() };
}

function opened(device: Device, kind: AlertKind, text: string, at: Moment): Device {
  const openedAt = at.toISOString();
  const id = `alert-${device.id}-${kind}-${at.valueOf()}`;
  return {
    ...device,
    alerts: { ...device.alerts, [kind]: { id, openedAt } },
    unsent: [...device.unsent, { id, kind, to: 'open', at: openedAt, text }],
  };
}

function closed(device: Device, kind: AlertKind, text: string, at: Moment): Device {
  const { [kind]: alert, ...alerts } = device.alerts;
  return alert === undefined
    ? device
    : {
        ...device,
        alerts,
        unsent: [...device.unsent, { id: alert.id, kind, to: 'closed', at: at.toISOString(), text }],
      };
}

function after(from: Moment, intervals: number, interval: string): Moment {
  return from.clone().add(intervals * moment.duration(interval).asMilliseconds());
}
