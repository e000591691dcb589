import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether tests that have a long form run it: `npm run test:long`. */
    long: boolean;
  }
}

// An app that is served elsewhere is tested as it is there: a build here would restart the worker of a local host in mid-test.
const isServed = (process.env['E2E_BASE_URL'] ?? '') !== '';

export default defineConfig(({ mode }) => ({
  test: {
    include:
      mode === 'record'
        ? ['test/histories/record.ts']
        : isServed
          ? ['test/e2e/**/*.test.ts']
          : ['test/**/*.test.ts', 'emulator/test/**/*.test.ts', 'tools/**/*.test.ts'],
    globalSetup: isServed
      ? []
      : [
          'emulator/test/support/build.global-setup.ts',
          'test/support/azurite.global-setup.ts',
          'test/support/build.global-setup.ts',
          'test/support/served-app.global-setup.ts',
        ],
    // Each file loads the app into a process of its own: a process holds one app.
    pool: 'forks',
    // Tests wait for much of their time: for storage, for other processes and for browsers.
    maxWorkers: availableParallelism() + 1,
    // The limits end what hangs. They do not measure: on a busy machine everything may take ten times as long.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 60_000 } },
    provide: { long: mode === 'long' },
  },
}));
