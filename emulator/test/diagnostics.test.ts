/**
 * Mistakes that production does not report. The instance gets the state that it has in production, and the
 * log says once what happened and where in the app's code. In strict mode the instance fails with that text.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { TestApp, type TestAppOptions } from '../src/testing.js';

const directory = path.join(import.meta.dirname, 'fixtures/stuck-app');
const source = readFileSync(path.join(directory, 'index.js'), 'utf8').split('\n');

/** The file, as diagnostics name it: the working directory is the app's own. */
const file = 'index.js';

/** The place of the mark with that name, in the form of a diagnostic without its column. */
const at = (mark: string): string =>
  `\n    at ${file}:${source.findIndex((line) => line.endsWith(`// ${mark}`)) + 1}:`;

interface Lax {
  app: TestApp;
  said: string[];
}

async function start(options: TestAppOptions = {}): Promise<TestApp> {
  const app = await TestApp.start({ directory, time: '2026-03-01T08:00:00Z', ...options });
  onTestFinished(() => app.stop());
  return app;
}

/** An environment that is not strict, as production, with its warnings and errors about instances. */
async function startLax(): Promise<Lax> {
  const said: string[] = [];
  const app = await start({
    strict: false,
    log: (level, category, message) => {
      if (level !== 'information' && category === 'Host.Triggers.DurableTask') said.push(message);
    },
  });
  return { app, said };
}

declare global {
  var appHasChanged: boolean | undefined;
}
afterEach(() => {
  globalThis.appHasChanged = undefined;
});

describe('An instance that hangs in production hangs here, and fails in strict mode', () => {
  const raise =
    (name: string) =>
    (app: TestApp, id: string): Promise<void> =>
      app.raise(id, name);
  const cases: [name: string, text: string, meanwhile?: (app: TestApp, id: string) => Promise<void>][] = [
    [
      'unknownActivity',
      "The orchestrator calls an activity named 'gone', and there is none: the instance will wait for it for ever.",
    ],
    [
      'unknownChild',
      "The orchestrator calls a sub-orchestrator named 'gone', and there is none: the instance will wait for it for ever.",
    ],
    ['callsItself', "which is its own or its parent's: the instance will wait for it for ever."],
    [
      'callsAnEntityId',
      "with the id '@counter@a'. Ids that begin with @ are those of entities: the instance will wait for it for ever.",
    ],
    [
      'callsWhatRuns',
      "The orchestrator calls the sub-orchestrator 'waits' with the id 'busy' while an instance of that id runs. In production the one that runs is lost",
    ],
    ['callsUnknownEntity', "The function 'gone' doesn't exist, is disabled, or is not an entity function."],
    ['waitsAWeekToRetry', "'fails' is called with a retry interval of more than six days."],
    [
      'retriesAtOnce',
      "'fails' failed, and its retry options say to wait for no time: backoffCoefficient or maxRetryIntervalInMilliseconds is 0.",
      (app) => app.skip({ minutes: 10 }),
    ],
    [
      'runsOutOfTime',
      "'fails' failed for the 3rd time after its retryTimeout had passed.",
      (app) => app.skip({ minutes: 10 }),
    ],
    [
      'throwsNothing',
      'nothing is scheduled that could wake it: it will wait for ever. It has thrown undefined, or',
    ],
    ['yieldsTwice', 'A task was yielded a second time inside another Task.any or Task.all.', raise('E')],
    ['yieldsTheCompleted', 'A task was yielded a second time inside another Task.any or Task.all.'],
  ];

  test.each(cases)('%s', async (name, text, meanwhile = () => Promise.resolve()) => {
    const run = async (app: TestApp): Promise<string> => {
      await app.start('waits', null, 'busy');
      await app.quiet();
      const id = await app.start(name);
      await app.quiet();
      await meanwhile(app, id);
      return id;
    };
    const { app, said } = await startLax();
    const id = await run(app);
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running', output: null });
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(text);
    expect(said[0]).toContain(at(name));
    await app.terminate(id);

    const strict = await start();
    const { runtimeStatus, output } = (await strict.instance(await run(strict)))!;
    expect(runtimeStatus).toBe('Failed');
    expect(output).toContain(text);
    expect(output).toContain(at(name));
  });

  test.each(['throwsText', 'throwsAnEmptyError'])(
    '%s: it fails there with a text that names no cause, and the log names it',
    async (name) => {
      const text = 'The orchestrator threw something that is no Error, or an Error without a message.';
      const { app, said } = await startLax();
      const { runtimeStatus, output } = await app.finished(await app.start(name));
      expect([runtimeStatus, output]).toEqual([
        'Failed',
        "Non-Deterministic workflow detected: A previous execution of this orchestration scheduled an activity task with sequence ID 0 and name 'echo' (version ''), but the current replay execution hasn't (yet?) scheduled this task. Was a change made to the orchestrator code after this instance had already started running?",
      ]);
      expect(said[0]).toContain(text);
      expect(said[0]).toContain(at(name));

      const strict = await start();
      const { output: reported } = await strict.finished(await strict.start(name));
      expect(reported).toContain(text);
      expect(reported).toContain(at(name));
    },
  );

  test.each([
    [
      'retriesForEver',
      'Null object cannot be converted to a value type.',
      "'fails' is called with retry options in which maxNumberOfAttempts is Infinity. The host reads numbers up to 2147483647",
    ],
    [
      'retriesForAMonth',
      'Value was either too large or too small for an Int32.',
      "'waits' is called with retry options in which retryTimeoutInMilliseconds is 2592000000.",
    ],
  ])(
    '%s: it fails there with the text of a number that the host cannot read, and the log names the number',
    async (name, output, text) => {
      const { app, said } = await startLax();
      expect(await app.finished(await app.start(name))).toMatchObject({
        runtimeStatus: 'Failed',
        output: `Orchestrator function '${name}' failed: ${output}`,
      });
      expect(said[0]).toContain(text);

      const strict = await start();
      expect((await strict.finished(await strict.start(name))).output).toContain(text);
    },
  );

  test('A refused call takes no task id, so it gets the result of another call', async () => {
    const { app, said } = await startLax();
    expect(await app.finished(await app.start('unknownAmongOthers'))).toMatchObject({ output: 'gone: echo' });
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(at('unknownAmongOthers'));
  });
});

