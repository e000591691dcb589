/** Timer functions: on skipped time, and their statuses on real storage. */
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { SkippingClock, WallClock } from '../src/durable/clock.js';
import { retryPolicy } from '../src/retry.js';
import type { TestAppOptions } from '../src/testing.js';
import { TestApp } from '../src/testing.js';
import { BlobScheduleStatuses, hostId, statusJson, UNKNOWN } from '../src/triggers/schedule-statuses.js';
import { NEVER, parseSchedule } from '../src/triggers/schedules.js';
import { Timers } from '../src/triggers/timers.js';
import { account } from './support/azurite.js';

const directory = path.join(import.meta.dirname, 'fixtures/timer-app');

interface Tick {
  name: string;
  at: string;
  timer: { isPastDue: boolean; schedule: unknown; scheduleStatus: unknown; retry?: unknown };
}

const ALL = [
  'Nightly',
  'Often',
  'Hourly',
  'AtStart',
  'Fails',
  'Waker',
  'Fixed',
  'Growing',
  'TooLong',
] as const;

test('a timer of the wall clock fires within a minute after somebody has set the clock forward', async () => {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
  let woken = false;
  new WallClock().schedule(Date.now() + 20 * 24 * 3_600_000, () => {
    woken = true;
  });
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(woken).toBe(false);
  vi.setSystemTime(Date.now() + 20 * 24 * 3_600_000);
  await vi.advanceTimersByTimeAsync(60_001);
  expect(woken).toBe(true);
});

/** An app in which only the given timer functions are enabled, and the inputs of their runs. */
async function start(
  only: readonly (typeof ALL)[number][],
  { settings, ...options }: TestAppOptions = {},
): Promise<{ app: TestApp; ticks: () => Tick[] }> {
  const environment = randomUUID();
  const disabled = ALL.filter((name) => !only.includes(name)).map((name) => [
    `AzureWebJobs.${name}.Disabled`,
    'true',
  ]);
  const app = await TestApp.start({
    directory,
    time: '2026-11-21T10:00:05Z',
    ...options,
    settings: {
      ENVIRONMENT: environment,
      NIGHTLY: '0 30 2 * * 1-5',
      ...(Object.fromEntries(disabled) as Record<string, string>),
      ...settings,
    },
  });
  return {
    app,
    ticks: () => (globalThis as unknown as { ticks: Record<string, Tick[]> }).ticks[environment] ?? [],
  };
}

