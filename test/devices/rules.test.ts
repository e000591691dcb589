/** What readings amount to, and when alerts open and close, whatever comes in whatever order. */
import {
  array,
  assert,
  boolean,
  constantFrom,
  integer,
  property,
  record,
  shuffledSubarray,
} from 'fast-check';
import moment from 'moment';
import { describe, expect, it } from 'vitest';
import type { Device } from '../../src/fleet/index.js';
import { noReadings, type Reading, type Stream } from '../../src/devices/model.js';
import { assess, configure, needsLook, nextLook, register, remove, sent } from '../../src/devices/rules.js';
import { report } from '../../src/devices/stream-rules.js';

const START = moment.utc('2026-03-01T08:00:00Z');
const interval = 'PT1M';
const threshold = { metric: 'temperature', above: 80, for: 'PT5M' };
const after = (seconds: number): moment.Moment => START.clone().add(seconds, 'seconds');
const reading = (seconds: number, temperature = 20): Reading => ({
  at: after(seconds).toISOString(),
  isTimed: true,
  sequence: seconds,
  metrics: { temperature },
});
const told = (stream: Stream, readings: Reading[], received: number): Stream =>
  report(stream, { readings, receivedAt: after(received).toISOString(), interval, threshold })[0];

describe('Readings', () => {
  it('in any order and repeated end with the newest, and a repeat changes nothing', () => {
    const all = Array.from({ length: 30 }, (_, minute) => reading(60 * minute));
    assert(
      property(array(shuffledSubarray(all, { minLength: 1 }), { minLength: 1, maxLength: 8 }), (batches) => {
        const stream = batches.reduce((each, batch, number) => told(each, batch, 3600 + number), noReadings);
        const newest = batches
          .flat()
          .map(({ at }) => at)
          .toSorted()
          .at(-1);
        expect(stream.last?.at).toBe(newest);
        for (const batch of batches) expect(told(stream, batch, 9999)).toBe(stream);
      }),
      { numRuns: 40 },
    );
  });

  it('without times are ordered by their sequence', () => {
    const untimed = (sequence: number): Reading => ({ ...reading(0), isTimed: false, sequence });
    const stream = told(told(noReadings, [untimed(3), untimed(9), untimed(5)], 10), [untimed(8)], 20);
    expect(stream.last).toMatchObject({ sequence: 9 });
  });
});

describe('Alerts', () => {
  it('open and close in turn, and a look is planned for what comes next, whatever happens', () => {
    const step = record({
      seconds: integer({ min: 1, max: 200 }),
      what: constantFrom('reading', 'hot reading', 'nothing', 'nothing', 'configured'),
      isPunctual: boolean(),
    });
    assert(
      property(array(step, { maxLength: 60, size: 'max' }), (steps) => {
        let device: Device = register('pump', { interval, threshold }, START);
        let stream: Stream = noReadings;
        let now = 0;
        let planned: moment.Moment | undefined = START;
        const look = (at: moment.Moment): void => {
          device = assess(device, stream, at, planned);
          planned = nextLook(device, stream, at);
          // Planned for later, or for never: then the device is silent, and no time is set for the sweep either.
          expect(planned === undefined).toBe(device.health === 'silent');
          expect(planned?.isAfter(at) ?? true).toBe(true);
          expect(device.watchBy === undefined).toBe(planned === undefined);
          if (planned !== undefined) expect(planned.isAfter(device.watchBy)).toBe(false);
          // A second look at the same time changes nothing.
          expect(assess(device, stream, at)).toBe(device);
        };
        look(START);
        for (const { seconds, what, isPunctual } of steps) {
          const until = now + seconds;
          // The timers that fire meanwhile, unless the app is down.
          while (isPunctual && planned?.isSameOrBefore(after(until))) look(moment.max(planned, after(now)));
          now = until;
          if (what === 'configured') {
            device = configure(
              device,
              { interval, threshold: now % 2 === 0 ? threshold : undefined },
              after(now),
            );
            look(after(now));
          } else if (what !== 'nothing') {
            const readings = [reading(now, what === 'hot reading' ? 95 : 20)];
            stream = report(stream, {
              readings,
              receivedAt: after(now).toISOString(),
              interval,
              threshold: device.threshold,
            })[0];
            if (needsLook(device, readings)) look(after(now));
          }
        }
        device = remove(device, after(now));
        for (const kind of ['silence', 'threshold']) {
          const changes = device.unsent.filter((each) => each.kind === kind);
          expect(changes.map(({ to }) => to)).toEqual(
            changes.map((_, index) => (index % 2 === 0 ? 'open' : 'closed')),
          );
          // Each opened alert is closed, at last by the removal.
          expect(changes.length % 2).toBe(0);
        }
        expect(device.unsent.map(({ at }) => at)).toEqual(device.unsent.map(({ at }) => at).toSorted());
        expect(new Set(device.unsent.map(({ id }) => id)).size).toBe(device.unsent.length / 2);
        expect(sent(device, device.unsent)).toMatchObject({ unsent: [], alerts: {} });
      }),
      { numRuns: 60 },
    );
  });
});
