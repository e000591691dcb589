/** The limits of host.json, and the memory of an instance that runs for ever. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test, vi } from 'vitest';
import { SkippingClock } from '../src/durable/clock.js';
import { Engine } from '../src/durable/engine/engine.js';
import { MemoryHub, type StoredInstance } from '../src/durable/memory/memory-hub.js';
import { SdkV3 } from '../src/durable/protocol/sdk-v3.js';
import type { Commit, InstanceRecord, LoadedInstance, Message } from '../src/durable/task-hub.js';
import { HttpThrottle } from '../src/http-throttle.js';
import { releaseIdleMemory } from '../src/idle-memory.js';
import { TestApp } from '../src/testing.js';
import { loadApp } from '../src/worker/app-loader.js';
import { FunctionsWorker } from '../src/worker/worker.js';

const directory = path.join(import.meta.dirname, 'fixtures/engine-app');

/** Counts how many run at once, at most. */
class Gauge {
  most = 0;
  #now = 0;

  async pass<T>(run: () => Promise<T>): Promise<T> {
    this.most = Math.max(this.most, ++this.#now);
    // Long enough for all that may begin to begin.
    for (let turn = 0; turn < 5; turn++)
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    try {
      return await run();
    } finally {
      this.#now--;
    }
  }
}

test.each([[1], [3]])('No more than %i activities run at once where host.json says so', async (limit) => {
  await using app = await TestApp.start({
    directory,
    verifyReplay: false,
    settings: {
      AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions: String(limit),
    },
  });
  const gauge = new Gauge();
  app.replace('echo', (value: number) => gauge.pass(async () => value));
  const ids = await Promise.all([app.start('manyAtOnce', 10), app.start('manyAtOnce', 10)]);
  for (const id of ids) expect(await app.finished(id)).toMatchObject({ output: 45 });
  expect(gauge.most).toBe(limit);
});

test.each([[1], [4], [undefined]])(
  'No more than %s orchestrators run at once where host.json says so',
  async (limit) => {
    const gauge = new Gauge();
    const hub = new (class extends MemoryHub {
      override async commit(commit: Commit): Promise<number> {
        return gauge.pass(() => super.commit(commit));
      }
    })({ name: 'Hub' });
    const sdk = new SdkV3(
      new FunctionsWorker({ registrations: await loadApp({ directory }), log: () => {} }),
    );
    const engine = new Engine({
      hub,
      sdk,
      clock: new SkippingClock(0),
      log: () => {},
      settings: limit === undefined ? {} : { maxConcurrentOrchestrators: limit },
    });
    onTestFinished(() => engine.stop());
    await engine.start();
    const ids = await Promise.all(
      Array.from({ length: 10 }, () =>
        engine.startInstance({ name: 'parent', input: JSON.stringify({ child: 'replays' }) }),
      ),
    );
    await engine.whenQuiet();
    for (const id of ids) expect(await engine.getRecord(id)).toMatchObject({ runtimeStatus: 'Completed' });
    expect(gauge.most).toBe(limit ?? 10);
  },
);

test('Starts that come together are written a few at a time, and all of them complete', async () => {
  const gauge = new Gauge();
  const hub = new (class extends MemoryHub {
    override async post(instanceId: string, message: Message): Promise<void> {
      return gauge.pass(() => super.post(instanceId, message));
    }
  })({ name: 'Hub' });
  const engine = new Engine({
    hub,
    sdk: new SdkV3(new FunctionsWorker({ registrations: await loadApp({ directory }), log: () => {} })),
    clock: new SkippingClock(0),
    log: () => {},
  });
  onTestFinished(() => engine.stop());
  await engine.start();
  const ids = await Promise.all(
    Array.from({ length: 60 }, () => engine.startInstance({ name: 'replays', input: null })),
  );
  await engine.whenQuiet();
  for (const id of ids) expect(await engine.getRecord(id)).toMatchObject({ runtimeStatus: 'Completed' });
  expect(gauge.most).toBe(20);
});

test('After a restart, an instance that is due is projected once, and its old projection is not read', async () => {
  const calls: string[] = [];
  class Hub extends MemoryHub {
    override async load(instanceId: string, unchecked = false): Promise<LoadedInstance> {
      const loaded = await super.load(instanceId);
      return unchecked ? { ...loaded, stale: undefined } : loaded;
    }
    override async project(record?: InstanceRecord, unchecked = false): Promise<void> {
      calls.push(`${record?.runtimeStatus}${unchecked ? ' if stale' : ''}`);
      return super.project();
    }
  }
  const instances = new Map<string, StoredInstance>();
  const sdk = new SdkV3(new FunctionsWorker({ registrations: await loadApp({ directory }), log: () => {} }));
  const live = async (time: number, task: (engine: Engine) => Promise<unknown>): Promise<void> => {
    const hub = new Hub({ name: 'Hub', instances });
    const engine = new Engine({ hub, sdk, clock: new SkippingClock(time), log: () => {} });
    await engine.start();
    await task(engine);
    await engine.whenQuiet();
    await engine.stop();
  };
  await live(0, (engine) => engine.startInstance({ name: 'longTimer', instanceId: 'sleeper', input: null }));
  expect(calls.splice(0)).toEqual(['Running']);
  // Nothing is due. A dead engine may have left an old projection.
  await live(1, (engine) => engine.getRecord('sleeper'));
  expect(calls.splice(0)).toEqual(['Running if stale']);
  await live(1e12, async () => {});
  expect(calls.splice(0)).toEqual(['Completed']);
});

test('A request that waits is not answered when its caller has gone', async () => {
  const lines: string[] = [];
  const throttle = new HttpThrottle({ concurrent: 1, outstanding: 3 }, (_level, _category, line) => {
    lines.push(line);
  });
  const answered: string[] = [];
  const first = Promise.withResolvers<void>();
  const gone = new Set<string>();
  const run = async (name: string): Promise<number> => {
    const request = {
      method: 'POST',
      url: 'http://localhost/',
      headers: {},
      isAbandoned: () => gone.has(name),
    };
    const { status } = await throttle.run(request, async () => {
      answered.push(name);
      if (name === 'a') await first.promise;
      return { status: 200, headers: [], body: new Uint8Array() };
    });
    return status;
  };
  const all = ['a', 'b', 'c', 'd', 'e'].map(run);
  gone.add('b');
  first.resolve();
  expect(await Promise.all(all)).toEqual([200, 499, 200, 429, 429]);
  expect(answered).toEqual(['a', 'c']);
  expect(await run('f')).toBe(200);
  expect(lines).toEqual([expect.stringMatching(/^Http request queue limit of 3 has been exceeded/)]);
});

test('A custom status of more than 16 KB is refused as the extension refuses it', async () => {
  await using app = await TestApp.start({ directory });
  const told = async (characters: number, late = false): Promise<unknown> =>
    (await app.finished(await app.start('tellsMuch', { characters, late }))).output;
  expect(await told(17 * 512 - 3)).toBe('told');
  const text =
    'The UTF-16 size of the JSON-serialized payload must not exceed 16 KB. The current payload size is';
  expect(await told(17 * 512 - 2)).toBe(`Orchestrator function 'tellsMuch' failed: ${text} 17 KB.`);
  expect(await told(1024 * 1024)).toBe(`Orchestrator function 'tellsMuch' failed: ${text} 2,048 KB.`);
  // What it scheduled before is not read any more, so the history has more than the code asks for.
  expect(await told(17 * 512, true)).toContain(
    "Non-Deterministic workflow detected: A previous execution of this orchestration scheduled an activity task with sequence ID 0 and name 'echo'",
  );
});

test('An instance that runs for ever does not need more and more memory', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    // The first collection may free objects that hold others. The second one frees those.
    collect();
    collect();
    return process.memoryUsage().heapUsed;
  };
  await using app = await TestApp.start({ directory, verifyReplay: false });
  const id = await app.start('eternal', 0);
  const live = async (rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round++) await app.raise(id, 'E', 'x'.repeat(1000));
  };
  await live(1000);
  const before = used();
  await live(1500);
  // A kilobyte a round would be one and a half megabytes.
  expect(used() - before).toBeLessThan(750_000);
  expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Running', input: 2500 });
});

