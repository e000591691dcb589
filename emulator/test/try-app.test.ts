/** `npm run try-app`: what it reports about an app that nobody here knows. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from './support/cli.js';

const program = path.join(import.meta.dirname, '../../tools/try-app.ts');
const app = (name: string): string => path.join(import.meta.dirname, 'fixtures/apps', name);

test('it starts an app, calls what it can call, and reports each function', async () => {
  const { code, output } = await runCli([app('hello')], { program });
  expect(output).toContain(`${app('hello')}: 10 functions, 0 of them disabled.\n`);
  const results: Record<string, string> = Object.fromEntries(
    [...output.matchAll(/^(\w+) +\w+Trigger +(.*)$/gm)].map(([, name, result]) => [name!, result!]),
  );
  expect(results).toMatchObject({
    SayHello: 'called by orchestrations',
    HelloCities: 'started without input: Completed',
    StartHello: expect.stringMatching(/^POST \/api\/hello\/HelloCities: 202, \d+ bytes$/) as unknown,
    Echo: expect.stringMatching(/^GET \/api\/echo\/: 200, /) as unknown,
    Throws: 'GET /api/Throws: 500, 0 bytes',
  });
  expect(output).toContain('Error: this one always throws');
  expect(code).toBe(0);
});

test('an app that does not start is one line', async () => {
  const { code, output } = await runCli([app('unbuilt')], { program });
  expect(code).toBe(1);
  expect(output).toMatch(/^The app does not start: No file matches "main": .*\n$/);
});
