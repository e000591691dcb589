import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lengthOf, ticks } from '../../web/timeline/axis.js';
import type { HistoryEvent, Instance } from '../../web/timeline/history.js';
import { layout } from '../../web/timeline/layout.js';
import type { Row } from '../../web/timeline/row.js';
import { positionOf, showing, zoomed } from '../../web/timeline/view.js';

/** An answer of a real host's management API. */
function recorded(name: string, file = 'calls'): Instance {
  const path = new URL(`../../emulator/test/fixtures/recorded/${file}.json`, import.meta.url);
  const calls = JSON.parse(readFileSync(path, 'utf8')) as { name: string; response?: { body: Instance } }[];
  return calls.find((call) => call.name === name)!.response!.body;
}

const NOW = Date.parse('2026-11-21T01:00:00Z');
const rowsOf = (instance: Instance, now = NOW): Row[] => layout(instance, { now }).rows;
const texts = (rows: Row[]): string[] =>
  rows.map(({ depth, kind, label, state }) => `${depth} ${kind} ${label}: ${state}`);
const at = (time: number): string => new Date(time).toISOString();

/** An instance with these events, which begins at midnight. */
const instanceOf = (runtimeStatus: string, ...historyEvents: HistoryEvent[]): Instance => ({
  instanceId: 'made',
  name: 'Made',
  runtimeStatus,
  createdTime: '2026-11-21T00:00:00Z',
  lastUpdatedTime: '2026-11-21T00:10:00Z',
  historyEvents,
});

describe('the layout of a history that a real host has shown', () => {
  it('has the instance, and its activities, timers and events by their start', () => {
    const { rows, from, to } = layout(recorded('008-get-completed-full-history-output'), { now: NOW });
    expect(texts(rows)).toEqual([
      '0 orchestration full: completed',
      '1 activity sayHello: completed',
      '1 activity sayHello: completed',
      '1 activity sayHello: completed',
      '1 timer Timer: completed',
      '1 event Approval: completed',
    ]);
    expect([at(from), at(to)]).toEqual(['2026-11-21T00:29:31.305Z', '2026-11-21T00:29:32.894Z']);
    expect(rows[1]).toMatchObject({ output: 'Hello, Tokyo!', end: rows[1]!.start + 46 });
    expect(rows[5]).toMatchObject({ input: '{"ok":true}', start: rows[5]!.end });
    // The host says of a timer that fired only when it was created and when it was to fire.
    expect(at(rows[4]!.fireAt!)).toBe('2026-11-21T00:29:33.540Z');
    // It fired early: the event came after it.
    expect(at(rows[4]!.end)).toBe('2026-11-21T00:29:32.825Z');
  });

  it('has no outputs where the history has none', () => {
    const rows = rowsOf(recorded('007-get-completed-full-history'));
    expect(rows.filter((row) => 'output' in row)).toEqual([]);
  });

  it('numbers the attempts of a call that was retried', () => {
    const rows = rowsOf(recorded('026-get-final-retry'));
    expect(rows.map(({ label, state, attempt }) => [label, state, attempt])).toEqual([
      ['retry', 'completed', undefined],
      ['flaky', 'failed', 1],
      ['Timer', 'completed', undefined],
      ['flaky', 'failed', 2],
      ['Timer', 'completed', undefined],
      ['flaky', 'completed', 3],
    ]);
    expect(rows[3]!.start).toBeGreaterThanOrEqual(rows[2]!.end);
    expect(rows[1]!.reason).toBe("Activity function 'flaky' failed:  flaky attempt 1");
  });

  it('shows a timer that never fired as cancelled when the instance ended', () => {
    const [instance, timer] = rowsOf(recorded('040-get-final-anyRace'));
    expect(timer).toMatchObject({ kind: 'timer', state: 'cancelled', end: instance!.end });
  });

  it('shows an instance that was terminated with its reason', () => {
    const [instance, ...steps] = rowsOf(recorded('046-get-terminated-history'));
    expect(instance).toMatchObject({ state: 'terminated', reason: 'stop it' });
    expect(texts(steps)).toEqual(['1 event Terminated: completed']);
  });

  it('shows how long an instance was suspended, and until now where it still is', () => {
    const [, still] = rowsOf(recorded('050-get-suspended'));
    expect(still).toMatchObject({ kind: 'suspension', state: 'open', end: NOW, reason: 'hold' });
    const [, over] = rowsOf(recorded('055-get-final-suspendable'));
    expect([over!.state, at(over!.end)]).toEqual(['completed', '2026-11-21T00:29:45.007Z']);
  });

  it('shows a call of an entity until its answer, and a signal as a moment', () => {
    const [, signal, call, get] = rowsOf(recorded('034-get-final-useEntity'));
    expect(signal).toMatchObject({ kind: 'entity', label: '@counter@fromOrch add', input: '5' });
    expect(signal!.end).toBe(signal!.start);
    expect(call).toMatchObject({ state: 'completed', input: '10', output: 15 });
    expect(at(call!.end)).toBe('2026-11-21T00:29:40.231Z');
    expect(get).toMatchObject({ label: '@counter@fromOrch get', output: 15 });
    expect(rowsOf(recorded('036-get-final-entityFail'))[1]).toMatchObject({
      kind: 'entity',
      state: 'failed',
    });
  });

  it('nests the instance of a sub-orchestration under it', () => {
    const parent = recorded('030-get-final-parent');
    const [, , second] = rowsOf(parent);
    expect(second).toMatchObject({ kind: 'sub-orchestration', expandable: true, expanded: false });
    const nested = new Map([[second!.key, recorded('037-get-sub-fixed')]]);
    const { rows } = layout(parent, { now: NOW, nested });
    expect(texts(rows)).toEqual([
      '0 orchestration parent: completed',
      '1 sub-orchestration child: completed',
      '1 sub-orchestration child: completed',
      '2 activity sayHello: completed',
    ]);
    expect(rows[2]).toMatchObject({ expanded: true, instanceId: 'parent-1-fixed', key: second!.key });
    expect(rows[3]!.key.startsWith(`${second!.key}/`)).toBe(true);
  });

  it('shows a rewind', () => {
    const rows = rowsOf(recorded('020-get-after-rewind'));
    expect(texts(rows)).toEqual([
      '0 orchestration failing: failed',
      '1 event Rewound: completed',
      '1 activity boom: failed',
    ]);
    expect(rows[1]!.reason).toBe('try again');
  });

  it('shows an instance without a history', () => {
    const rows = rowsOf({ ...recorded('026-get-final-retry'), historyEvents: null });
    expect(texts(rows)).toEqual(['0 orchestration retry: completed']);
  });
});

