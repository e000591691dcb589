/** `emulator start --watch`: the emulator in a process of its own, followed by another when the app changes. */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { EmulatorOptions, Legacy } from '../emulator.js';
import { endWhenAsked } from '../serve.js';
import { watchAppFiles } from './app-files.js';

/** Options that can be sent to another process. */
export type PlainOptions = Pick<
  EmulatorOptions,
  'app' | 'port' | 'storage' | 'hub' | 'enforceKeys' | 'strict' | 'verbose' | 'left'
>;

/** What a process is told: its options first, and then to end, with or without somebody who goes on in its place. */
export type ToApp = PlainOptions | 'stop' | 'leave';

/** What a process says: what it would leave if it broke down now, when it serves, and what it does leave. */
export type FromApp = Legacy;

/** Runs an app until somebody ends this process. An app that cannot be started at first ends it, too; later, the next change is waited for. */
export async function watchApp(options: PlainOptions): Promise<void> {
  const directory = path.resolve(options.app);
  let running = new AppProcess(options);
  let change = Promise.withResolvers<string>();
  let ends = false;
  endWhenAsked(async () => {
    ends = true;
    await running.end('stop');
  });
  if (!(await running.serves) && !ends) process.exit(1);
  watchAppFiles(directory, (file) => {
    change.resolve(file);
  });
  for (let left: Legacy | undefined; ;) {
    if ((await Promise.race([change.promise, running.ended])) === undefined && !ends)
      process.stdout.write('The app does not run. It is started again when it is changed.\n');
    const file = await change.promise;
    change = Promise.withResolvers();
    if (ends) return;
    process.stdout.write(`${path.relative(directory, file)} has changed: the app is loaded anew.\n`);
    left = (await running.end('leave')) ?? left;
    if (ends) return;
    running = new AppProcess({ ...options, ...(left !== undefined && { left }) });
    await running.serves;
  }
}

/** A process with an app in it. */
class AppProcess {
  /** Whether it serves, known when it does, or has ended without. */
  readonly serves: Promise<boolean>;
  readonly ended: Promise<undefined>;
  readonly #child: ChildProcess;
  #left: Legacy | undefined;

  constructor(options: PlainOptions) {
    this.#child = fork(path.join(import.meta.dirname, 'app-process.js'), { serialization: 'advanced' });
    this.#child.send(options satisfies ToApp);
    this.ended = once(this.#child, 'exit').then(() => undefined);
    this.serves = new Promise((resolve) => {
      this.#child.on('message', (left: FromApp) => {
        this.#left = left;
        resolve(true);
      });
      void this.ended.then(() => {
        resolve(false);
      });
    });
  }

  /** Ends it, if it has not ended. @returns what it left, if it ever served. */
  async end(how: 'stop' | 'leave'): Promise<Legacy | undefined> {
    if (this.#child.connected) this.#child.send(how satisfies ToApp);
    await this.ended;
    return this.#left;
  }
}