describe('a timer function', () => {
  test('runs on its schedule, and gets the time and the status of the schedule', async () => {
    const { app, ticks } = await start(['Nightly']);
    await app.skip({ days: 4 });
    expect(ticks()).toEqual([
      {
        name: 'Nightly',
        at: '2026-11-23T02:30:00.000Z',
        timer: {
          schedule: { adjustForDST: true },
          isPastDue: false,
          scheduleStatus: {
            last: '0001-01-01T00:00:00+00:00',
            next: '2026-11-23T02:30:00+00:00',
            lastUpdated: '0001-01-01T00:00:00+00:00',
          },
        },
      },
      {
        name: 'Nightly',
        at: '2026-11-24T02:30:00.000Z',
        timer: {
          schedule: { adjustForDST: true },
          isPastDue: false,
          scheduleStatus: {
            last: '2026-11-23T02:30:00+00:00',
            next: '2026-11-24T02:30:00+00:00',
            lastUpdated: '2026-11-23T02:30:00+00:00',
          },
        },
      },
      expect.objectContaining({ at: '2026-11-25T02:30:00.000Z' }),
    ]);
    await app.stop();
  });

  test('that runs more often than once a minute has no status', async () => {
    const { app, ticks } = await start(['Often']);
    await app.skip({ seconds: 60 });
    expect(ticks().map(({ at }) => at)).toEqual([
      '2026-11-21T10:00:20.000Z',
      '2026-11-21T10:00:40.000Z',
      '2026-11-21T10:01:00.000Z',
    ]);
    expect(ticks()[0]!.timer).toEqual({
      schedule: { adjustForDST: true },
      scheduleStatus: null,
      isPastDue: false,
    });
    await app.stop();
  });

  test('with a time span for a schedule runs so long after its last run', async () => {
    const { app, ticks } = await start(['Hourly']);
    await app.skip({ hours: 2 });
    expect(ticks().map(({ at }) => at)).toEqual(['2026-11-21T11:00:05.000Z', '2026-11-21T12:00:05.000Z']);
    expect(ticks()[0]!.timer.schedule).toEqual({ adjustForDST: false });
    await app.stop();
  });

  test('runs at the start with runOnStartup, and is not past due then', async () => {
    const { app, ticks } = await start(['AtStart']);
    await app.quiet();
    expect(ticks()).toMatchObject([{ at: '2026-11-21T10:00:05.000Z', timer: { isPastDue: false } }]);
    await app.skip({ days: 41 });
    expect(ticks().slice(1)).toMatchObject([{ at: '2027-01-01T00:00:00.000Z', timer: { isPastDue: false } }]);
    await app.stop();
  });

  test('can be run without its schedule, by a test and by an administrator, and keeps its schedule', async () => {
    const { app, ticks } = await start(['Nightly', 'Fails', 'Fixed'], {
      enforceKeys: true,
      settings: { FAILURES: '9' },
    });
    await app.run('nightly');
    const call = async (
      name: string,
      body: string,
      key = app.keys.master,
      type = 'application/json',
    ): Promise<number> => {
      const headers = { 'x-functions-key': key, 'content-type': type };
      return (await app.post(`/admin/functions/${name}`, body, headers)).status;
    };
    expect(await call('Nightly', '{}')).toBe(202);
    await app.quiet();
    expect(ticks()).toMatchObject(
      Array.from({ length: 2 }, () => ({
        name: 'Nightly',
        at: '2026-11-21T10:00:05.000Z',
        timer: {
          isPastDue: false,
          scheduleStatus: { last: '0001-01-01T00:00:00+00:00', next: '2026-11-23T02:30:00+00:00' },
        },
      })),
    );

    await expect(app.run('Fails')).rejects.toThrow("'Fails' failed: broken");
    await app.run('Fixed');
    expect(ticks().filter(({ name }) => name === 'Fixed')).toHaveLength(1);
    await app.skip({ minutes: 1 });
    expect(ticks().filter(({ name }) => name === 'Fixed')).toHaveLength(3);
    await app.skip({ days: 2 });
    expect(
      ticks()
        .filter(({ name }) => name === 'Nightly')
        .slice(2),
    ).toMatchObject([{ at: '2026-11-23T02:30:00.000Z' }]);
    await expect(app.run('Yearly')).rejects.toThrow(
      "The app has no timer, queue or blob function named 'Yearly'.",
    );
    await expect(app.run('Hourly')).rejects.toThrow(
      "The setting AzureWebJobs.Hourly.Disabled disables the function 'Hourly'.",
    );
    expect(await call('Hangs', '{}')).toBe(404);
    expect(await call('Nightly', '')).toBe(400);
    expect(await call('Nightly', '5')).toBe(400);
    expect(await call('Nightly', '[]')).toBe(400);
    expect(await call('Nightly', '{"input":{"a":1}}')).toBe(400);
    expect(await call('Nightly', '{}', undefined, 'application/x-www-form-urlencoded')).toBe(415);
    expect(await call('Nightly', '{}', app.keys.host)).toBe(403);
    await app.stop();
  });

  test('that fails runs again at its next time', async () => {
    const lines: string[] = [];
    const { app, ticks } = await start(['Fails'], {
      log: (level, category, message) => {
        lines.push(`${level} ${category} ${message.split('\n').slice(0, 2).join(' ')}`);
      },
    });
    await app.skip({ minutes: 20 });
    expect(ticks()).toHaveLength(2);
    expect(
      lines.filter((line) =>
        /^error Function\.Fails Executed 'Functions\.Fails' \(Failed, .*\) Error: broken$/.test(line),
      ),
    ).toHaveLength(2);
    await app.stop();
  });

  test('reads its schedule in the time zone of the settings', async () => {
    const { app, ticks } = await start(['Nightly'], { settings: { WEBSITE_TIME_ZONE: 'America/New_York' } });
    await app.skip({ days: 3 });
    expect(ticks()[0]).toMatchObject({
      at: '2026-11-23T07:30:00.000Z',
      timer: { scheduleStatus: { next: '2026-11-23T02:30:00-05:00' } },
    });
    await app.stop();
  });

  test('does not keep skip(idle) from ending, and wakes an instance that waits for it', async () => {
    const { app } = await start(['Waker', 'Often']);
    const id = await app.start('Wait', 'Morning');
    await app.skip('idle');
    expect(app.now).toEqual(new Date('2026-11-21T10:00:05Z'));
    await app.stop();

    const { app: other } = await start(['Waker']);
    const waiting = await other.start('Wait', 'Morning', id);
    expect(await other.finished(waiting)).toMatchObject({ output: '2026-11-22T06:00:00.000Z' });
    const forEver = await other.start('Wait', 'Evening');
    await expect(other.finished(forEver)).rejects.toThrow(
      "it waits for the event 'Evening', and nothing is due but timer functions, which did not help.",
    );
    await other.stop();
  });

  test.each([
    ['daily', 'neither a valid cron expression nor a time span'],
    ['0 0 0 * * 7', 'neither'],
    ['* * * *', 'neither'],
    ['00:00:00', 'neither'],
    ['', "names the setting 'NIGHTLY' in its schedule, which is not set"],
  ])("with the schedule '%s' keeps the app from starting", async (schedule, message) => {
    await expect(start(['Nightly'], { settings: { NIGHTLY: schedule } })).rejects.toThrow(message);
  });

  test('in an unknown time zone stops the app from starting', async () => {
    await expect(start([], { settings: { WEBSITE_TIME_ZONE: 'Mars Standard Time' } })).rejects.toThrow(
      "names the time zone 'Mars Standard Time'",
    );
  });
});

