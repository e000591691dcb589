/** The rules of rollouts, for any numbers and any order of what happens. */
import {
  array,
  assert,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  property,
  record,
  string,
} from 'fast-check';
import moment from 'moment';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../src/refusals/index.js';
import {
  rolloutRequest,
  updateState,
  type Rollout,
  type Stage,
  type Update,
} from '../../src/rollouts/model.js';
import { begin } from '../../src/rollouts/rules.js';
import { paused, resumed } from '../../src/rollouts/steer-rules.js';
import {
  commandId,
  gaveUp,
  needsRollBack,
  nextFor,
  parseCommand,
  planned,
  posted,
  reported,
  sending,
} from '../../src/rollouts/update-rules.js';
import { lanesOf, waveOf, wavesOf } from '../../src/rollouts/wave-rules.js';

const ends = array(
  oneof(
    integer({ min: 1, max: 500 }),
    integer({ min: 1, max: 100 }).map((percent) => `${percent}%`),
  ),
  { minLength: 1, maxLength: 20 },
);

describe('waves', () => {
  it.each([
    [[1, '10%', '50%', '100%'], 200, [1, 20, 100, 200]],
    [[1, '10%', '100%'], 5, [1, 5]],
    [['10%'], 30, [3]],
    [['0.001%', '100%'], 30, [1, 30]],
    [[5, 2, '50%'], 8, [5]],
    [[1], 0, []],
  ])('that end at %j of %i devices end at %j', (wanted, devices, expected) => {
    expect(wavesOf(wanted, devices).map(({ to }) => to)).toEqual(expected);
  });

  it('follow each other without a gap, and their lanes hold each device once', () => {
    assert(
      property(ends, nat(600), integer({ min: 1, max: 64 }), (wanted, devices, maxParallel) => {
        const waves = wavesOf(wanted, devices);
        expect(waves.map(({ from }) => from)).toEqual(
          [0, ...waves.map(({ to }) => to)].slice(0, waves.length),
        );
        const last = waves.at(-1)?.to ?? 0;
        expect(last).toBeLessThanOrEqual(devices);
        if (wanted.includes('100%')) expect(last).toBe(devices);
        const indexes = waves.flatMap((wave, number) => {
          const lanes = lanesOf(wave, maxParallel);
          expect(lanes.length).toBeLessThanOrEqual(maxParallel);
          const found = lanes.flatMap(({ from, to, stride }) =>
            Array.from({ length: Math.ceil((to - from) / stride) }, (_, n) => from + n * stride),
          );
          expect(new Set(found.map((index) => waveOf(waves, index)))).toEqual(new Set([number]));
          return found;
        });
        expect(indexes.toSorted((a, b) => a - b)).toEqual(Array.from({ length: last }, (_, index) => index));
      }),
    );
  });
});

describe('the steps of a rollout', () => {
  it('fit into a column of a table, however often it is steered and whatever people write: the last remain', () => {
    const at = moment.utc('2026-03-06T08:00:00Z');
    const wanted = rolloutRequest.parse({ firmware: '2.0.0', devices: ['kiln'], waves: [1] });
    let rollout = begin('rollout-1', { ...wanted, requestedBy: 'ana' }, 'hash', at);
    const name = '"'.repeat(100);
    for (let round = 0; round < 60; round += 1) {
      rollout = paused(rollout, name, `${round} ${'"'.repeat(190)}`, at) as Rollout;
      rollout = resumed(rollout, name, undefined, at) as Rollout;
      expect(JSON.stringify(rollout.steps).length).toBeLessThanOrEqual(32_768);
    }
    expect(rollout.steps.length).toBeGreaterThan(20);
    expect(rollout.steps.at(-2)!.text).toContain(': 59 ');
  });
});

/** What can happen to a device and its rollout. */
const happening = oneof(
  constant('look' as const),
  constantFrom('pause' as const, 'resume' as const, 'stop' as const),
  record({
    direction: constantFrom('update' as const, 'roll-back' as const),
    outcome: constantFrom('succeeded' as const, 'failed' as const),
  }),
  integer({ min: 1, max: 20 }),
);

it('a device gets no more commands than it may, none while it must not, and ends; a repeated report changes nothing', () => {
  assert(
    property(array(happening, { maxLength: 60 }), integer({ min: 1, max: 4 }), (happens, attempts) => {
      const at = moment.utc('2026-03-06T08:00:00Z');
      const policy = { stage: 'updating' as Stage, paused: false, attempts, updateWithin: 'PT10M' };
      let update: Update = planned(3, 'kiln');
      const sent: string[] = [];
      /** What the activity does when it looks. */
      const look = (): void => {
        const next = nextFor(update, policy, at);
        if (next === 'send') {
          expect(policy.paused && !needsRollBack(update)).toBe(false);
          update = sending(update, policy, 'waiter', at);
          update = posted(update, update.attempts);
          sent.push(commandId('rollout-1', update));
        } else if (next === 'give up') {
          expect(at.isBefore(update.deadline)).toBe(false);
          update = gaveUp(update, at);
        }
      };
      for (const each of happens) {
        if (each === 'look') look();
        else if (each === 'pause') policy.paused = policy.stage === 'updating';
        else if (each === 'resume') policy.paused = false;
        else if (each === 'stop') {
          policy.paused = false;
          if (policy.stage === 'updating') policy.stage = 'draining';
          else if (update.state !== 'sent') policy.stage = 'rolling-back';
        } else if (typeof each === 'number') at.add(each, 'minutes');
        else {
          const after = reported(update, each.direction, each, at);
          if (after instanceof Refusal) continue;
          const again = reported(after, each.direction, each, at);
          expect(again).toBe(after);
          update = after;
        }
      }
      for (const kind of ['update', 'back'])
        expect(sent.filter((id) => id.endsWith(kind)).length).toBeLessThanOrEqual(attempts);
      // Left alone, it comes to an end.
      Object.assign(policy, { paused: false });
      for (let round = 0; round < 2 * attempts + 2; round += 1) {
        look();
        at.add(11, 'minutes');
      }
      expect(['sent', 'rolling-back']).not.toContain(update.state);
      if (policy.stage === 'rolling-back') expect(needsRollBack(update)).toBe(false);
    }),
  );
});

it('the id of a command names its rollout, device and direction, and nothing else has its form', () => {
  const rollout = `rollout-${'0f'.repeat(16)}`;
  for (const state of updateState.options) {
    const id = commandId(rollout, { ...planned(17, 'kiln'), state });
    expect(parseCommand(id)).toMatchObject({ rollout, index: 17 });
  }
  assert(
    property(string(), (text) => {
      expect(parseCommand(text)).toBeUndefined();
      expect(parseCommand(`${rollout}-017-update`)).toBeUndefined();
    }),
  );
});
