/** Diagnostics name lines of the sources, where an app is loaded as sources. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { TestApp } from '../src/testing.js';

const directory = path.join(import.meta.dirname, 'fixtures/stuck-sources');
const file = path.join(directory, 'typed.ts');
const lines = readFileSync(file, 'utf8').split('\n');

test.each(['typed', 'typedThrow'])('%s', async (name) => {
  await using app = await TestApp.start({
    app: () => import('./fixtures/stuck-sources/typed.js'),
    directory,
  });
  const { runtimeStatus, output } = await app.finished(await app.start(name));
  expect(runtimeStatus).toBe('Failed');
  const place = `${path.relative(process.cwd(), file)}:${lines.findIndex((line) => line.endsWith(`// ${name}`)) + 1}`;
  expect(String(output).split('\n').at(-1)).toMatch(
    new RegExp(`^ {4}at ${place.replaceAll(/[\\.]/g, '\\$&')}:\\d+$`),
  );
});
