import moment, { type Moment } from 'moment';
import { noReadings, type Level, type Reading, type Report, type Stream, type Threshold } from './model.js';

/** A gap of more than so many intervals is silence. */
const INTERVALS_TO_SILENCE = 2;

/** How long a device may be silent. */
export function patience(interval: string): moment.Duration {
  return moment.duration(INTERVALS_TO_SILENCE * moment.duration(interval).asMilliseconds());
}

/** Takes readings. Late and repeated ones change nothing; those of one report are ordered first. */
export function report(
  stream: Stream,
  { readings, receivedAt, interval, threshold }: Report,
): readonly [Stream, null] {
  const ordered = readings.toSorted(
    (a, b) => a.at.localeCompare(b.at) || (a.sequence ?? 0) - (b.sequence ?? 0),
  );
  let next = withThreshold(stream, threshold);
  for (const reading of ordered) {
    if (isNewer(reading, next.last)) next = withReading(next, reading, { receivedAt, interval });
  }
  return [next, null];
}

/** Returns the stream to the monitor. */
export function observe(stream: Stream): readonly [Stream, Stream] {
  return [stream, stream];
}

/** Deletes all readings, because the device was removed. */
export function forget(): readonly [Stream, null] {
  return [noReadings, null];
}

/**
 * Whether a reading comes after another: by their own times if both have one, or else by their sequences, or else by the
 * times that there are.
 */
export function isNewer(reading: Reading, last: Reading | undefined): boolean {
  if (last === undefined) {
    return true;
  }
  const bySequence =
    reading.sequence !== undefined && last.sequence !== undefined
      ? reading.sequence - last.sequence
      : undefined;
  const byTime = moment.utc(reading.at).valueOf() - moment.utc(last.at).valueOf();
  return (reading.isTimed && last.isTimed ? byTime || (bySequence ?? 0) : (bySequence ?? byTime)) > 0;
}

/** The level of the stream for a threshold. A changed threshold counts from the last reading. */
export function levelOf(stream: Stream, threshold: Threshold | undefined): Level | undefined {
  return withThreshold(stream, threshold).level;
}

/** Since when the level holds, by the clock of the app: a device's own clock may be wrong. */
export function heldSince({ last }: Stream, { since }: Level): Moment {
  const held = Math.max(0, moment.utc(last?.at).diff(since));
  return moment.utc(last?.receivedAt).subtract(held, 'milliseconds');
}

/** Whether two thresholds have the same limit, apart from the time that they allow. */
export function isSameLimit(one: Threshold | undefined, other: Threshold | undefined): boolean {
  return one?.metric === other?.metric && one?.above === other?.above;
}

function withThreshold(stream: Stream, threshold: Threshold | undefined): Stream {
  if (isSameLimit(stream.threshold, threshold)) {
    return stream;
  }
  const { last } = stream;
  const side = last && sideOf(last, threshold);
  return { ...stream, threshold, level: last && side && { side, since: last.at } };
}

function withReading(
  stream: Stream,
  reading: Reading,
  { receivedAt, interval }: Pick<Report, 'receivedAt' | 'interval'>,
): Stream {
  const { last, level, threshold, unbrokenSince } = stream;
  const longest = patience(interval).asMilliseconds();
  // Two reports may arrive in another order than they were received.
  const received = last === undefined || last.receivedAt < receivedAt ? receivedAt : last.receivedAt;
  const wasSilent = last === undefined || moment.utc(received).diff(last.receivedAt) > longest;
  const hasGap = last === undefined || moment.utc(reading.at).diff(last.at) > longest;
  // Without the metric, the last value still counts.
  const side = sideOf(reading, threshold) ?? level?.side;
  return {
    ...stream,
    last: { ...reading, receivedAt: received },
    unbrokenSince: wasSilent ? received : (unbrokenSince ?? received),
    level: side && (level?.side === side && !hasGap ? level : { side, since: reading.at }),
  };
}

function sideOf({ metrics }: Reading, threshold: Threshold | undefined): Level['side'] | undefined {
  if (threshold === undefined || !Object.hasOwn(metrics, threshold.metric)) {
    return undefined;
  }
  return metrics[threshold.metric]! > threshold.above ? 'above' : 'below';
}
