/** Bundles the app with its dependencies: Azure reads one file in place of thousands at each cold start. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';

const root = path.resolve(import.meta.dirname, '..');

/** A package in the bundle. */
export interface Bundled {
  name: string;
  version: string;
  /** Its identifier, such as `MIT`. */
  license: string;
  /** What its licence and notices say. */
  texts: string[];
  /** Of code, as it stands in the bundle. */
  bytes: number;
}

export interface Bundle {
  /** Code by file name; the app is `index.js`, and what it loads only when it is needed has files of its own. */
  code: Map<string, string>;
  /** Source maps by file name. */
  maps: Map<string, string>;
  /** The app as `''`, then its packages by name. */
  packages: Bundled[];
}

/**
 * Bundles `src/index.ts`. Names stay as they are: telemetry and stack traces show those of errors and functions.
 *
 * @throws Error for anything that the bundler warns of
 */
export async function bundle(): Promise<Bundle> {
  const warnings: string[] = [];
  const build = await rolldown({
    input: path.join(root, 'src/index.ts'),
    platform: 'node',
    // The host's worker supplies it to whoever requires it.
    external: ['@azure/functions-core'],
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    onLog: (level, { message }) => {
      if (level === 'warn') warnings.push(message);
    },
  });
  const { output } = await build.generate({
    format: 'esm',
    entryFileNames: 'index.js',
    chunkFileNames: '[name]-[hash].js',
    // Without a line in the code that names the map.
    sourcemap: 'hidden',
    comments: false,
  });
  await build.close();
  if (warnings.length > 0) throw new Error(warnings.join('\n'));

  const chunks = output.filter((file): file is OutputChunk => file.type === 'chunk');
  return {
    code: new Map(chunks.map(({ fileName, code }) => [fileName, code])),
    maps: new Map(chunks.flatMap(({ fileName, map }) => (map ? [[`${fileName}.map`, map.toString()]] : []))),
    packages: packagesOf(chunks),
  };
}

function packagesOf(chunks: OutputChunk[]): Bundled[] {
  const folders = new Map<string, Bundled>();
  const found = new Map<string, Bundled>();
  for (const chunk of chunks) {
    for (const [id, { renderedLength }] of Object.entries(chunk.modules)) {
      // The last one: packages can have packages.
      const folder = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0] ?? '';
      const known = folders.get(folder) ?? read(folder);
      folders.set(folder, known);
      // Some are installed more than once.
      const { name, version } = known;
      const listed = found.get(`${name} ${version}`) ?? known;
      found.set(`${name} ${version}`, listed);
      listed.bytes += renderedLength;
    }
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function read(folder: string): Bundled {
  if (folder === '' || !existsSync(path.join(folder, 'package.json')))
    return { name: '', version: '', license: '', texts: [], bytes: 0 };
  const { name, version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  const texts = readdirSync(folder)
    .filter((file) => /^(?:licen[cs]e|notice|copying|thirdparty)/i.test(file))
    .map((file) => readFileSync(path.join(folder, file), 'utf8').trim());
  return { name, version, license: license ?? 'see below', texts, bytes: 0 };
}

/** The licences of all packages in a bundle: who passes code on passes on its licence. */
export function licences(packages: readonly Bundled[]): string {
  return packages
    .filter(({ name }) => name !== '')
    .map(({ name, version, license, texts }) => [`${name} ${version}: ${license}`, ...texts].join('\n\n'))
    .join(`\n\n${'-'.repeat(80)}\n\n`)
    .concat('\n');
}
