/** What has to hold of the repository itself. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const tracked = (...globs: string[]): string[] =>
  execFileSync('git', ['ls-files', ...globs], { cwd: root, encoding: 'utf8' })
    .trim()
    .split('\n')
    .filter(Boolean);
/** The folders of src that have such a file. */
const foldersWith = (file: string): string[] => tracked(`src/*/${file}`).map((found) => found.split('/')[1]!);

const importsOf = (file: string): string[] =>
  file.endsWith('.ts') ? [...read(file).matchAll(/(?:from|import) '([^']+)'/g)].map(([, name]) => name!) : [];

describe('The repository', () => {
  test('is tested on the Node that Azure runs', () => {
    expect(process.version).toMatch(/^v24\./);
  });

  test('names exact versions of what it depends on', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      string,
      Record<string, string>
    >;
    for (const version of Object.values({ ...dependencies, ...devDependencies }))
      expect(version).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
  });

  test('deploys each package of OpenTelemetry in one version', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { version: string; dev?: boolean }>;
    };
    const deployed = Object.entries(packages).filter(([, { dev }]) => dev !== true);
    const versions: Record<string, string[]> = {};
    for (const [folder, { version }] of deployed) {
      const name = folder.split('node_modules/').at(-1)!;
      if (name.startsWith('@opentelemetry/')) (versions[name] ??= []).push(version);
    }
    expect(Object.entries(versions).filter(([, each]) => new Set(each).size > 1)).toEqual([]);
    // Packages of one release share one version each: those from 1.0 on, and those before it.
    const sdk = Object.entries(versions).filter(([name]) => /sdk|core|resources|exporter/.test(name));
    expect(new Set(sdk.flatMap(([, each]) => each)).size).toBe(2);
  });

  test('keeps addresses out of the lock file', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved"|\.tgz/);
  });

  test('has local settings that are listed here and hold no secret', () => {
    expect(JSON.parse(read('local.settings.json'))).toEqual({
      IsEncrypted: false,
      Values: {
        FUNCTIONS_WORKER_RUNTIME: 'node',
        AzureWebJobsStorage: 'UseDevelopmentStorage=true',
        AppStorage: 'UseDevelopmentStorage=true',
        AzureWebJobsDisableHomepage: 'true',
      },
      Host: { LocalHttpPort: 7071, CORS: '*' },
    });
  });

  test('has an app that knows nothing of the emulator', () => {
    for (const file of tracked('src')) expect(read(file), file).not.toMatch(/emulator/i);
  });

  test('has an emulator that imports nothing from outside of it', () => {
    for (const file of tracked('emulator/src/**/*.ts', 'emulator/src/*.ts')) {
      for (const [, specifier] of read(file).matchAll(/from '(\.[^']+)'|import\('(\.[^']+)'\)/g)) {
        if (specifier === undefined) continue;
        expect(
          path.resolve(root, path.dirname(file), specifier).startsWith(path.join(root, 'emulator', 'src')),
          `${file}: ${specifier}`,
        ).toBe(true);
      }
    }
  });

  test('has no source file of more than 300 lines', () => {
    const long = tracked('src', 'emulator/src')
      .filter((file) => /\.[cm]?tsx?$/.test(file))
      .map((file) => [file, read(file).trimEnd().split('\n').length] as const)
      .filter(([, lines]) => lines > 300);
    expect(long).toEqual([]);
  });

  test('has no feature that imports another, but for the orchestrators that its own workflows call', () => {
    const features = foldersWith('orchestrators.ts');
    const wrong = features.flatMap((feature) =>
      tracked(`src/${feature}`).filter((file) =>
        [...read(file).matchAll(/'\.\.\/([^/']+)\/([^']+)'/g)].some(
          ([, folder = '', module]) =>
            features.includes(folder) && !(file.endsWith('/orchestrators.ts') && module === 'index.js'),
        ),
      ),
    );
    expect(wrong).toEqual([]);
  });

  test('has features whose rooms touch only what DESIGN allows', () => {
    const rules =
      /^(\.\.\/refusals\/index\.js|\.\/([a-z]+-)?(rules|model|words|catalogue|world)\.js|moment)$/;
    const rooms: [name: RegExp, allowed: RegExp][] = [
      // The SDK for its types, and the orchestrators of another feature by its index.
      [
        /\/orchestrators\.ts$/,
        /^(\.\.\/\w+\/index\.js|\.\/(activities|entities|events|model|([a-z]+-)?rules)\.js|durable-functions|moment)$/,
      ],
      [/\/([a-z]+-)?rules\.ts$/, rules],
      [/\/entities\.ts$/, /^(\.\.\/(durable|refusals)\/index\.js|\.\/([a-z]+-)?(rules|model)\.js|moment)$/],
      // The pieces of schemas of http/ are for what comes from outside.
      [/\/model\.ts$/, /^(\.\.\/(http|sales|fleet)\/index\.js|zod)$/],
      [/\/store\.ts$/, /^(?!\.\.\/(?!storage|refusals)|\.\/(endpoints|orchestrators|activities))/],
      [/\/activities\.ts$/, /^(?!\.\/(endpoints|orchestrators)|.*\/http\/)/],
    ];
    const wrong = tracked('src').flatMap((file) =>
      rooms
        .filter(([name]) => name.test(file))
        .flatMap(([, allowed]) =>
          importsOf(file)
            .filter((specifier) => !allowed.test(specifier))
            .map((specifier) => `${file}: ${specifier}`),
        ),
    );
    expect(wrong).toEqual([]);
  });

  test('has shared folders that know no feature', () => {
    const features = foldersWith('orchestrators.ts');
    const knowing = tracked('src').filter(
      (file) =>
        !features.some((feature) => file.startsWith(`src/${feature}/`)) &&
        importsOf(file).some((specifier) =>
          features.some((feature) => new RegExp(`^\\.{1,2}/${feature}/`).test(specifier)),
        ),
    );
    expect(knowing.toSorted()).toEqual([
      'src/index.ts',
      'src/operations/features.ts',
      'src/starter/startable.ts',
    ]);
  });

  test('builds nothing when it tests an app that is served elsewhere', () => {
    const noBuild = `data:text/javascript,${encodeURIComponent(`
      import childProcess from 'node:child_process';
      import { syncBuiltinESMExports } from 'node:module';
      childProcess.execFileSync = () => { throw new Error('It builds'); };
      syncBuiltinESMExports();
    `)}`;
    const output = execFileSync(
      process.execPath,
      [
        '--import',
        noBuild,
        path.join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        'test/e2e',
        '-t',
        '^no test of this name$',
      ],
      {
        cwd: root,
        encoding: 'utf8',
        env: { ...process.env, E2E_BASE_URL: 'http://127.0.0.1:9' },
      },
    );
    expect(output).toMatch(/\d skipped/);
  });
});