describe('a function with a retry policy', () => {
  test('runs again after a fixed delay, and gets the failure', async () => {
    const { app, ticks } = await start(['Fixed'], { settings: { FAILURES: '1' } });
    await app.skip({ minutes: 61 });
    expect(ticks()).toMatchObject([
      { at: '2026-11-21T11:00:00.000Z', timer: { retry: { retryCount: 0, maxRetryCount: 2 } } },
      {
        at: '2026-11-21T11:00:30.000Z',
        timer: {
          retry: {
            retryCount: 1,
            maxRetryCount: 2,
            exception: {
              message: expect.stringMatching(
                /^Microsoft.Azure.WebJobs.Host.FunctionInvocationException : Exception while executing function: Functions.Fixed ---> Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcException : Result: Failure\nException: failure 1\nStack: Error: failure 1\n/,
              ) as unknown,
            },
          },
        },
      },
    ]);
    await app.skip({ hours: 1 });
    expect(
      ticks()
        .slice(2)
        .map(({ at }) => at),
    ).toEqual(['2026-11-21T12:00:00.000Z', '2026-11-21T12:00:30.000Z']);
    await app.stop();
  });

  test('fails after its last retry, and runs at its next time', async () => {
    const lines: string[] = [];
    const { app, ticks } = await start(['Fixed'], {
      settings: { FAILURES: '9' },
      log: (level, category, message) => {
        lines.push(`${level} ${category} ${message}`);
      },
    });
    await app.skip({ minutes: 119 });
    expect(ticks().map(({ at }) => at)).toEqual([
      '2026-11-21T11:00:00.000Z',
      '2026-11-21T11:00:30.000Z',
      '2026-11-21T11:01:00.000Z',
    ]);
    expect(lines).toContain("error Function.Fixed Function execution failed after '2' retries.");
    expect(lines).toContain(
      "debug Function.Fixed Waiting for `00:00:30` before retrying function execution. Next attempt: '2'. Max retry count: '2'.",
    );
    await app.skip({ minutes: 1 });
    expect(ticks()[3]!.at).toBe('2026-11-21T12:00:00.000Z');
    await app.stop();
  });

  test('waits longer each time, within its bounds, and without a limit of retries if it has none', async () => {
    const { app, ticks } = await start(['Growing']);
    await app.skip({ hours: 15 });
    const times = ticks().map(({ at }) => Date.parse(at));
    const delays = times.slice(1).map((time, index) => (time - times[index]!) / 1000);
    const [first, second, third] = delays as [number, number, number];
    expect(first).toBe(10);
    expect(
      [second, third].map((delay, index) => delay >= 10 + 8 * 2 ** index && delay <= 10 + 12 * 2 ** index),
    ).toEqual([true, true]);
    expect(delays.at(-1)).toBe(300);
    await app.stop();
  });

  test.each<[what: string, options: Record<string, unknown>, message: string]>([
    ['a strategy that there is not', { strategy: 'never', maxRetryCount: 1 }, "there is no strategy 'never'"],
    [
      'no number of retries',
      { strategy: 'fixedDelay', delayInterval: { seconds: 1 } },
      'its maxRetryCount is not a whole number from -1',
    ],
    ['no delay', { strategy: 'fixedDelay', maxRetryCount: 1 }, 'it has no delayInterval'],
    [
      'bounds in the wrong order',
      {
        strategy: 'exponentialBackoff',
        maxRetryCount: 1,
        minimumInterval: { seconds: 2 },
        maximumInterval: { seconds: 1 },
      },
      'its minimumInterval is longer',
    ],
  ])('cannot have %s', (_what, options, message) => {
    expect(() => retryPolicy(options)).toThrow(message);
  });

  test('stops its wait when its host stops', async () => {
    const { app } = await start(['Growing']);
    await app.skip({ hours: 14 });
    // A host that stops gives functions two seconds to end.
    expect(await Promise.race([app.stop().then(() => 'stopped'), sleep(1900, 'waiting')])).toBe('stopped');
  });
});

