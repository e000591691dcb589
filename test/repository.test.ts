/** What has to hold of the repository itself. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const tracked = (...globs: string[]): string[] =>
  execFileSync('git', ['ls-files', ...globs], { cwd: root, encoding: 'utf8' })
    .trim()
    .split('\n')
    .filter(Boolean);

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

  test('has no feature that imports another', () => {
    const features = ['approvals', 'reminders'];
    const imports = features.flatMap((feature) =>
      tracked(`src/${feature}`).filter((file) =>
        features.some((other) => other !== feature && read(file).includes(`../${other}/`)),
      ),
    );
    expect(imports).toEqual([]);
  });

  test('builds nothing when it tests an app that is served elsewhere', () => {
    const builtAt = (): number[] =>
      ['dist/index.js', 'emulator/dist/cli.js'].map((file) => statSync(path.join(root, file)).mtimeMs);
    const before = builtAt();
    const output = execFileSync(
      process.execPath,
      [path.join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'test/e2e', '-t', '^no test of this name$'],
      {
        cwd: root,
        encoding: 'utf8',
        env: { ...process.env, E2E_BASE_URL: 'http://127.0.0.1:9' },
      },
    );
    expect(output).toContain('2 skipped');
    expect(builtAt()).toEqual(before);
  });
});
