/**
 * Histories of the emulator and of a real host, replayed on today's code; and the same histories with
 * changes, as if the code had changed.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HistoryEvent, HistoryRow, ShownHistory } from '../src/testing.js';
import { HistoryMismatchError, TestApp, UnreadableHistoryError } from '../src/testing.js';

const fixtures = path.join(import.meta.dirname, 'fixtures');
let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ directory: path.join(fixtures, 'recorded-app'), time: '2026-11-21T00:00:00Z' });
});
afterAll(async () => {
  await app.stop();
});

function read<T>(file: string): T {
  return JSON.parse(readFileSync(path.join(fixtures, file), 'utf8')) as T;
}

/** All histories that the real host showed in the recorded session, by the names of the calls. */
const recordings = ['recorded/calls.json', 'recorded/extra-calls.json']
  .flatMap((file) => read<{ name: string; response?: { body: unknown } }[]>(file))
  .flatMap(({ name, response }): { name: string; status: ShownHistory }[] => {
    const body = response?.body;
    return typeof body === 'object' && body !== null && 'historyEvents' in body
      ? [{ name, status: body as ShownHistory }]
      : [];
  });
const recordedRows =
  read<Record<string, { History: Record<string, string | [type: string, value: string]>[] }>>(
    'storage/rows.json',
  );

/** A status with its history, as shown by a real host. */
function shown(name: string): ShownHistory {
  return structuredClone(recordings.find((recording) => recording.name === name)!.status);
}

function rowsOf(instanceId: string): HistoryRow[] {
  return recordedRows[instanceId]!.History.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, cell]) => [
        name,
        Array.isArray(cell) ? { type: cell[0], value: cell[1] } : cell,
      ]),
    ),
  );
}

/** The history of an instance that has run here, in the form of a fixture. */
async function recorded(name: string, input?: unknown): Promise<HistoryEvent[]> {
  const { instanceId } = await app.finished(await app.start(name, input));
  return JSON.parse(JSON.stringify(await app.history(instanceId))) as HistoryEvent[];
}

function activities(history: HistoryEvent[]): (HistoryEvent & { EventType: 'TaskScheduled' })[] {
  return history.filter((event) => event.EventType === 'TaskScheduled');
}

describe('Today’s code follows', () => {
  test.for(
    recordings.filter(({ status }) =>
      status.historyEvents.every((event) => event.EventType !== 'TaskCompleted' || 'Result' in event),
    ),
  )('what the management API of a real host showed: $name', async ({ status }) => {
    await expect(app.replay(status)).resolves.toBeUndefined();
  });

  test.for(['parent-1', 'race-1', 'susp-1'])('the rows that a real host wrote for %s', async (instanceId) => {
    await expect(app.replay(rowsOf(instanceId))).resolves.toBeUndefined();
  });

  test('what has run here, in each form of its history, and runs nothing but the orchestrator', async () => {
    const { instanceId } = await app.finished(await app.start('retry'));
    const before = app.calls('flaky').length;
    await expect(app.replay(await app.history(instanceId))).resolves.toBeUndefined();
    const status = await app.get(
      `/runtime/webhooks/durabletask/instances/${instanceId}?showHistory=true&showHistoryOutput=true`,
    );
    await expect(app.replay((await status.json()) as ShownHistory)).resolves.toBeUndefined();
    expect(app.calls('flaky')).toHaveLength(before);
  });

  test('an instance that still waits', async () => {
    const id = await app.start('full', { who: 'me', n: [] });
    await app.skip('idle');
    const history = await app.history(id);
    expect(history.at(-1)!.EventType).toBe('OrchestratorCompleted');
    await expect(app.replay(history)).resolves.toBeUndefined();
  });

  test('other inputs and results than it would give', async () => {
    const history = await recorded('chain3');
    activities(history)[0]!.Input = '"Oslo"';
    const end = history.find((event) => event.EventType === 'ExecutionCompleted')!;
    end.Result = '"other"';
    await expect(app.replay(history)).resolves.toBeUndefined();
  });
});

