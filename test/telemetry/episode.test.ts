import { describe, expect, it } from 'vitest';
import { readEpisode, type State } from '../../src/telemetry/episode.js';

const at = (second: number): string => new Date(Date.UTC(2030, 0, 1, 0, 0, second)).toISOString();
const turn = (second: number): { EventType: number; Timestamp: string } => ({
  EventType: 12,
  Timestamp: at(second),
});
const start = (
  Generation: number | null = 0,
): { EventType: number; Timestamp: string; Generation: number | null } => ({
  EventType: 0,
  Timestamp: at(0),
  Generation,
});
const over = { EventType: 13, Timestamp: at(1) };
const fired = { EventType: 11, Timestamp: at(5) };

const activity = { actionType: 0 };
const continueAsNew = { actionType: 4 };
const timer = { actionType: 5 };
const event = { actionType: 6 };
const any = (
  ...compoundActions: { actionType: number }[]
): { actionType: number; compoundActions: { actionType: number }[] } => ({ actionType: 11, compoundActions });
const asks = (...actions: { actionType: number }[]): State => ({ isDone: false, actions: [actions] });

describe('an episode', () => {
  it('begins a workflow only when it is the first of it', () => {
    expect(readEpisode({ instanceId: 'a', history: [turn(0), start()] }, asks(activity))).toEqual({
      instanceId: 'a',
      began: true,
      left: 'working',
      age: 0,
    });
    expect(
      readEpisode(
        { instanceId: 'a', history: [turn(0), start(), over, turn(7), fired] },
        asks(activity, activity),
      ),
    ).toEqual({ instanceId: 'a', began: false, left: 'working', age: 7 });
  });

  it('after continue-as-new is no beginning, and has no duration', () => {
    expect(readEpisode({ instanceId: 'a', history: [turn(0), start(null), over] }, asks(timer))).toEqual({
      instanceId: 'a',
      began: false,
      left: 'waiting',
      age: undefined,
    });
  });

  it('of a sub-orchestration can be a beginning', () => {
    expect(
      readEpisode({ instanceId: 'a:0', parentInstanceId: 'a', history: [turn(0), start(null)] }, asks(timer)),
    ).toMatchObject({ began: true, age: 0 });
  });

  it('leaves the workflow waiting when only an event or a timer can continue it', () => {
    const left = (...actions: { actionType: number }[]): string =>
      readEpisode({ instanceId: 'a', history: [turn(0), start()] }, asks(...actions)).left;
    expect(left(activity, timer)).toBe('waiting');
    expect(left(event)).toBe('waiting');
    expect(left(any(event, any(timer, event)))).toBe('waiting');
    expect(left(timer, activity)).toBe('working');
    expect(left(any(event, activity))).toBe('working');
  });

  it('ends the workflow, or only the execution', () => {
    const history = [turn(0), start(), over, turn(60), fired];
    expect(readEpisode({ instanceId: 'a', history }, { isDone: true, actions: [[activity]] })).toMatchObject({
      left: 'completed',
      age: 60,
    });
    expect(readEpisode({ instanceId: 'a', history }, { isDone: true, actions: [[]] })).toMatchObject({
      left: 'completed',
    });
    expect(readEpisode({ instanceId: 'a', history }, undefined)).toMatchObject({ left: 'failed', age: 60 });
    expect(
      readEpisode({ instanceId: 'a', history }, { isDone: true, actions: [[activity, continueAsNew]] }),
    ).toMatchObject({ left: 'continuing' });
  });
});
