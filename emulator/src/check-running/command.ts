import { parseArgs } from 'node:util';
import { checkRunning } from './check-running.js';
import { report } from './report.js';

/** The environment variable with the key: other users of a machine can read the arguments of a program. */
const KEY = 'CHECK_RUNNING_KEY';
const USAGE = `Usage: emulator check-running URL [KEY] [options]

Replays the histories of the live instances of the app at URL on the code in a folder, and lists the instances that
would be stranded if that code was deployed. The app at URL is only read, and of the code only orchestrators run.

  URL              such as https://APP.azurewebsites.net or http://localhost:7071
  KEY              the app's system key 'durabletask_extension'; better in the environment variable ${KEY}
  --app DIR        the folder of the code, built (default: this one)
  --max N          how many instances of each orchestrator, version and status are checked: the oldest and the
                   newest (default: 50)
  --concurrency N  how many instances are read at once (default: 8)
  --task-hub NAME, --connection NAME
                   the task hub and the name of its storage connection, if they are not the app's own
  --strict         fail also when an instance cannot be judged

The exit code is 0 if all checked instances continue, 1 if some would be stranded, 2 if the check was not possible.
`;

/** `emulator check-running`. @returns the exit code */
export async function checkRunningCommand(args: readonly string[]): Promise<number> {
  const key = process.env[KEY];
  // The code that is checked does not get it.
  delete process.env[KEY];
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        app: { type: 'string', default: '.' },
        max: { type: 'string', default: '50' },
        concurrency: { type: 'string', default: '8' },
        'task-hub': { type: 'string' },
        connection: { type: 'string' },
        strict: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const [url, given] = positionals;
    if (values.help || url === undefined || positionals.length > 2) {
      process.stdout.write(USAGE);
      return values.help ? 0 : 2;
    }
    const { app, connection, strict } = values;
    const result = await checkRunning({
      app,
      running: { url, key: given ?? (key || undefined), taskHub: values['task-hub'], connection },
      max: positive('--max', values.max),
      concurrency: positive('--concurrency', values.concurrency),
    });
    const { text, ok } = report(result, strict);
    process.stdout.write(text);
    return ok ? 0 : 1;
  } catch (error) {
    process.stderr.write(`${(error as Error).message.split('\n')[0]!}\n`);
    return 2;
  }
}

function positive(name: string, text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text))
    throw new Error(`${name} is '${text}': it has to be a number from 1 to 99999.`);
  return Number(text);
}