describe('Today’s code does not follow a history', () => {
  const departure = async (history: HistoryEvent[]): Promise<string> => {
    const error: unknown = await app.replay(history).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HistoryMismatchError);
    return (error as Error).message;
  };
  const without = (history: HistoryEvent[], what: (event: HistoryEvent) => boolean): HistoryEvent[] =>
    history.filter((event) => !what(event));

  test('in which a step was another, by number and names', async () => {
    const history = await recorded('chain3');
    activities(history)[1]!.Name = 'sayGoodbye';
    expect(await departure(history)).toMatch(
      /^Today's 'chain3' does not follow the history of '\w+'\. Non-Deterministic workflow detected: .*an activity task with sequence number 1 named 'sayGoodbye'.* named 'sayHello'/,
    );
  });

  test('in which a step was of another kind', async () => {
    const history = await recorded('chain3');
    const [first] = activities(history);
    const timer: HistoryEvent = {
      EventType: 'TimerCreated',
      EventId: 0,
      Timestamp: first!.Timestamp,
      FireAt: first!.Timestamp,
    };
    expect(await departure(history.map((event) => (event === first ? timer : event)))).toContain(
      'a timer task with sequence number 0 named but the current orchestration replay instead produced a ScheduleTaskOrchestratorAction',
    );
  });

  test('that has a step more', async () => {
    const history = await recorded('chain3');
    const last = history.findIndex((event) => event.EventType === 'ExecutionCompleted');
    history.splice(last, 0, { ...activities(history)[0]!, EventId: 3, Name: 'pack' });
    expect(await departure(history)).toContain(
      "an activity task with sequence ID 3 and name 'pack' (version ''), but the current replay execution hasn't (yet?) scheduled this task.",
    );
  });

  test('that has a step less', async () => {
    const history = await recorded('chain3');
    const shorter = without(
      history,
      (event) => event.EventId === 2 || ('TaskScheduledId' in event && event.TaskScheduledId === 2),
    );
    expect(await departure(shorter)).toContain(
      "The history ends Completed after sequence number 1, while today's code schedules the activity 'sayHello'.",
    );
  });

  test('that ended while it waits', async () => {
    const id = await app.start('full', { who: 'me', n: [] });
    await app.skip('idle');
    await app.raise(id, 'Approval', {});
    const history = await app.history(id);
    expect(await departure(without([...history], (event) => event.EventType === 'EventRaised'))).toContain(
      "The history ends Completed after sequence number 3, while today's code goes on waiting. It waits for the event 'Approval'.",
    );
  });

  test('that ended well while it fails, and why', async () => {
    const history = await recorded('throws');
    history.find((event) => event.EventType === 'ExecutionCompleted')!.OrchestrationStatus = 'Completed';
    expect(await departure(history)).toMatch(
      /The history ends Completed after sequence number 0, while today's code ends Failed\. Orchestrator function 'throws' failed: /,
    );
  });

  test('of an orchestrator that is gone', async () => {
    const history = await recorded('chain3');
    const start = history.find((event) => event.EventType === 'ExecutionStarted')!;
    expect(
      await departure(history.map((event) => (event === start ? { ...start, Name: 'chain4' } : event))),
    ).toContain('The app has no orchestrator of that name any more.');
  });

  test.for<[string, (status: ShownHistory) => ShownHistory['historyEvents'], string]>([
    [
      'another activity',
      ({ historyEvents }) =>
        historyEvents.map((event) =>
          event.EventType === 'TaskCompleted' ? { ...event, FunctionName: 'sayGoodbye' } : event,
        ),
      "schedules the activity 'sayHello' with sequence number 0, and the history has no such call there",
    ],
    [
      'an activity more',
      ({ historyEvents }) => historyEvents.toSpliced(4, 0, { ...historyEvents[3]! }),
      "The history has the end of the activity 'sayHello' at 2026-11-21T00:29:31.5258529Z, before today's code has scheduled it",
    ],
    [
      'an activity more that has not ended',
      ({ historyEvents }) =>
        historyEvents.toSpliced(4, 0, {
          EventType: 'TaskScheduled',
          Name: 'pack',
          Timestamp: historyEvents[3]!.Timestamp,
        }),
      "The history has the activity 'pack', which today's code does not schedule",
    ],
    [
      'no timer',
      ({ historyEvents }) => historyEvents.filter(({ EventType }) => !EventType.startsWith('Timer')),
      'schedules a timer with sequence number 3',
    ],
    [
      'another end',
      ({ historyEvents }) => historyEvents.filter(({ EventType }) => EventType !== 'ExecutionCompleted'),
      "The history goes on waiting after sequence number 3, while today's code ends Completed",
    ],
  ])('that the management API shows, with %s', async ([, change, message]) => {
    const status = shown('008-get-completed-full-history-output');
    await expect(app.replay({ ...status, historyEvents: change(status) })).rejects.toThrow(message);
  });
});

describe('A history that cannot be replayed is reported:', () => {
  test.for<[string, () => unknown, string]>([
    ['a list of something else', () => [{ EventType: 'TaskCompleted' }], 'no ExecutionStarted'],
    [
      'something else',
      () => ({ name: 'full' }),
      'neither a list of events or rows, nor a status with historyEvents',
    ],
    ['a status without results', () => shown('007-get-completed-full-history'), 'showHistoryOutput=true'],
    [
      'a status without inputs',
      () => {
        const status = shown('008-get-completed-full-history-output');
        return {
          ...status,
          historyEvents: status.historyEvents.map((event) =>
            Object.fromEntries(Object.entries(event).filter(([name]) => name !== 'Input')),
          ),
        };
      },
      'showInput=true',
    ],
    [
      'rows of which a text is in a blob',
      () =>
        rowsOf('parent-1').map((row) =>
          'Result' in row ? { ...row, Result: '', ResultBlobName: 'parent-1/big.json.gz' } : row,
        ),
      "is in the blob 'parent-1/big.json.gz'",
    ],
    [
      'rows of no orchestrator',
      () => [...rowsOf('parent-1'), { EventType: 'HistoryState', _Timestamp: '2026-11-21T00:00:00Z' }],
      'HistoryState',
    ],
  ])('%s', async ([, history, message]) => {
    const replayed = app.replay(history() as HistoryEvent[]);
    await expect(replayed).rejects.toBeInstanceOf(UnreadableHistoryError);
    await expect(replayed).rejects.toThrow(message);
  });
});
