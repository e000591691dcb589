/**
 * `emulator start --watch`: the emulator runs in a child process. When the app changes, another child process
 * replaces it.
 */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { EmulatorOptions, Legacy } from '../emulator.js';
import { OWN_FOLDER } from '../own-folder.js';
import { endWhenAsked } from '../serve.js';
import { watchAppFiles } from './app-files.js';

/** Options that can be sent to another process. */
export type PlainOptions = Pick<
  EmulatorOptions,
  | 'app'
  | 'hostNames'
  | 'port'
  | 'storage'
  | 'hub'
  | 'enforceKeys'
  | 'strict'
  | 'fullReplay'
  | 'verbose'
  | 'clock'
  | 'console'
  | 'left'
>;

/**
 * The messages to a child process: first its options, later the request to end. After `leave`, another
 * process takes its place.
 */
export type ToApp = PlainOptions | 'stop' | 'leave';

/**
 * The messages from a child process: what it would leave if it crashed, when it begins to serve; and what it
 * leaves at its end.
 */
export type FromApp = Legacy;

/**
 * Runs an app until this process gets a signal. When the app cannot start the first time, the process ends.
 * When it cannot start later, it waits for the next change.
 */
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
      process.stdout.write(
        'The app does not run. The emulator starts it again when a file of the app changes.\n',
      );
    const file = await change.promise;
    change = Promise.withResolvers();
    if (ends) return;
    process.stdout.write(
      `${path.relative(directory, file)} has changed. The emulator loads the app again.\n`,
    );
    left = (await running.end('leave')) ?? left;
    if (ends) return;
    running = new AppProcess({ ...options, ...(left !== undefined && { left }) });
    await running.serves;
  }
}

/** A child process that runs an app. */
class AppProcess {
  /** Resolves with true when it serves, and with false when it has ended before. */
  readonly serves: Promise<boolean>;
  readonly ended: Promise<undefined>;
  readonly #child: ChildProcess;
  #left: Legacy | undefined;

  constructor(options: PlainOptions) {
    this.#child = fork(path.join(OWN_FOLDER, 'watch/app-process.js'), { serialization: 'advanced' });
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

  /** Ends the process, if it has not ended. @returns what it left; undefined when it never served */
  async end(how: 'stop' | 'leave'): Promise<Legacy | undefined> {
    if (this.#child.connected) this.#child.send(how satisfies ToApp);
    await this.ended;
    return this.#left;
  }
}
