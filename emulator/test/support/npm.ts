import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs the npm that runs the tests, so that no shell is needed to find it. @returns what it prints */
export async function npm(cwd: string, ...args: string[]): Promise<string> {
  const { npm_execpath: program } = process.env;
  const { stdout } =
    program === undefined
      ? await run('npm', args, { cwd, shell: true })
      : await run(process.execPath, [program, ...args], { cwd });
  return stdout;
}

/** What `npm pack` has made. */
export interface Packed {
  tarball: string;
  /** The bytes of the tarball. */
  size: number;
  /** The paths in it. */
  files: string[];
}

/** Packs the package in `folder`, which is built, into the folder `destination`. */
export async function pack(folder: string, destination: string): Promise<Packed> {
  const printed = await npm(folder, 'pack', '--ignore-scripts', '--json', '--pack-destination', destination);
  // npm 11 prints a list, and later versions an object by package.
  const [packed] = Object.values(
    JSON.parse(printed) as Record<string, { filename: string; size: number; files: { path: string }[] }>,
  );
  const { filename, size, files } = packed!;
  return { tarball: path.join(destination, filename), size, files: files.map((file) => file.path) };
}
