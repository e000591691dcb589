import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether tests that have a long form run it: `npm run test:long`. */
    long: boolean;
  }
}

// An app that is served elsewhere is tested as it is there: a build here would restart the worker of a local host in mid-test.
const isServed = (process.env['E2E_BASE_URL'] ?? '') !== '';

const setup = {
  globalSetup: [
    'emulator/test/support/build.global-setup.ts',
    'test/support/azurite.global-setup.ts',
    'test/support/build.global-setup.ts',
    'test/support/served-app.global-setup.ts',
  ],
};

/**
 * These files run in processes that they share: a process loads the app once, and its code is warm after the first file.
 * That saves two to four seconds of processor time a file. They all use the app of `test/support/swept-app.ts`, because
 * a process holds one app. Files that load another app, start processes of their own or change the process itself run
 * in a process each.
 */
const TOGETHER = {
  include: [
    'test/{approvals,console,devices,dungeon,http,ingestion,jobs,links,notifications}/**/*.test.ts',
    'test/{operations,orders,pages,reminders,rollouts,sales,starter,storage}/**/*.test.ts',
  ],
  exclude: [
    'test/dungeon/kills.test.ts',
    'test/approvals/versions.test.ts',
    'test/http/routes.test.ts',
    'test/storage/clients.test.ts',
  ],
};

export default defineConfig(({ mode }) => {
  const options = {
    pool: 'forks',
    // The limits end what hangs. They do not measure: on a busy machine everything may take ten times as long.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 60_000 } },
    provide: { long: mode === 'long' },
  } as const;
  if (mode === 'record') return { test: { ...options, ...setup, include: ['test/histories/record.ts'] } };
  if (isServed) return { test: { ...options, include: ['test/e2e/**/*.test.ts'] } };
  return {
    test: {
      ...setup,
      // Tests wait for much of their time: for storage, for other processes and for browsers.
      maxWorkers: availableParallelism() + 1,
      projects: [
        {
          test: {
            ...options,
            name: 'apart',
            include: ['test/**/*.test.ts', 'emulator/test/**/*.test.ts', 'tools/**/*.test.ts'],
            exclude: [
              ...configDefaults.exclude,
              ...globSync(TOGETHER.include, { exclude: TOGETHER.exclude, cwd: import.meta.dirname }).map(
                (file) => file.replaceAll('\\', '/'),
              ),
            ],
          },
        },
        {
          test: {
            ...options,
            ...TOGETHER,
            name: 'together',
            isolate: false,
            setupFiles: ['test/support/loaded-app.ts'],
          },
        },
      ],
    },
  };
});
