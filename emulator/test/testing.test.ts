import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NeverFinishesError, TestApp } from '../src/testing.js';

const directory = path.join(import.meta.dirname, 'fixtures/test-app');
let app: TestApp;

beforeEach(async () => {
  app = await TestApp.start({ directory, time: '2026-03-01T08:00:00Z' });
});
afterEach(async () => {
  await app.stop();
});

describe('An app under test', () => {
  test('is called over HTTP, and its client starts orchestrations that run to their end', async () => {
    const response = await app.post('/api/orchestrators/chain', { names: ['Tokyo', 'London'] });
    expect(response.status).toBe(202);
    const { id, statusQueryGetUri } = (await response.json()) as { id: string; statusQueryGetUri: string };
    await app.quiet();
    expect(await app.instance(id)).toMatchObject({
      runtimeStatus: 'Completed',
      output: ['Hello, Tokyo!', 'Hello, London!'],
    });
    const status = await app.get(statusQueryGetUri);
    expect(status.status).toBe(200);
    expect(await status.json()).toMatchObject({ runtimeStatus: 'Completed' });
  });

  test('is served over real HTTP, too', async () => {
    const response = await fetch(`${app.url}/api/orchestrators/chain`, {
      method: 'POST',
      body: '{"names":[]}',
    });
    expect(response.status).toBe(202);
  });

  test('passes ten days at once, and each call of an activity has its date', async () => {
    const id = await app.start('tenDays');
    await app.skip({ days: 9, hours: 23 });
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
    await app.skip({ hours: 1 });
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: 10 });
    expect(app.calls('note').map(({ at }) => at.toISOString().slice(0, 10))).toEqual([
      '2026-03-02',
      '2026-03-03',
      '2026-03-04',
      '2026-03-05',
      '2026-03-06',
      '2026-03-07',
      '2026-03-08',
      '2026-03-09',
      '2026-03-10',
      '2026-03-11',
    ]);
  });

  test('gets the time of its environment, in orchestrators, activities and endpoints', async () => {
    await app.skip({ days: 365 });
    expect(await (await app.get('/api/time')).json()).toEqual({
      date: '2027-03-01T08:00:00.000Z',
      now: Date.UTC(2027, 2, 1, 8),
      parsed: '2000-01-01T00:00:00.000Z',
    });
  });

  test('gets the settings of its environment, and none of another', async () => {
    await using other = await TestApp.start({ directory, settings: { COLOUR: 'green' } });
    expect(
      await Promise.all([app, other].map(async (each) => (await each.get('/api/setting/COLOUR')).text())),
    ).toEqual(['', 'green']);
    expect(process.env['COLOUR']).toBeUndefined();
  });

  test('has an activity replaced in one environment only', async () => {
    await using other = await TestApp.start({ directory });
    app.replace<string>('greet', (name) => `Hush, ${name}.`);
    const [here, there] = [
      await app.start('chain', { names: ['Pat'] }),
      await other.start('chain', { names: ['Pat'] }),
    ];
    expect((await app.finished(here)).output).toEqual(['Hush, Pat.']);
    expect((await other.finished(there)).output).toEqual(['Hello, Pat!']);
    expect(app.calls('greet')).toMatchObject([{ input: 'Pat', instanceId: here }]);
  });

  test('has an activity replaced by its name in any case, as hosts find functions', async () => {
    app.replace<string>('GREET', (name) => `Hush, ${name}.`);
    const chain = await app.start('chain', { names: ['Pat'] });
    expect((await app.finished(chain)).output).toEqual(['Hush, Pat.']);
    expect(app.calls('Greet')).toHaveLength(1);
    app.restore('gReet');
    expect((await app.finished(await app.start('chain', { names: ['Pat'] }))).output).toEqual([
      'Hello, Pat!',
    ]);
  });

  test('throws for a replacement of an unknown function, and the error lists the functions', () => {
    expect(() => {
      app.replace('greed', () => '');
    }).toThrow(/^The app has no function named 'greed'\. It has: .*greet, .*note/);
  });

  test('is one of many at once, each with its own clock, settings, instances and replaced activities', async () => {
    const live = async (number: number) => {
      await using mine = await TestApp.start({
        directory,
        time: new Date(Date.UTC(2030, 0, 1 + number)),
        settings: { COLOUR: `shade ${number}` },
      });
      mine.replace<string>('greet', (name) => `${name} ${number}`);
      const [days, chain] = [
        await mine.start('tenDays', undefined, 'same'),
        await mine.start('chain', { names: ['Pat'] }),
      ];
      await mine.skip({ days: number % 12 });
      return [
        mine.now.getTime(),
        ((await (await mine.get('/api/time')).json()) as { now: number }).now,
        await (await mine.get('/api/setting/COLOUR')).text(),
        (await mine.instances()).length,
        mine.calls('note').length,
        (await mine.instance(days))?.runtimeStatus,
        (await mine.instance(chain))?.output,
      ];
    };
    const numbers = Array.from({ length: 24 }, (_, number) => number);
    expect(await Promise.all(numbers.map(live))).toEqual(
      numbers.map((number) => {
        const [time, passed] = [Date.UTC(2030, 0, 1 + number + (number % 12)), number % 12];
        return [
          time,
          time,
          `shade ${number}`,
          2,
          Math.min(passed, 10),
          passed < 10 ? 'Running' : 'Completed',
          [`Pat ${number}`],
        ];
      }),
    );
  });

  test('fails when a test waits for an event that never comes, and names the event', async () => {
    const id = await app.start('waits');
    await expect(app.finished(id)).rejects.toThrow(NeverFinishesError);
    await expect(app.finished(id)).rejects.toThrow("it waits for the event 'Go', and nothing is due");
    await app.raise(id, 'Go', { by: 'Pat' });
    expect((await app.finished(id)).output).toEqual({ by: 'Pat' });
  });

  test('with an orchestrator that reads the clock fails, and the failure names the step', async () => {
    const { runtimeStatus, output } = await app.finished(await app.start('readsClock'));
    expect(runtimeStatus).toBe('Failed');
    expect(output).toMatch(
      /is not deterministic: .* step 1\n {2}before: .*2026-03-01.*\n {2}after: {2}.*2026-04-07/s,
    );
  });

  test('with an orchestrator that uses random numbers fails in the same way', async () => {
    expect((await app.finished(await app.start('drawsLots'))).output).toContain('is not deterministic');
  });

  test('without that check runs as production does', async () => {
    await using lenient = await TestApp.start({ directory, verifyReplay: false });
    expect(await lenient.finished(await lenient.start('readsClock'))).toMatchObject({
      runtimeStatus: 'Completed',
    });
  });

  test('whose orchestration fails logs that once, with the reason', async () => {
    const lines: string[] = [];
    await using talkative = await TestApp.start({
      directory,
      log: (level, category, message) => {
        lines.push(`${level} ${category} ${message}`);
      },
    });
    talkative.replace('note', () => {
      throw new Error('no pen');
    });
    const id = await talkative.start('tenDays');
    expect(await talkative.finished(id)).toMatchObject({ runtimeStatus: 'Failed' });
    expect(lines.filter((line) => line.includes('Host.Triggers.DurableTask'))).toEqual([
      `error Host.Triggers.DurableTask ${id}: Function 'tenDays (Orchestrator)' failed with an error. Reason: Orchestrator function 'tenDays' failed: Activity function 'note' failed: no pen`,
    ]);
  });

  test('that calls an unknown activity fails with the name; production hangs', async () => {
    expect((await app.finished(await app.start('callsNobody'))).output).toContain(
      "an activity named 'nobody', and there is none",
    );
    await using lenient = await TestApp.start({ directory, strict: false });
    const id = await lenient.start('callsNobody');
    await lenient.quiet();
    expect(await lenient.instance(id)).toMatchObject({ runtimeStatus: 'Running' });
  });

  test('can be skipped until nothing is due', async () => {
    const id = await app.start('tenDays');
    await app.skip('idle');
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed' });
    expect(app.now.toISOString()).toBe('2026-03-11T08:00:00.000Z');
  });

  test('runs what is due in the order of the times', async () => {
    await Promise.all(
      [
        ['late', 3],
        ['early', 1],
        ['between', 2],
      ].map(([name, hours]) => app.start('after', { name, hours })),
    );
    await app.skip({ hours: 5 });
    expect(app.calls('note').map(({ input }) => input)).toEqual(['early', 'between', 'late']);
  });

  test('loads no storage libraries, which take longer to load than the rest, before an app uses storage', () => {
    const files = [path.join(import.meta.dirname, '../src/testing.ts')];
    const packages = new Set<string>();
    for (const file of files) {
      const text = readFileSync(file, 'utf8');
      for (const [, source] of text.matchAll(/^(?:import|export)(?! type)[^;]*? from '([^']+)';/gm)) {
        const found = path.join(path.dirname(file), source!.replace(/\.js$/, '.ts'));
        if (!source!.startsWith('.')) packages.add(source!);
        else if (!files.includes(found)) files.push(found);
      }
    }
    expect(files.length).toBeGreaterThan(50);
    expect([...packages].filter((name) => !name.startsWith('node:'))).toEqual(['croner']);
  });

  test("loads neither the packages of the SDK's client nor fetch before an app makes a client", async () => {
    const program = `
      import { createRequire } from 'node:module';
      import { TestApp } from ${JSON.stringify(pathToFileURL(path.join(import.meta.dirname, '../dist/testing.js')).href)};
      const packages = () => {
        const files = Object.keys(createRequire(${JSON.stringify(import.meta.url)}).cache);
        return ['axios', 'validator', 'lodash', '@opentelemetry'].filter((name) =>
          files.some((file) => file.split(/[\\\\/]/).includes(name)));
      };
      const fetches = () => process.moduleLoadList.some((name) => name.includes('undici/undici'));
      const app = await TestApp.start({ directory: ${JSON.stringify(directory)} });
      const { output } = await app.finished(await app.start('chain', { names: ['Tokyo'] }));
      const before = { output, packages: packages(), fetches: fetches() };
      const { status } = await app.post('/api/orchestrators/chain', { names: [] });
      console.log(JSON.stringify({ before, after: { status, packages: packages() } }));
      await app.stop();`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', program],
      { env: { ...process.env, NODE_OPTIONS: '' } },
    );
    expect(JSON.parse(stdout)).toEqual({
      before: { output: ['Hello, Tokyo!'], packages: [], fetches: false },
      after: { status: 202, packages: ['validator', '@opentelemetry'] },
    });
  });
});
