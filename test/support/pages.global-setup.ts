import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'vite';

/** Builds the pages before the tests when something in `web/` is newer than what was built last. */
export async function setup(): Promise<void> {
  const built = await stat('dist/web/files.json').catch(() => undefined);
  if (!built || (await newest('web')) > built.mtimeMs) await build({ configFile: 'web/vite.config.ts', logLevel: 'warn' });
}

async function newest(folder: string): Promise<number> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  return Math.max(...(await Promise.all(files.map(async (file) => (await stat(path.join(file.parentPath, file.name))).mtimeMs))));
}
