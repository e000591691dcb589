/** The emulator's console with ten thousand instances, and with a history of five thousand events. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type * as Emulator from '../../emulator/src/emulator.js';
import { APP, built, report, timed } from '../measure.ts';

const INSTANCES = 10_000;
/** Each activity has two events, and all are called at once. */
const ACTIVITIES = 2_500;

const { startEmulator } = await built<typeof Emulator>('emulator.js');
const emulator = await startEmulator({ app: APP, port: 0, storage: 'memory', log: () => {} });
const { engine, origin } = emulator.host;
const wide = await engine.startInstance({ name: 'fanOut', input: String(ACTIVITIES) });
for (let left = INSTANCES - 1; left > 0; left -= 1_000)
  await Promise.all(
    Array.from({ length: Math.min(1_000, left) }, () =>
      engine.startInstance({ name: 'waiter', input: '""' }),
    ),
  );
await emulator.host.whenQuiet();
const history = (await engine.getHistory(wide))!;

/** The bytes of all events up to the last instance. */
async function bytesOfAll(): Promise<number> {
  const leaving = new AbortController();
  const response = await fetch(`${origin}/_emulator/api/events`, { signal: leaving.signal });
  let bytes = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (Buffer.from(chunk).includes('event: complete')) break;
  }
  leaving.abort();
  return bytes;
}

report({
  name: 'console: bytes of 10,000 instances',
  value: (await bytesOfAll()) / 1000,
  unit: 'kB',
  better: 'lower',
  method: 'what the stream of events sends to a page that opens, before compression, which there is none of',
});
const view = await (await fetch(`${origin}/_emulator/api/instances/${wide}`)).arrayBuffer();
report({
  name: `console: bytes of a history of ${history.length} events`,
  value: view.byteLength / 1000,
  unit: 'kB',
  better: 'lower',
  method: 'the answer about one instance; a page that has it gets only new events',
});

const executablePath = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (file) => file !== undefined && existsSync(file),
);
if (executablePath === undefined)
  process.stderr.write('The times in a browser are left out: there is no Chromium.\n');
else {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const page = await browser.newPage();
  report({
    name: 'console: time to show 10,000 instances',
    value: await timed(async () => {
      await page.goto(`${origin}/_emulator`);
      await page.getByText('10,000 of 10,000 instances', { exact: true }).waitFor();
    }),
    unit: 'ms',
    better: 'lower',
    method: 'in Chromium, from the request for the page to the complete list',
  });
  report({
    name: `console: time to show a history of ${history.length} events`,
    value: await timed(async () => {
      await page.goto(`${origin}/_emulator#/instances/${wide}`);
      await page.locator('.tl-row').nth(10).waitFor();
    }),
    unit: 'ms',
    better: 'lower',
    method: 'in Chromium, from the click to the rows of the timeline',
  });
  await browser.close();
}
await emulator.stop();
process.exit(0);