describe('The documentation', () => {
  const documents = tracked('*.md').map((file) => ({ file, text: read(file) }));
  /** Without blocks of code, which are neither wrapped nor linked. */
  const prose = (text: string): string => text.replaceAll(/^ *```.*?^ *```$/gms, '');

  test('is wrapped at 120 columns, apart from code, tables and the targets of links', () => {
    const wide = documents.flatMap(({ file, text }) =>
      prose(text)
        .split('\n')
        .filter((line) => !line.startsWith('|') && line.replaceAll(/\]\([^)]*\)/g, ']()').length > 120)
        .map((line) => `${file}: ${line}`),
    );
    expect(wide).toEqual([]);
  });

  test('begins with a README of at most 150 lines', () => {
    expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(150);
  });

  test('has a README for every feature', () => {
    const documented = foldersWith('README.md');
    const features = new Set([...foldersWith('endpoints.ts'), ...foldersWith('orchestrators.ts')]);
    expect([...features].filter((feature) => !documented.includes(feature))).toEqual([]);
  });

  test.each(['docs/guarantees.md', 'docs/security.md'])(
    'names tests that exist for each claim in %s',
    (page) => {
      const rows = read(page)
        .split('\n')
        .filter((line) => line.includes('.test.ts)'));
      expect(rows).not.toEqual([]);
      const missing = rows.flatMap((row) =>
        [...row.matchAll(/\]\(\.\.\/(\S+\.test\.ts)\)((?:[:;] "[^"]+")*)/g)].flatMap(
          ([, file = '', names = '']) =>
            [...names.matchAll(/"([^"]+)"/g)]
              .filter(([, name = '']) => !read(file).includes(name))
              .map(([name]) => `${file}: ${name}`),
        ),
      );
      expect(missing).toEqual([]);
    },
  );

  test('links to files and headings that exist', () => {
    const broken = documents.flatMap(({ file, text }) =>
      [...prose(text).matchAll(/\]\((?!\w+:)([^)#]*)(?:#([^)]*))?\)/g)]
        .filter(([, target = '', heading]) => {
          const linked =
            target === '' ? path.join(root, file) : path.resolve(root, path.dirname(file), target);
          return (
            !existsSync(linked) ||
            (heading !== undefined && !headings(readFileSync(linked, 'utf8')).has(heading))
          );
        })
        .map(([link]) => `${file}: ${link}`),
    );
    expect(broken).toEqual([]);
  });
});

/** The headings of a Markdown text, as links name them. */
function headings(text: string): Set<string> {
  return new Set(
    [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
