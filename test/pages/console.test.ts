/** The emulator's console, in a browser: on this app, and on an app that knows nothing of it. */
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { account as emulatorAccount } from '../../emulator/test/support/azurite.js';
import { startCli, type RunningCli } from '../../emulator/test/support/cli.js';
import { disabled } from '../support/disabled.js';
import { faintTexts, hasBrowser, overhang, useBrowser } from '../support/browser.js';

const root = path.join(import.meta.dirname, '../..');
/** A folder for pictures of the pages; without it none are made. */
const pictures = process.env['PICTURES'];

async function picture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return;
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: path.join(pictures, `${name}.png`) });
}

async function startOn(directory: string, env: Record<string, string>): Promise<RunningCli> {
  return startCli(['start', '--app', directory, '--port', '0', '--storage', 'memory', '--clock', 'skip'], {
    cwd: directory,
    env,
  });
}

describe.skipIf(!hasBrowser)('the console, in a browser', () => {
  const open = useBrowser();
  let own: RunningCli;
  let other: RunningCli;
  beforeAll(async () => {
    const storage = await emulatorAccount();
    [own, other] = await Promise.all([
      startOn(root, {
        AppStorage: storage,
        AzureWebJobsStorage: storage,
        // Each run costs requests to storage, and 45 days have many.
        ...disabled('Sweep', 'Purge', 'SendHeartbeat', 'IngestFromQueue'),
      }),
      startOn(path.join(root, 'emulator/test/fixtures/skipped-app'), {}),
    ]);
  });
  afterAll(async () => {
    await Promise.all([own.kill(), other.kill()]);
  });

  const request = async (emulator: RunningCli, route: string, body: unknown): Promise<{ id: string }> => {
    const response = await fetch(`${emulator.url}/api/${route}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(202);
    return (await response.json()) as { id: string };
  };
  const visit = async (emulator: RunningCli): Promise<Page> => {
    const page = await open({ viewport: { width: 1280, height: 900 } });
    await page.goto(`${emulator.url}/_emulator`);
    return page;
  };
  const click = (page: Page, name: string): Promise<void> =>
    page.getByRole('button', { name, exact: true }).click();
  /** Waits until what fell due is done. */
  const skip = async (page: Page, name: string): Promise<void> => {
    const button = page.getByRole('group', { name: 'Skip time' }).getByRole('button', { name, exact: true });
    const [response] = await Promise.all([
      page.waitForResponse('**/_emulator/clock', { timeout: 0 }),
      button.click(),
    ]);
    expect(response.status()).toBe(200);
  };
  const status = (page: Page): Promise<string> => page.locator('h2 .status').innerText();
  const follow = (page: Page, id: string): Promise<void> =>
    page.getByRole('link', { name: id, exact: true }).click();

  it('an approval escalates when its time is skipped', async () => {
    const page = await visit(own);
    await page.getByText('0 of 0 instances').waitFor();
    const { id } = await request(own, 'approvals', {
      subject: 'A new chair',
      requestedBy: 'pat',
      approver: 'kim',
      escalateTo: 'robin',
      respondWithin: 'P2D',
      escalateWithin: 'P5D',
    });
    // It comes by itself.
    await follow(page, id);
    await page.getByText("It waits for the event 'Decided', and for a timer until").waitFor();
    await page.getByText(/In the code: src\/\S+\.ts:\d+:\d+/).waitFor();
    await skip(page, '+1 h');
    await skip(page, '+1 day');
    expect(await page.getByText('Escalation', { exact: true }).count()).toBe(0);
    await skip(page, 'To the next timer');
    await page.getByRole('row', { name: /^Escalation/ }).waitFor();
    await page.getByText(/\(in 4 days 23 hours\)|\(in 5 days\)/).waitFor();
    await picture(page, 'approval');

    await fetch(`${own.url}/api/approvals/${id}/decision`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ decision: 'approved', by: 'robin' }),
    });
    await expect.poll(() => status(page)).toBe('Completed');
    await page.getByRole('region', { name: 'Output' }).getByText('Approved').waitFor();
  });

  it('a series of reminders over 45 days ends, by one button', async () => {
    const { id } = await request(own, 'reminders', { to: 'pat', message: 'Water the plants' });
    const page = await visit(own);
    await follow(page, id);
    await page.getByText("It waits for the event 'Ended', and for a timer until").waitFor();
    const before = await page.locator('.clock time').first().getAttribute('datetime');
    await skip(page, 'Until idle');
    await expect.poll(() => status(page)).toBe('Completed');
    await page.getByRole('region', { name: 'Output' }).getByText('finished').waitFor();
    const after = await page.locator('.clock time').first().getAttribute('datetime');
    expect((Date.parse(after!) - Date.parse(before!)) / 86_400_000).toBeGreaterThan(44.9);
    await page.getByText(/4[5-9] days.* ahead of real time/).waitFor();
    await expect.poll(() => page.getByRole('row', { name: /^SendReminder/ }).count()).toBe(10);
    await picture(page, 'reminders');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download the history' }).click(),
    ]);
    const history = JSON.parse(await readFile(await download.path(), 'utf8')) as { EventType: string }[];
    expect(history.filter(({ EventType }) => EventType === 'TaskScheduled')).toHaveLength(10);
  });

  it('any orchestrator is started, answered, and found in the list', async () => {
    const page = await visit(other);
    await page.getByText('Start an orchestrator').click();
    await page.getByLabel(/^Orchestrator/).selectOption('asksAll');
    await page.getByLabel('Id (or nothing').fill('first question');
    await page.getByLabel('Input').fill('{"not json');
    await click(page, 'Start');
    await page.getByRole('alert').getByText('This is no JSON').waitFor();
    await page.getByLabel('Input').fill('');
    await click(page, 'Start');
    await page.getByRole('heading', { name: /asksAll first question/ }).waitFor();
    // The sub-orchestration is shown inside of its parent, and opened from it.
    await page
      .getByRole('row', { name: /^asks\b/ })
      .locator('.tl-twisty')
      .click();
    await page.getByRole('row', { name: /^Timer/ }).waitFor();
    await picture(page, 'nested');
    await page.getByRole('region', { name: 'What it waits for' }).getByRole('link').click();
    await page.getByRole('heading', { name: /asks first question-first/ }).waitFor();
    await click(page, 'Suspend');
    await expect.poll(() => status(page)).toBe('Suspended');
    await click(page, 'Resume');
    await expect.poll(() => status(page)).toBe('Running');
    await page.getByText('Raise an event: it waits for Answer').click();
    await page.getByLabel('Data').fill('{"chair": "blue"}');
    await click(page, 'Raise');
    await expect.poll(() => status(page)).toBe('Completed');
    await page.getByRole('link', { name: 'first question', exact: true }).click();
    await page.getByRole('region', { name: 'Output' }).getByText('"blue"').waitFor();
    await click(page, 'Start again');
    await page.getByRole('heading', { name: /asksAll [0-9a-f]{32}/ }).waitFor();
    await click(page, 'Terminate');
    await expect.poll(() => status(page)).toBe('Terminated');
    await click(page, 'Purge');

    await page.getByRole('link', { name: 'Instances', exact: true }).click();
    await page.getByRole('button', { name: 'Completed 2' }).click();
    await page.getByText(/^2 of \d+ instances/).waitFor();
    await page.getByLabel('Id', { exact: true }).fill('QUESTION-f');
    await page.getByText(/^1 of \d+ instances/).waitFor();
    await page.getByLabel('Name').selectOption('asksAll');
    await page.getByText(/^0 of \d+ instances/).waitFor();
  });

  it('what is stuck is explained, and what failed is rewound', async () => {
    const page = await visit(other);
    for (const [name, id] of [
      ['stuck', 'stuck-1'],
      ['prints', 'paper-1'],
    ])
      await fetch(`${other.url}/api/start/${name}/${id}`, { method: 'POST' });
    await follow(page, 'stuck-1');
    await page.getByText("The orchestrator calls an activity named 'missing', and there is none").waitFor();
    await page.getByText(/In the code: index\.js:\d+:\d+/).waitFor();
    await page.getByRole('link', { name: 'Instances', exact: true }).click();
    await follow(page, 'paper-1');
    await skip(page, 'Until idle');
    await expect.poll(() => status(page)).toBe('Failed');
    await page.getByText('attempt 3').waitFor();
    await picture(page, 'failed');
    await page.getByLabel('Reason').fill('more paper');
    await click(page, 'Rewind');
    await expect.poll(() => page.getByRole('row', { name: /^Rewound/ }).count()).toBeGreaterThan(0);
  });

  it('entities show their lock and take signals, and functions run at once', async () => {
    const page = await visit(other);
    await fetch(`${other.url}/api/start/locks/holder`, { method: 'POST' });
    await page.getByRole('link', { name: 'Entities', exact: true }).click();
    await follow(page, '@counter@shared');
    await page.getByText('Locked by holder').waitFor();
    await page.getByText('Signal it').click();
    await page.getByLabel('Operation').fill('add');
    await page.getByLabel('Input').fill('5');
    await click(page, 'Signal');
    await page.getByRole('region', { name: 'Queue' }).getByText('add, a signal').waitFor();
    await picture(page, 'entity');
    await page.getByRole('link', { name: 'Queues and timers', exact: true }).click();
    await click(page, 'Run Nightly now');
    await expect.poll(() => page.getByText('It has succeeded.').count()).toBe(1);
    await picture(page, 'functions');
  });

  it('is readable, also on a phone and in the dark', async () => {
    const page = await open({ viewport: { width: 390, height: 800 } });
    for (const at of ['', '#/entities', '#/functions', `#/instances/paper-1`]) {
      await page.goto(`${other.url}/_emulator/${at}`);
      await page.reload();
      await page.getByRole('main').locator('*').first().waitFor();
      await page.getByText('Due next').first().waitFor();
      expect(await overhang(page), at).toBeLessThanOrEqual(0);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await faintTexts(page), `${at} in ${colorScheme}`).toEqual([]);
        await picture(page, `phone-${colorScheme}-${at.split('/')[1] ?? 'instances'}`);
      }
    }
  });
});