test('A test process gives memory back while it is idle', async () => {
  const program = `
    import { TestApp } from ${JSON.stringify(pathToFileURL(path.join(import.meta.dirname, '../dist/testing.js')).href)};
    const app = await TestApp.start({ directory: ${JSON.stringify(directory)} });
    let list = Array.from({ length: 2_000_000 }, (_, number) => ({ number }));
    const most = process.memoryUsage.rss();
    list = undefined;
    while (process.memoryUsage.rss() > most - 50e6) await new Promise((resolve) => setTimeout(resolve, 50));
    await app.stop();
    console.log('given back');`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  expect(stdout).toBe('given back\n');
});

test('An idle emulator gives memory back once after it has grown, and a busy one collects nothing', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  let [isBusy, used, collections] = [true, 100, 0];
  const megabyte = 2 ** 20;
  const end = releaseIdleMemory({
    isBusy: () => isBusy,
    used: () => used * megabyte,
    collect: () => {
      collections++;
      used = 150;
    },
  });
  const after = (seconds: number): number => {
    vi.advanceTimersByTime(seconds * 1000);
    return collections;
  };
  used = 430;
  expect(after(10)).toBe(0);
  isBusy = false;
  expect(after(1)).toBe(0);
  expect(after(1)).toBe(1);
  expect(after(60)).toBe(1);
  used = 200;
  expect(after(60)).toBe(1);
  used = 220;
  expect(after(1)).toBe(2);
  end();
  used = 500;
  expect(after(60)).toBe(2);
});
