import { execFileSync } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'vite';

/**
 * Builds the app before the tests, for tests that run it as a program, and its pages when they are older than
 * `web/`. `npm run build` checks the types.
 */
export async function setup(): Promise<void> {
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
  execFileSync(
    process.execPath,
    [path.join(path.dirname(manifest), 'bin/tsc'), '-p', 'tsconfig.build.json', '--noCheck'],
    { stdio: 'inherit' },
  );
  const built = await stat('dist/web/files.json').catch(() => undefined);
  if (!built || (await newest('web')) > built.mtimeMs)
    await build({ configFile: 'web/vite.config.ts', logLevel: 'warn' });
}

async function newest(folder: string): Promise<number> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  return Math.max(
    ...(await Promise.all(
      files.map(async (file) => (await stat(path.join(file.parentPath, file.name))).mtimeMs),
    )),
  );
}
