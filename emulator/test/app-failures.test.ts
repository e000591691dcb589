/** Apps that fail outside any call, and bindings that the emulator does not have, in tests of an app. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { AppFailedError, TestApp } from '../src/testing.js';

const directory = path.join(import.meta.dirname, 'fixtures/apps/troubled');

describe('an app that fails outside any call', () => {
  test.each([
    ['timer', /Error: audit log unreachable$/],
    ['rejection', /Error: nobody awaits this$/],
    ['text', /: a text$/],
    ['stream', /Error: ENOENT: no such file or directory/],
    ['emitter', /Error: no listener$/],
    ['exit', /Error: The app called process\.exit\(7\)\.$/],
    ['abort', /Error: The app called process\.abort\(\)\.$/],
  ])('by %s fails the test that caused it, with its stack', async (how, message) => {
    await using app = await TestApp.start({ directory });
    await using other = await TestApp.start({ directory });
    const id = await app.start('order', how);
    const failure: unknown = await app.finished(id).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(AppFailedError);
    expect((failure as Error).message).toMatch(message);
    if (['timer', 'rejection', 'emitter', 'exit', 'abort'].includes(how))
      expect((failure as Error).stack).toMatch(/troubled[\\/]index\.js:\d+:\d+/);
    // What ran has failed, as under the Functions host; other environments do not notice.
    if (how !== 'abort')
      expect(await app.finished(id)).toMatchObject({
        output: "Activity function 'fails' failed: node exited with code 1 (0x1)",
      });
    await other.quiet();
  });

  test('fails the test at the end of its environment, when nothing else has thrown it', async () => {
    const app = await TestApp.start({ directory });
    await app.start('order', 'timer');
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
    await expect(app.stop()).rejects.toThrow('audit log unreachable');
  });

  test('fails the call of an HTTP function that runs then', async () => {
    await using app = await TestApp.start({ directory });
    await expect(app.get('/api/hangs')).rejects.toThrow('Error: late');
    expect((await app.get('/api/pid')).status).toBe(200);
  });
});

describe('crashWorker', () => {
  test('fails the activities that run; an instance that waits goes on', async () => {
    await using app = await TestApp.start({ directory });
    const waits = await app.start('waits');
    await app.quiet();
    app.replace('fails', () => new Promise(() => {}));
    const id = await app.start('order', 'timer');
    while (app.calls('fails').length === 0)
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    await app.crashWorker();
    expect((await app.finished(id)).output).toBe(
      "Activity function 'fails' failed: node exited with code 1 (0x1)",
    );
    await app.raise(waits, 'Go');
    expect(await app.finished(waits)).toMatchObject({ runtimeStatus: 'Completed' });
  });

  test('in mid-episode makes the instance Failed, as in Azure', async () => {
    await using app = await TestApp.start({ directory });
    const id = await app.start('waits');
    await app.quiet();
    await app.crashWorker({ during: 'Waits' });
    await app.raise(id, 'Go');
    expect(await app.instance(id)).toMatchObject({
      runtimeStatus: 'Failed',
      // The host compares what the orchestrator scheduled before with nothing.
      output: expect.stringMatching(/^Non-Deterministic workflow detected/) as unknown,
    });
    await expect(app.crashWorker({ during: 'nobody' })).rejects.toThrow(
      "The app has no function named 'nobody'. It has: daily, ",
    );
  });
});

describe('an activity with bindings that the emulator does not have', () => {
  test.each([
    ['as it is', {}],
    ['disabled by a setting', { 'AzureWebJobs.writeReport.Disabled': 'true' }],
  ])('can be replaced, %s', async (_, settings) => {
    await using app = await TestApp.start({ directory, settings });
    app.replace('writeReport', ({ text }: { text: string }) => text.length);
    expect((await app.finished(await app.start('daily'))).output).toBe(6);
    expect(app.calls('writeReport')).toMatchObject([{ input: { id: '1', text: 'Hi pat' } }]);
  });

  test('fails with the reason when it is not replaced, and after restore', async () => {
    await using app = await TestApp.start({ directory });
    const reason = /'writeReport' uses the bindings 'sql' and 'cosmosDB', which the emulator does not have/;
    expect((await app.finished(await app.start('daily'))).output).toMatch(reason);
    app.replace('writeReport', () => 1);
    app.restore('writeReport');
    expect((await app.finished(await app.start('daily'))).output).toMatch(reason);
  });
});
