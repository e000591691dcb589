import { beforeAll, inject } from 'vitest';
import { account } from './azurite.js';

/**
 * The address of the app under test: `E2E_BASE_URL`, or the built app on the emulator, which all test files of a run
 * share. Needs `served-app.global-setup.ts` among Vitest's `globalSetup`.
 *
 * @returns a function that gives the origin; call it inside a test
 */
export function useBaseUrl(): () => string {
  let origin = process.env['E2E_BASE_URL']?.replace(/\/+$/, '') ?? '';
  if (origin !== '') return () => origin;

  beforeAll(async () => {
    const response = await fetch(inject('servedApp'), { method: 'POST', body: await account() });
    const answer = await response.text();
    if (!response.ok) throw new Error(answer);
    origin = answer;
  });
  return () => origin;
}