describe('the layout of a history', () => {
  const started = {
    EventType: 'ExecutionStarted',
    Timestamp: '2026-11-21T00:00:00Z',
    FunctionName: 'Made',
    Input: '1',
  };

  it('draws what is open up to now, and what was left when the instance ended as unfinished', () => {
    const open = { EventType: 'TaskScheduled', Timestamp: '2026-11-21T00:01:00Z', Name: 'Slow' };
    const child = {
      EventType: 'SubOrchestrationInstanceCreated',
      Timestamp: '2026-11-21T00:02:00Z',
      Name: 'Child',
      InstanceId: 'child-1',
    };
    const live = rowsOf(instanceOf('Running', started, open, child));
    expect(live.every(({ state, end }) => state === 'open' && end === NOW)).toBe(true);
    expect(live[2]).toMatchObject({ instanceId: 'child-1', expandable: true });
    const over = rowsOf(instanceOf('Terminated', started, open));
    expect([over[1]!.state, at(over[1]!.end)]).toEqual(['unfinished', '2026-11-21T00:10:00.000Z']);
  });

  it('shows a timer of a running instance as open, and as cancelled once later things have happened', () => {
    const timer = {
      EventType: 'TimerCreated',
      Timestamp: '2026-11-21T00:00:01Z',
      FireAt: '2026-11-21T00:05:00Z',
    };
    const event = { EventType: 'EventRaised', Timestamp: '2026-11-21T00:06:00Z', Name: 'Go', Input: 'null' };
    expect(rowsOf(instanceOf('Running', started, timer))[1]).toMatchObject({ state: 'open', end: NOW });
    const [, cancelled] = rowsOf(instanceOf('Running', started, timer, event));
    expect([cancelled!.state, at(cancelled!.end)]).toEqual(['cancelled', '2026-11-21T00:05:00.000Z']);
  });

  it('tells the retries of calls apart that failed together', () => {
    const call = (type: string, name: string, from: number, to: number): HistoryEvent => ({
      EventType: type,
      FunctionName: name,
      ScheduledTime: at(NOW + from * 1000),
      Timestamp: at(NOW + to * 1000),
    });
    const timer = (from: number, fireAt: number): HistoryEvent[] => {
      const times = { Timestamp: at(NOW + from * 1000), FireAt: at(NOW + fireAt * 1000) };
      return [
        { EventType: 'TimerCreated', ...times },
        { EventType: 'TimerFired', ...times },
      ];
    };
    const rows = rowsOf(
      instanceOf(
        'Completed',
        started,
        call('TaskFailed', 'A', 0, 1),
        call('TaskFailed', 'B', 0, 1.1),
        ...timer(1.2, 6.2),
        ...timer(1.2, 11.2),
        call('TaskCompleted', 'A', 6.3, 7),
        call('TaskCompleted', 'C', 7, 8),
        call('TaskCompleted', 'B', 11.3, 12),
        call('TaskCompleted', 'A', 13, 14),
      ),
    ).filter(({ kind }) => kind === 'activity');
    expect(rows.map(({ label, attempt }) => [label, attempt])).toEqual([
      ['A', 1],
      ['B', 1],
      ['A', 2],
      ['C', undefined],
      ['B', 2],
      ['A', undefined],
    ]);
  });

  it('keeps the keys of rows when the history grows', () => {
    const whole = recorded('008-get-completed-full-history-output');
    const before = { ...whole, runtimeStatus: 'Running', historyEvents: whole.historyEvents!.slice(0, 4) };
    const keys = rowsOf(whole).map(({ key }) => key);
    expect(rowsOf(before).map(({ key }) => key)).toEqual(keys.slice(0, 4));
  });

  it('lays out 5,000 events', () => {
    const events = Array.from({ length: 5000 }, (_, index): HistoryEvent => ({
      EventType: 'TaskCompleted',
      FunctionName: 'Step',
      ScheduledTime: at(NOW + index),
      Timestamp: at(NOW + index + 1),
    }));
    expect(rowsOf(instanceOf('Completed', started, ...events))).toHaveLength(5001);
  });
});

