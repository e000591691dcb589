import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** An emulator that runs as a program of its own. */
export interface RunningCli {
  url: string;
  child: ChildProcess;
  /** Everything it has printed. */
  output(): string;
  /** Asks it to stop, and waits. @returns its exit code. */
  stop(): Promise<number | null>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

export interface CliOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** The program, if it is not that of this repository. */
  program?: string;
}

function spawn(
  args: readonly string[],
  { env, cwd, program = path.join(import.meta.dirname, '../../dist/cli.js') }: CliOptions,
): { child: ChildProcess; output: () => string } {
  const child = fork(program, args, {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
    ...(cwd !== undefined && { cwd }),
  });
  let output = '';
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  return { child, output: () => output };
}

/** Runs the emulator's command line until it serves. Rejects with what it printed when it ends instead. */
export async function startCli(args: readonly string[], options: CliOptions = {}): Promise<RunningCli> {
  const { child, output } = spawn(args, options);
  const ended = once(child, 'exit');
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout!.on('data', () => {
      const found = /Serving on (\S+)/.exec(output())?.[1];
      if (found !== undefined) resolve(found);
    });
    void ended.then(() => {
      reject(new Error(`The emulator ended: ${output()}`));
    });
  });
  return {
    url,
    child,
    output,
    stop: async () => {
      child.send('stop');
      const [code] = (await ended) as [number | null];
      return code;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs the command line to its end. */
export async function runCli(
  args: readonly string[],
  options: CliOptions = {},
): Promise<{ code: number | null; output: string }> {
  const { child, output } = spawn(args, options);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: output() };
}