describe('a function that takes longer than host.json allows', () => {
  test('fails as an activity, is 500 over HTTP, and nothing else waits for it', async () => {
    const lines: string[] = [];
    const { app } = await start(['TooLong'], {
      settings: { AzureFunctionsJobHost__functionTimeout: '00:00:01' },
      log: (level, category, message) => {
        lines.push(`${level} ${category} ${message}`);
      },
    });
    const [response, instance] = await Promise.all([
      app.get('/api/Hangs'),
      app.finished(await app.start('CallsSlow')),
      app.skip({ hours: 1 }),
    ]);
    expect(response.status).toBe(500);
    expect(instance).toMatchObject({
      runtimeStatus: 'Failed',
      output: expect.stringContaining(
        "Activity function 'Slow' failed: Timeout value of 00:00:01 was exceeded by function: Functions.Slow",
      ) as unknown,
    });
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^error Function\.TooLong Timeout value of 00:00:01 exceeded by function 'Functions\.TooLong' \(Id: '[-0-9a-f]{36}'\)\. It cannot be stopped/,
      ),
    );
    await app.stop();
  });
});

describe('a missed run', () => {
  test('happens at the next start, once, as past due; a run that was not missed does not', async () => {
    const storage = await account();
    const first = await start(['Nightly', 'Hourly'], { storage });
    await first.app.skip({ minutes: 30 });
    await first.app.stop();
    expect(first.ticks()).toEqual([]);

    const second = await start(['Nightly', 'Hourly'], { storage, time: '2026-11-21T15:20:00Z' });
    await second.app.skip({ hours: 1 });
    await second.app.stop();
    expect(second.ticks()).toMatchObject([
      {
        name: 'Hourly',
        at: '2026-11-21T15:20:00.000Z',
        timer: { isPastDue: true, scheduleStatus: { next: '2026-11-21T11:00:05+00:00' } },
      },
      { name: 'Hourly', at: '2026-11-21T16:20:00.000Z', timer: { isPastDue: false } },
    ]);

    const third = await start(['Nightly', 'Hourly'], { storage, time: '2026-11-21T16:30:00Z' });
    await third.app.quiet();
    await third.app.stop();
    expect(third.ticks()).toEqual([]);
  });

  test('of a schedule that was changed meanwhile does not count as missed', async () => {
    const storage = await account();
    await (await start(['Nightly'], { storage })).app.stop();
    const later = await start(['Nightly'], {
      storage,
      time: '2026-12-01T10:00:00Z',
      settings: { NIGHTLY: '0 0 12 * * *' },
    });
    await later.app.quiet();
    expect(later.ticks()).toEqual([]);
    await later.app.skip({ hours: 3 });
    expect(later.ticks()).toMatchObject([{ at: '2026-12-01T12:00:00.000Z', timer: { isPastDue: false } }]);
    await later.app.stop();
  });

  test('is found from the blob of the real host', async () => {
    const storage = await account();
    const settings = { AzureFunctionsWebHost__hostid: 'shared' };
    const { app } = await start(['Nightly'], { storage, settings });
    await app.skip({ days: 2 });
    await app.stop();
    const blob = BlobServiceClient.fromConnectionString(storage)
      .getContainerClient('azure-webjobs-hosts')
      .getBlockBlobClient('timers/shared/Host.Functions.Nightly/status');
    expect((await blob.downloadToBuffer()).toString()).toBe(
      '{"Last":"2026-11-23T02:30:00+00:00","Next":"2026-11-24T02:30:00+00:00","LastUpdated":"2026-11-23T02:30:00+00:00"}',
    );

    const written =
      '{"Last":"2026-11-23T02:30:00.0041234+00:00","Next":"2026-11-24T02:30:00+00:00","LastUpdated":"2026-11-23T02:30:00.0041234+00:00"}';
    await blob.upload(written, written.length);
    const next = await start(['Nightly'], { storage, settings, time: '2026-11-24T10:00:00Z' });
    await next.app.quiet();
    expect(next.ticks()).toMatchObject([{ timer: { isPastDue: true } }]);
    await next.app.stop();
  });
});

