import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import { startApp } from '../support/app.js';
import { faintTexts, hasBrowser, overhang, useBrowser } from '../support/browser.js';

const soon = { timeout: 60_000 };

describe.skipIf(!hasBrowser)('the dungeon, in a browser', () => {
  const open = useBrowser();

  it('is played to the win', async () => {
    const { app, page } = await atTheDoor('Pat');
    await expectLamps(page, {
      RunUserParallelWorkflow: 'Running',
      UserConfirmationWorkflow: 'Running',
      RunUserSequentialWorkflow: 'not yet',
      UserMonitorWorkflow: 'Running',
    });

    await confirm(page);
    await expectLamps(page, {
      RunUserParallelWorkflow: 'Completed',
      UserConfirmationWorkflow: 'Completed',
      RunUserSequentialWorkflow: 'Completed',
      GameMonitorWorkflow: 'Running',
    });
    await take(page).click();
    await slay(page).click();
    await page.getByText('lies dead').waitFor();
    await take(page).click();

    await page.getByRole('heading', { name: 'You have won' }).waitFor();
    await page.getByRole('log').getByText('Pat has won the game!').waitFor();
    expect(await page.locator('.carried li').count()).toBe(2);
    await app.skip({ seconds: 20 });
    await expectLamps(page, { GameMonitorWorkflow: 'Completed', UserMonitorWorkflow: 'Completed' });
    await page.getByRole('button', { name: 'Play again' }).click();
    await page.getByLabel('Who goes there?').waitFor();
  });

  it('is lost when the player does not confirm within two minutes', async () => {
    const { app, page } = await atTheDoor('Kim');
    await app.skip({ minutes: 1, seconds: 59 });
    expect(await page.getByRole('heading', { name: 'Dare you go in?' }).isVisible()).toBe(true);
    await app.skip({ seconds: 1 });
    await page.getByRole('heading', { name: 'You are dead' }).waitFor();
    await expectLamps(page, {
      RunUserParallelWorkflow: 'Completed',
      UserConfirmationWorkflow: 'Completed',
      RunUserSequentialWorkflow: 'never',
      GameMonitorWorkflow: 'never',
    });
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByLabel('Who goes there?').waitFor();
  });

  it('counts the two minutes down', async () => {
    const { page } = await atTheDoor('Kim');
    const timer = page.getByRole('timer');
    const left = await timer.textContent();
    expect(left).toMatch(/^(1:5\d|2:00)$/);
    await expect.poll(() => timer.textContent(), soon).not.toBe(left);
  });

  it('can be played with the keyboard alone, and the focus is never lost', async () => {
    const { app } = await startApp();
    const page = await open();
    const focused = (): Promise<string> => page.evaluate('document.activeElement.textContent');
    await page.goto(`${app.url}/dungeon`);
    await page.keyboard.type('Lee');
    await page.keyboard.press('Enter');
    await expect.poll(focused, soon).toBe('Dare you go in?');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await take(page).waitFor();
    await expect.poll(focused, soon).toBe(await page.locator('h1').textContent());
    await page.keyboard.press('Tab');
    for (const next of [/^Slay the /, /^Take the /]) {
      await page.keyboard.press('Enter');
      await expect.poll(focused, soon).toMatch(next);
    }
    await page.keyboard.press('Enter');
    await expect.poll(focused, soon).toBe('You have won');
  });

  it('can be read, in dark and in light, at a width of 1280 and of 360', async () => {
    const { app } = await startApp();
    const page = await open();
    const expectReadable = async (): Promise<void> => {
      for (const width of [1280, 360]) {
        await page.setViewportSize({ width, height: 760 });
        expect(await overhang(page), `at ${width}`).toBeLessThanOrEqual(0);
        for (const button of await page.getByRole('button').all())
          expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(32);
        for (const colorScheme of ['dark', 'light'] as const) {
          await page.emulateMedia({ colorScheme });
          expect(await faintTexts(page), `in ${colorScheme} at ${width}`).toEqual([]);
        }
      }
    };
    await page.goto(app.url);
    await page.getByRole('button', { name: /^Copy/ }).first().waitFor();
    await expectReadable();
    const name = 'W'.repeat(50);
    await enter(page, app, name);
    await expectReadable();
    await confirm(page);
    await expectReadable();
    await take(page).click();
    await slay(page).click();
    await page.getByText('lies dead').waitFor();
    await take(page).click();
    await page.getByRole('heading', { name: 'You have won' }).waitFor();
    await expectReadable();
  });

  it('continues after a reload, and in another browser that knows the name', async () => {
    const { app, page } = await atTheDoor('Zoë 2');
    await confirm(page);
    await page.reload();
    await take(page).click();
    const other = await open();
    await other.goto(page.url());
    await slay(other).waitFor();

    await page.goto(`${app.url}/dungeon`);
    await page.getByLabel('Who goes there?').fill('Zoë 2');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText(/\w/).waitFor();
    await page.getByRole('link', { name: 'Go on as Zoë 2' }).click();
    await expect.poll(() => slay(page).isVisible(), soon).toBe(true);
  });

  it('says that there is no such player', async () => {
    const { app } = await startApp();
    const page = await open();
    await page.goto(`${app.url}/dungeon#Nobody`);
    await expect
      .poll(() => page.getByText('Nobody called Nobody is in the dungeon.').isVisible(), soon)
      .toBe(true);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Dare you go in?' }).waitFor();
  });

  it('says what is wrong with a name', async () => {
    const { app } = await startApp();
    const page = await open();
    await page.goto(`${app.url}/dungeon`);
    await page.getByLabel('Who goes there?').fill('a/b');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText(/\w/).waitFor();
    expect(await page.getByText('Is that you?').count()).toBe(0);
    expect(await page.getByLabel('Who goes there?').getAttribute('aria-invalid')).toBe('true');
  });

  it('reports a lost network, and continues by itself when it is back', async () => {
    const { page } = await atTheDoor('Pat');
    await page.route('**/api/**', (route) => route.abort());
    const alert = page.getByRole('alert').getByText('The dungeon does not answer.');
    await expect.poll(() => alert.isVisible(), soon).toBe(true);
    await page.unroute('**/api/**');
    await alert.waitFor({ state: 'detached' });

    await page.route('**/api/**', (route) => route.fulfill({ status: 503 }));
    await page.getByRole('alert').getByText('It answers with an error (503).').waitFor();
    await page.unroute('**/api/**');
    await page.getByRole('button', { name: 'Ask again' }).click();
    await alert.waitFor({ state: 'detached' });
    await confirm(page);
  });

  it('reports a move without an answer, and allows a retry', async () => {
    const { page } = await atTheDoor('Pat');
    await confirm(page);
    await page.route('**/api/Action', (route) => route.abort());
    await take(page).click();
    await page.getByRole('alert').getByText('The dungeon gave no answer.').waitFor();
    await page.unroute('**/api/Action');
    await take(page).click();
    await slay(page).waitFor();
    expect(await page.getByText('The dungeon gave no answer.').count()).toBe(0);
  });

  it('shows that a request is running', async () => {
    const { page } = await atTheDoor('Pat');
    await confirm(page);
    const held = Promise.withResolvers<void>();
    let sent = 0;
    await page.route('**/api/Action', async (route) => {
      sent++;
      await held.promise;
      await route.continue();
    });
    await take(page).click();
    const busy = page.getByRole('button', { name: 'Reaching for it…' });
    await busy.waitFor();
    expect(await busy.getAttribute('aria-busy')).toBe('true');
    await busy.click({ force: true });
    held.resolve();
    await slay(page).waitFor();
    expect(sent).toBe(1);
  });

  it('shows text from the server as text, not as HTML', async () => {
    const { app } = await startApp();
    const page = await open();
    const text = '<img src=x onerror=alert(1)><b>bold</b>';
    await page.route('**/story?*', (route) =>
      route.fulfill({ json: { lines: [{ number: 1, text, at: '2026-01-01T00:00:00Z' }], last: 1 } }),
    );
    await enter(page, app, 'Pat');
    await page.getByRole('log').getByText(text, { exact: true }).first().waitFor();
    expect(await page.locator('img, [role=log] b').count()).toBe(0);
  });

  async function atTheDoor(name: string): Promise<{ app: TestApp; page: Page }> {
    const { app } = await startApp();
    const page = await open();
    await enter(page, app, name);
    return { app, page };
  }
});

