import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import { startApp } from '../support/app.js';
import { violations } from '../support/axe.js';
import { faintTexts, hasBrowser, overhang, useBrowser } from '../support/browser.js';
import { linkTo } from '../support/outbox.js';

const soon = { timeout: 60_000 };
const laptop = {
  subject: 'A new <b>laptop</b>',
  details: 'The old one burns.\nTwice a day.',
  requestedBy: 'ana',
  approver: 'kim',
  escalateTo: 'lee',
};

const ask = async (app: TestApp, changes: object = {}, headers = {}): Promise<string> => {
  const response = await app.post('/api/approvals', { ...laptop, ...changes }, headers);
  expect(response.status).toBe(202);
  await app.quiet();
  return ((await response.json()) as { id: string }).id;
};
const see = async (app: TestApp, id: string): Promise<unknown> =>
  (await app.get(`/api/approvals/${id}`)).json();
const shot = async (page: Page, name: string): Promise<void> => {
  const folder = process.env['SCREENSHOTS'];
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
};
const expectUsable = async (page: Page): Promise<void> => {
  expect(await violations(page)).toEqual([]);
  expect(await faintTexts(page)).toEqual([]);
  expect(await overhang(page)).toBeLessThanOrEqual(0);
};

describe.skipIf(!hasBrowser)('the pages for people, in a browser', () => {
  const open = useBrowser();
  const focused = (page: Page): Promise<string> =>
    page.evaluate('document.activeElement.id || document.activeElement.textContent');

  it('the inbox shows what waits, with its history; a new one appears by itself, and both are decided there', async () => {
    const { app } = await startApp();
    const first = await ask(app);
    const page = await open();
    await page.goto(`${app.url}/inbox`);
    await page.getByLabel('Your name or address').fill('kim');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Waits for you: 1' }).waitFor();
    const one = page.getByRole('article', { name: laptop.subject });
    expect(await one.innerText()).toContain('The old one burns.\nTwice a day.');
    await one.getByText('History').click();
    expect(await one.getByRole('listitem').allInnerTexts()).toMatchObject([
      expect.stringMatching(/requested by ana$/),
      expect.stringMatching(/sent to kim$/),
    ]);
    await expectUsable(page);
    await shot(page, 'inbox');

    await one.getByLabel('Comment').fill('With a fan.');
    const second = await ask(app, { subject: 'A chair', respondWithin: 'PT1H' });
    await page.getByRole('status').getByText('New: A chair').waitFor();
    expect(await one.getByLabel('Comment').inputValue()).toBe('With a fan.');
    await one.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('status').getByText(`Approved: ${laptop.subject}`).waitFor();
    await expect.poll(() => focused(page), soon).toBe('Inbox');
    expect(await see(app, first)).toMatchObject({
      state: 'approved',
      decidedBy: 'kim',
      comment: 'With a fan.',
    });

    // Decided elsewhere in the meantime: the page says so.
    await app.post(`/api/approvals/${second}/decision`, { decision: 'rejected', by: 'kim' });
    await page.route('**/api/approvals?*', (route) => route.abort());
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('alert').getByText(`Get /api/approvals/${second} for what happened.`).waitFor();
    await page.unroute('**/api/approvals?*');
    await page.getByRole('heading', { name: 'Nothing waits for you' }).waitFor();

    await page.getByRole('button', { name: 'That is not me' }).click();
    await page.getByLabel('Your name or address').fill('ana');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Your latest requests' }).waitFor();
    expect(await page.getByText('rejected by kim', { exact: true }).count()).toBe(1);
    await app.quiet();
  });

  it('an approval is requested and decided with the keyboard alone, on a phone', async () => {
    const { app } = await startApp();
    const page = await open({ viewport: { width: 360, height: 740 }, colorScheme: 'dark', hasTouch: true });
    await page.goto(`${app.url}/approvals/new`);
    await page.getByLabel('What is to be approved').focus();
    await page.keyboard.press('Enter');
    await page.locator('#subject[aria-invalid=true]').waitFor();
    await expect.poll(() => focused(page), soon).toBe('subject');
    await expectUsable(page);
    await shot(page, 'new-approval-wrong');
    for (const text of ['A holiday', 'In the mountains', 'ana', 'kim']) {
      await page.keyboard.type(text);
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Tab');
    await page.keyboard.type('lee');
    await page.keyboard.press('Enter');
    await page.getByRole('status').getByText('“A holiday” was sent to kim.').waitFor();
    await expectUsable(page);
    await page.getByRole('link', { name: 'See it in your inbox' }).press('Enter');
    await page.getByText('waits for kim').waitFor();
    await page.getByRole('button', { name: 'That is not me' }).press('Enter');
    await page.getByLabel('Your name or address').press('k');
    await page.keyboard.type('im');
    await page.keyboard.press('Enter');
    const reject = page.getByRole('button', { name: 'Reject' });
    await reject.waitFor();
    await expectUsable(page);
    await shot(page, 'inbox-phone');
    await reject.press('Enter');
    await page.getByRole('heading', { name: 'Nothing waits for you' }).waitFor();
    await app.quiet();
  });

  it('the inbox asks for a key where the app does, and knows the person whom the platform has signed in', async () => {
    const { app } = await startApp({ enforceKeys: true, settings: { WEBSITE_AUTH_ENABLED: 'True' } });
    const principal = Buffer.from(JSON.stringify({ userDetails: 'kim' })).toString('base64');
    const id = await ask(app, {}, { 'x-functions-key': app.keys.host });
    const page = await open({ extraHTTPHeaders: { 'x-ms-client-principal': principal } });
    await page.goto(`${app.url}/inbox`);
    await page.getByLabel('Key', { exact: true }).fill(app.keys.host);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('You are kim.').waitFor();
    expect(await page.getByRole('button', { name: 'That is not me' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('heading', { name: 'Nothing waits for you' }).waitFor();
    const seen = await app.get(`/api/approvals/${id}`, { 'x-functions-key': app.keys.host });
    expect(await seen.json()).toMatchObject({ state: 'approved', decidedBy: 'kim' });
    await app.quiet();
  });

  it('the outbox of a local run leads to the page of a link, which decides without a script', async () => {
    const { app } = await startApp({ deliver: true });
    const id = await ask(app);
    const page = await open({ javaScriptEnabled: true });
    await page.goto(`${app.url}/outbox`);
    await page.getByRole('heading', { name: `Please decide: ${laptop.subject}` }).waitFor();
    await expectUsable(page);
    await shot(page, 'outbox');

    // As a scanner does: it opens the page, runs scripts, and leaves.
    const scanner = await open();
    await scanner.goto(app.url + (await linkTo(app, 'kim')), { waitUntil: 'networkidle' });
    await scanner.close();
    expect(await see(app, id)).toMatchObject({ state: 'pending' });

    const plain = await open({ javaScriptEnabled: false, viewport: { width: 360, height: 740 } });
    await plain.goto(app.url + (await linkTo(app, 'kim')));
    expect(await overhang(plain).catch(() => 0)).toBeLessThanOrEqual(0);
    await shot(plain, 'link-phone');
    await page.getByRole('link', { name: 'Approve or reject' }).click();
    await page.getByRole('heading', { name: laptop.subject }).waitFor();
    await expectUsable(page);
    await shot(page, 'link');
    await plain.getByLabel('Comment').fill('No.');
    await plain.getByRole('button', { name: 'Reject' }).click();
    await plain.getByRole('heading', { name: 'You have rejected this' }).waitFor();
    expect(plain.url()).toBe(`${app.url}/decide`);
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('heading', { name: 'This link was used' }).waitFor();
    await expectUsable(page);
    await shot(page, 'link-used');
    expect(await see(app, id)).toMatchObject({ state: 'rejected', comment: 'No.' });
    await app.quiet();
  });

  it('the start page leads with the pages', async () => {
    const { app } = await startApp();
    const page = await open();
    await page.goto(app.url);
    await page.getByRole('button', { name: /^Copy/ }).first().waitFor();
    await expectUsable(page);
    await shot(page, 'start');
    const links = await page.getByRole('main').getByRole('link').all();
    for (const link of links) {
      const path = (await link.getAttribute('href'))!;
      expect([path, (await app.get(path)).status]).toEqual([path, 200]);
    }
    await page.getByRole('link', { name: 'Open the inbox' }).click();
    await page.getByLabel('Your name or address').waitFor();
  });
});