test('storage that does not answer is logged, and stops no function from running', async () => {
  const nobody =
    'DefaultEndpointsProtocol=http;AccountName=a;AccountKey=dGVzdA==;BlobEndpoint=http://127.0.0.1:1/a';
  const lines: string[] = [];
  const clock = new SkippingClock(0);
  let runs = 0;
  const trigger = { type: 'timerTrigger', direction: 'in', name: 'timer', schedule: '00:01:00' } as const;
  const timers = new Timers([{ name: 'Tick', trigger, bindings: { timer: trigger } }], {
    clock,
    timeZone: 'UTC',
    log: (level, _category, message) => {
      lines.push(`${level} ${message}`);
    },
    run: async () => {
      runs++;
    },
    statuses: new BlobScheduleStatuses({
      connection: { connectionString: nobody },
      hostId: 'h',
      timeZone: 'UTC',
    }),
  });
  await timers.start();
  clock.moveTo(60_000);
  clock.wakeOne();
  await timers.stop();
  expect(runs).toBe(1);
  expect(
    lines.filter((line) => line.startsWith('error The host cannot read when the function')),
  ).toHaveLength(1);
  expect(
    lines.filter((line) => line.startsWith('error The host cannot write when the function')),
  ).toHaveLength(2);
});

test('the id of a host is that of func start: from the machine and the folder, or from a setting', () => {
  expect(hostId('/home/me/app', () => 'chosen')).toBe('chosen');
  expect(hostId('/home/me/app', () => undefined)).toMatch(/^[a-z0-9]+-\d+$/);
  expect(hostId('/home/me/app', () => undefined)).not.toBe(hostId('/home/me/app2', () => undefined));
});

test('times are written as .NET writes them', () => {
  const time = Date.parse('2026-07-01T12:00:00.120Z');
  expect(statusJson({ last: UNKNOWN, next: time, lastUpdated: time }, 'Asia/Kolkata')).toEqual({
    Last: '0001-01-01T00:00:00+00:00',
    Next: '2026-07-01T17:30:00.12+05:30',
    LastUpdated: '2026-07-01T17:30:00.12+05:30',
  });
});

