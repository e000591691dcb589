/**
 * The tarball of the emulator, installed beside another app: the unmodified app that was recorded on a real
 * host.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startCli } from './support/cli.js';
import { npm, pack, type Packed } from './support/npm.js';

interface Manifest {
  name: string;
  version: string;
  dependencies: Record<string, string>;
  bin: Record<string, string>;
}

const emulator = path.join(import.meta.dirname, '..');
const run = promisify(execFile);

let folder: string;
let installed: string;
let packed: Packed;

beforeAll(async () => {
  // Outside of the repository, because Node would find the repository's node_modules from anywhere in it.
  folder = await mkdtemp(path.join(tmpdir(), 'installed-'));
  await cp(path.join(import.meta.dirname, 'fixtures/recorded-app'), folder, { recursive: true });
  // The global setup has built it. Other tests run it now.
  packed = await pack(emulator, folder);
  const { name, version, dependencies } = JSON.parse(
    await readFile(path.join(emulator, 'package.json'), 'utf8'),
  ) as Manifest;
  // Packages are linked, so that nothing is downloaded: those of the app, of its tests, and of the emulator.
  const linked = [
    '@azure/functions',
    'durable-functions',
    'vitest',
    'mocha',
    'typescript',
    '@types/node',
    ...Object.keys(dependencies),
  ];
  await writeFile(
    path.join(folder, 'package.json'),
    JSON.stringify({
      ...(JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as object),
      dependencies: {
        [name]: `file:${name}-${version}.tgz`,
        ...Object.fromEntries(
          linked.map((module) => [module, `file:${path.join(emulator, '../node_modules', module)}`]),
        ),
      },
    }),
  );
  // npm 11 fails at the peer dependencies of linked packages.
  await npm(
    folder,
    'install',
    '--offline',
    '--legacy-peer-deps',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
  );
  installed = path.join(folder, 'node_modules', name);
});
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

test('The package has the program, its types and its texts, in 400 kB', () => {
  const other = packed.files.filter(
    (file) => !/^dist\/([\w-]+\/)*[\w.-]+\.(d\.ts|d\.cts|js|cjs)$/.test(file),
  );
  expect(other.filter((file) => !file.startsWith('dist/page/')).toSorted()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'package.json',
  ]);
  expect(packed.files).toEqual(
    expect.arrayContaining(['dist/cli.js', 'dist/emulator.d.ts', 'dist/testing.d.ts']),
  );
  expect(packed.size).toBeLessThan(400_000);
});

test('The packed emulator starts the app, which runs to its end', async () => {
  const { bin } = JSON.parse(await readFile(path.join(installed, 'package.json'), 'utf8')) as Manifest;
  const host = await startCli(['start', '--app', folder, '--port', '0', '--storage', 'memory'], {
    cwd: folder,
    program: path.join(installed, bin['emulator']!),
  });
  try {
    expect(host.output()).toContain('starter: [POST,GET]');
    const answer = await fetch(`${host.url}/api/waitfor/chain3`, { method: 'POST' });
    expect(await answer.json()).toEqual(['Hello, Tokyo!', 'Hello, Seattle!', 'Hello, London!']);
    const page = await (await fetch(`${host.url}/_emulator`)).text();
    const [, script] = /<script type="module"[^>]* src="([^"]+)"/.exec(page)!;
    expect((await fetch(host.url + script)).headers.get('content-type')).toMatch(/^text\/javascript/);
  } finally {
    expect(await host.stop()).toBe(0);
  }
});

test.for([
  ['node:test', 'hello.test.mjs', ['--test'], /# pass 1|pass 1/],
  ['mocha', 'hello.spec.cjs', ['node_modules/mocha/bin/mocha.js'], /1 passing/],
] as const)('The app is tested with %s as the README shows', async ([runner, file, args, passed]) => {
  const readme = await readFile(path.join(installed, 'README.md'), 'utf8');
  const [, lines] = [...readme.matchAll(/```js\n(.*?)```/gs)].find(([, code]) =>
    code!.includes(runner === 'mocha' ? 'describe(' : `'${runner}'`),
  )!;
  await writeFile(path.join(folder, file), lines!);
  // Vitest would take it for a test of its own.
  onTestFinished(() => rm(path.join(folder, file)));
  const { stdout } = await run(process.execPath, [...args, file], { cwd: folder });
  expect(stdout).toMatch(passed);
});

test('Jest gets one line, also for a module that it can load', async () => {
  const env = { ...process.env, JEST_WORKER_ID: '1' };
  await writeFile(path.join(folder, 'jest.cjs'), "require('durable-functions-emulator/testing');\n");
  await expect(run(process.execPath, ['jest.cjs'], { cwd: folder, env })).rejects.toThrow(
    /Error: Jest's registry of modules hides an app/,
  );
  await mkdir(path.join(folder, 'empty'));
  await writeFile(path.join(folder, 'empty/host.json'), '{ "version": "2.0" }');
  await writeFile(path.join(folder, 'empty/package.json'), '{ "main": "index.js" }');
  await writeFile(path.join(folder, 'empty/index.js'), '');
  await writeFile(
    path.join(folder, 'jest.mjs'),
    "import { TestApp } from 'durable-functions-emulator/testing';\nawait TestApp.start({ directory: 'empty' });\n",
  );
  // Under Jest, the app's functions come to another copy of the SDK, and so the app seems to have none.
  await expect(run(process.execPath, ['jest.mjs'], { cwd: folder, env })).rejects.toThrow(
    /AppLoadError: Jest's registry of modules hides the app/,
  );
});

test('The app is tested in the ten lines that the README shows, types included', async () => {
  const [, lines] = /```ts\n(import .*?)```/s.exec(
    await readFile(path.join(installed, 'README.md'), 'utf8'),
  )!;
  expect(lines!.match(/\n(?=.)/g)!.length).toBeLessThanOrEqual(10);
  await writeFile(path.join(folder, 'app.test.ts'), lines!);
  const options = ['--strict', '--noEmit', '--target', 'es2024', '--module', 'nodenext', '--types', 'node'];
  await run(
    process.execPath,
    [path.join(folder, 'node_modules/typescript/bin/tsc'), ...options, 'app.test.ts'],
    { cwd: folder },
  );
  const tested = await run(
    process.execPath,
    [path.join(folder, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder],
    { cwd: folder, env: { ...process.env, NO_COLOR: '1' } },
  );
  expect(tested.stdout).toMatch(/Tests +1 passed/);
});