describe('the time axis', () => {
  it('has ticks at round times', () => {
    const labels = (from: string, to: string): string[] =>
      ticks(Date.parse(from), Date.parse(to), 6).map(({ label }) => label);
    expect(labels('2026-11-21T00:29:31.305Z', '2026-11-21T00:29:32.894Z')).toEqual([
      '29:31.500',
      '29:32.000',
      '29:32.500',
    ]);
    expect(labels('2026-11-21T21:10:00Z', '2026-11-22T02:10:00Z')).toEqual([
      '22:00',
      '23:00',
      '2026-11-22',
      '01:00',
      '02:00',
    ]);
    expect(labels('2020-01-01T00:00:00Z', '2026-01-01T00:00:00Z').length).toBeGreaterThan(3);
  });

  it('writes lengths of time for people', () => {
    expect([85, 1250, 200_000, 3_600_000, 187_200_000].map(lengthOf)).toEqual([
      '85 ms',
      '1.2 s',
      '3 min 20 s',
      '1 h',
      '2 d 4 h',
    ]);
  });

  it('zooms around a row, within the whole, and moves to a row that is not visible', () => {
    const whole = { from: 0, to: 1000 };
    expect(zoomed(whole, whole, 1 / 4, 100)).toEqual({ from: 0, to: 250 });
    expect(zoomed({ from: 0, to: 250 }, whole, 4, 100)).toBeUndefined();
    expect(showing({ from: 0, to: 100 }, { start: 500, end: 600 })).toEqual({ from: 490, to: 590 });
    expect(positionOf({ from: 0, to: 100 }, 50, 200)).toEqual({ left: 50, width: 50 });
    expect(positionOf({ from: 0, to: 100 }, 150, 200)).toMatchObject({ hidden: 'after' });
  });
});