describe('a schedule', () => {
  const after = (text: string, from: string, count: number, zone = 'UTC'): string[] => {
    const schedule = parseSchedule(text, zone)!;
    const found: string[] = [];
    for (let time = Date.parse(from); found.length < count;)
      found.push(new Date((time = schedule.next(time))).toISOString().replace('.000', ''));
    return found;
  };

  test.each<[text: string, next: string[]]>([
    ['0 */5 * * * *', ['2026-01-01T00:05:00Z', '2026-01-01T00:10:00Z']],
    ['*/5 * * * *', ['2026-01-01T00:05:00Z', '2026-01-01T00:10:00Z']],
    ['30 5 * * * *', ['2026-01-01T00:05:30Z', '2026-01-01T01:05:30Z']],
    ['0 0 */6 * * *', ['2026-01-01T06:00:00Z', '2026-01-01T12:00:00Z']],
    ['0 0 17-8 * * *', ['2026-01-01T08:00:00Z', '2026-01-01T09:00:00Z']],
    ['0 30 9 * * Mon-Fri', ['2026-01-01T09:30:00Z', '2026-01-02T09:30:00Z', '2026-01-05T09:30:00Z']],
    ['0 30 9 * Jan,february Monday', ['2026-01-05T09:30:00Z', '2026-01-12T09:30:00Z']],
    [
      '5,8,10 0 0 1 * *',
      ['2026-01-01T00:00:05Z', '2026-01-01T00:00:08Z', '2026-01-01T00:00:10Z', '2026-02-01T00:00:05Z'],
    ],
    [
      '0 50/4 * * * *',
      ['2026-01-01T00:50:00Z', '2026-01-01T00:54:00Z', '2026-01-01T00:58:00Z', '2026-01-01T01:50:00Z'],
    ],
    // Both the day and the weekday have to match, unlike in cron.
    ['0 0 0 13 * 5', ['2026-02-13T00:00:00Z', '2026-03-13T00:00:00Z']],
    ['0 0 0 31 * *', ['2026-01-31T00:00:00Z', '2026-03-31T00:00:00Z']],
    ['1.12:00:00', ['2026-01-02T12:00:00Z', '2026-01-04T00:00:00Z']],
    ['0 0 0 30 2 *', ['9999-12-31T23:59:59Z']],
  ])('%s comes when NCRONTAB says', (text, next) => {
    expect(after(text, '2026-01-01T00:00:00Z', next.length)).toEqual(next);
  });

  test.each([
    '',
    'x',
    '60 * * * * *',
    '* * * * * * *',
    '* * * 0 * *',
    '* * * * 13 *',
    '* * * * * 7',
    '1,,2 * * * * *',
    '*/x * * * * *',
    '1-2-3 * * * * *',
    '-5 * * * * *',
    'Mon * * * * *',
    '* * * * * L',
    '? * * * * *',
    '@daily',
    '-00:01:00',
  ])("'%s' is none", (text) => {
    expect(parseSchedule(text, 'UTC')).toBeUndefined();
  });

  test.each([
    ['*/30 * * * * *', true],
    ['5 * * * * *', false],
    ['*/30 0 * * * *', false],
    ['* * * * *', false],
    ['00:00:59', true],
    ['00:01:00', false],
  ])('%s: more often than once a minute is %s', (text, frequent) => {
    expect(parseSchedule(text, 'UTC')!.frequent).toBe(frequent);
  });

  test('in an hour that repeats runs once at a point in time, and twice at an interval', () => {
    const zone = 'America/Los_Angeles';
    expect(after('0 30 1 * * *', '2018-11-04T07:30:00Z', 2, zone)).toEqual([
      '2018-11-04T08:30:00Z',
      '2018-11-05T09:30:00Z',
    ]);
    expect(after('0 30 1 * * *', '2018-11-04T09:20:00Z', 1, zone)).toEqual(['2018-11-05T09:30:00Z']);
    expect(after('0 */30 * * * *', '2018-11-04T08:00:00Z', 4, zone)).toEqual([
      '2018-11-04T08:30:00Z',
      '2018-11-04T09:00:00Z',
      '2018-11-04T09:30:00Z',
      '2018-11-04T10:00:00Z',
    ]);
    expect(after('0 30 2 * * *', '2018-03-10T11:00:00Z', 2, zone)).toEqual([
      '2018-03-11T10:00:00Z',
      '2018-03-12T09:30:00Z',
    ]);
  });

  test('that never comes is never due', () => {
    expect(parseSchedule('0 0 0 31 4 *', 'UTC')!.next(Date.now())).toBe(NEVER);
  });
});
