import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether tests that have a long form run it: `npm run test:long`. */
    long: boolean;
  }
}

export default defineConfig(({ mode }) => ({
  test: {
    include:
      mode === 'record'
        ? ['test/histories/record.ts']
        : ['test/**/*.test.ts', 'emulator/test/**/*.test.ts', 'tools/**/*.test.ts'],
    globalSetup: [
      'emulator/test/support/build.global-setup.ts',
      'test/support/azurite.global-setup.ts',
      'test/support/build.global-setup.ts',
    ],
    // Each file loads the app into a process of its own: a process holds one app.
    pool: 'forks',
    // Much of what they do is to wait, for Azurite and for browsers.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 20_000,
    provide: { long: mode === 'long' },
  },
}));
