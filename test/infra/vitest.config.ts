/** `npm run infra:check`: these tests alone, without Azurite and without a build. */
import path from 'node:path';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: path.resolve(import.meta.dirname, '../..'),
  test: {
    include: ['test/infra/**/*.test.ts'],
    env: { INFRA_CHECK: 'true' },
  },
});
