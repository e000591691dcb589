import { execFileSync } from 'node:child_process';
import { globSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'vite';
import { buildCode } from '../../build.ts';

const root = path.join(import.meta.dirname, '../../..');

/**
 * Builds the emulator once a run: what is killed and restarted in tests runs as a program of its own. Its console is
 * built when it is older than its sources. `npm run build` checks the types, which takes longer than all else here.
 */
export async function setup(): Promise<void> {
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
  execFileSync(
    process.execPath,
    [
      path.join(path.dirname(manifest), 'bin/tsc'),
      '-p',
      path.join(import.meta.dirname, '../../tsconfig.json'),
      '--noCheck',
    ],
    { stdio: 'inherit' },
  );
  await buildCode();
  const page = statSync(path.join(root, 'emulator/dist/page/index.html'), { throwIfNoEntry: false });
  const sources = globSync(['emulator/console/**/*.*', 'web/timeline/*'], { cwd: root });
  const changed = Math.max(...sources.map((file) => statSync(path.join(root, file)).mtimeMs));
  if (page === undefined || page.mtimeMs < changed)
    await build({ configFile: path.join(root, 'emulator/console/vite.config.ts'), logLevel: 'warn' });
}