describe.skipIf(!hasBrowser)('the start page, in a browser', () => {
  const open = useBrowser();

  it('gives lines that are ready to run', async () => {
    const { app } = await startApp();
    const page = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await page.goto(app.url);
    const copied = async (name: string): Promise<string> => {
      await page.getByRole('button', { name: `Copy: ${name}` }).click();
      await page.getByRole('status').getByText('Copied').waitFor();
      return page.evaluate('navigator.clipboard.readText()');
    };

    const asked = await app.post('/api/approvals', bodyIn(await copied('Ask')));
    expect(asked.status).toBe(202);
    await page.getByLabel('The answer names its Location').fill(asked.headers.get('location') ?? '');
    const see = /^curl (\S+)$/.exec(await copied('See how it stands'))?.[1] ?? '';
    expect(await (await app.get(see)).json()).toMatchObject({ state: 'pending' });
    await app.skip({ seconds: 20 });
    const decide = await copied('Decide');
    expect((await app.post(`${see}/decision`, bodyIn(decide))).status).toBe(200);

    const planned = await app.post('/api/reminders', bodyIn(await copied('Plan')));
    expect(planned.status).toBe(202);
  });

  it('leads into the dungeon', async () => {
    const { app } = await startApp();
    const page = await open();
    await page.goto(app.url);
    await page.getByRole('link', { name: 'Enter the dungeon' }).click();
    await expect.poll(() => page.getByLabel('Who goes there?').isVisible(), soon).toBe(true);
  });
});

const take = (page: Page): Locator => page.getByRole('button', { name: /^Take the / });
const slay = (page: Page): Locator => page.getByRole('button', { name: /^Slay the .* with the / });

/** Enters a name, and waits for the request to confirm. */
async function enter(page: Page, app: TestApp, name: string): Promise<void> {
  await page.goto(`${app.url}/dungeon`);
  await page.getByLabel('Who goes there?').fill(name);
  await page.getByRole('button', { name: 'Enter' }).click();
  await page.getByRole('heading', { name: 'Dare you go in?' }).waitFor();
}

/** Confirms, and waits until the dungeon is laid out. */
async function confirm(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'I dare' }).click();
  await take(page).waitFor();
  await page.getByText('clutching').waitFor();
}

async function expectLamps(page: Page, expected: Record<string, string>): Promise<void> {
  await expect
    .poll(async () => {
      const lamps = await Promise.all(
        Object.keys(expected).map(
          async (name) => [name, await page.locator(`.lamp.${name} em`).textContent()] as const,
        ),
      );
      return Object.fromEntries(lamps);
    }, soon)
    .toEqual(expected);
}

/** The JSON in a curl line. */
const bodyIn = (line: string): string => /-d '(\{[^']*\})'/.exec(line)?.[1] ?? '';
