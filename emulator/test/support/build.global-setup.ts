import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

/** Builds the emulator once a run: what is killed and restarted in tests runs as a program of its own. */
export function setup(): void {
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
  execFileSync(
    process.execPath,
    [
      path.join(path.dirname(manifest), 'bin/tsc'),
      '-p',
      path.join(import.meta.dirname, '../../tsconfig.json'),
    ],
    { stdio: 'inherit' },
  );
}