describe('A function that a setting disables', () => {
  test.each([
    ['activity', 'unknownActivity', 'echo', "calls an activity named 'echo', and"],
    ['sub-orchestrator', 'callsWhatRuns', 'waits', "calls a sub-orchestrator named 'waits', and"],
    ['entity', 'callsTally', 'tally', "The function 'tally' doesn't exist, is disabled, or"],
  ])('is called as %s, and the failure names the setting', async (_kind, name, disabled, text) => {
    const app = await start({ settings: { [`AzureWebJobs.${disabled}.Disabled`]: 'true' } });
    const { runtimeStatus, output } = await app.finished(await app.start(name));
    expect(runtimeStatus).toBe('Failed');
    expect(output).toContain(text);
    expect(output).toContain(`the setting AzureWebJobs.${disabled}.Disabled disables it`.slice(1));
  });

  test('is started as an orchestrator, and the log names the setting', async () => {
    const said: string[] = [];
    const app = await start({
      settings: { 'AzureWebJobs.waits.Disabled': 'true' },
      log: (_level, _category, message) => {
        said.push(message);
      },
    });
    const id = await app.start('waits');
    expect((await app.finished(id)).output).toContain(
      "The function 'waits' doesn't exist, is disabled, or is not",
    );
    expect(said).toContain(
      `${id}: The setting AzureWebJobs.waits.Disabled disables the orchestrator 'waits'.`,
    );
  });
});

describe('An instance that fails in production fails here with the same text, and the log has the place', () => {
  test.each([
    [
      'yieldsANumber',
      'Durable Functions programming constraint violation: Orchestration yielded data of type number.',
      () => Promise.resolve(),
    ],
    [
      'changes',
      "scheduled an activity task with sequence number 0 named 'echo', but the current orchestration replay instead scheduled an activity task named 'other'",
      async (app: TestApp, id: string): Promise<void> => {
        globalThis.appHasChanged = true;
        await app.raise(id, 'E');
      },
    ],
  ])('%s', async (name, text, meanwhile) => {
    const run = async (app: TestApp): Promise<string> => {
      globalThis.appHasChanged = undefined;
      const id = await app.start(name);
      await app.quiet();
      await meanwhile(app, id);
      expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Failed' });
      return String((await app.instance(id))!.output);
    };
    const { app, said } = await startLax();
    const output = await run(app);
    expect(output).toContain(text);
    expect(output).not.toContain(file);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(output + at(name));
    expect(await run(await start())).toContain(output + at(name));
  });
});

describe('The log reports', () => {
  test('an event that a wait has taken that was given up', async () => {
    const { app, said } = await startLax();
    const id = await app.start('waitsAgain');
    await app.skip({ seconds: 61 });
    await app.raise(id, 'E', 1);
    expect(said).toEqual([]);
    await app.raise(id, 'E', 2);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain("An event 'E' has come while nobody waited for it, and it is lost");
    expect(said[0]).toContain(at('waitsAgain'));
    await app.skip({ minutes: 5 });
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
  });

  test('events that are lost at continueAsNew', async () => {
    const { app, said } = await startLax();
    const id = await app.start('forgets');
    await app.raise(id, 'E', 1);
    await app.raise(id, 'go');
    expect(said).toEqual([
      expect.stringContaining(
        "events that had come and that it has not waited for are lost, as in production: 'E'.",
      ),
    ]);
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
  });

  test('an event whose name differs by case, or is a number', async () => {
    const { app, said } = await startLax();
    const id = await app.start('waits');
    await app.quiet();
    await app.raise(id, 'e');
    await app.raise(id, 'e');
    expect(said).toEqual([
      expect.stringContaining(
        "An event 'e' has come, and the orchestrator waits for 'E': it goes on waiting",
      ),
    ]);
    expect(said[0]).toContain(at('waits'));
    const asked = await app.start('leavesATimer');
    await app.quiet();
    await app.raise(asked, '0');
    expect(said[1]).toContain(
      "An event named '0' has come, and the SDK takes it for the result of the task with that id.",
    );
  });

  test('a timer that was not cancelled and keeps an instance Running', async () => {
    const { app, said } = await startLax();
    const id = await app.start('leavesATimer');
    await app.raise(id, 'E');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
    expect(said).toEqual([
      expect.stringContaining(
        'a timer that it has not cancelled keeps the instance Running until 2026-03-01T09:00:00Z.',
      ),
    ]);
    await app.skip({ hours: 1 });
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: 'done' });
  });
});
