import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import { startApp } from '../support/app.js';
import { faintTexts, hasBrowser, overhang, useBrowser } from '../support/browser.js';
import { plainly, sample } from '../ingestion/support.js';

const file = sample(60);
const plain = plainly(file);

const choose = async (page: Page, name = 'sales.ndjson', content = file): Promise<void> => {
  await page
    .getByLabel('Choose a file')
    .setInputFiles({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(content) });
};

describe.skipIf(!hasBrowser)('the page of ingestions, in a browser', () => {
  const open = useBrowser();

  /** An app whose chunks wait until they are let go. */
  async function held(): Promise<{ app: TestApp; page: Page; letGo: () => void }> {
    const { app } = await startApp({ settings: { INGESTION_CHUNK_BYTES: '1200' } });
    const { ingestChunks } = await import('../../src/ingestion/activities.js');
    const { promise, resolve } = Promise.withResolvers<void>();
    app.replace('IngestChunks', async (input: Parameters<typeof ingestChunks.handler>[0]) => {
      if (input.from > 1) await promise;
      return ingestChunks.handler(input, undefined!);
    });
    const page = await open();
    await page.goto(`${app.url}/ingestions`);
    return { app, page, letGo: resolve };
  }

  it('takes a file, shows how far it is, and then a table, a chart and the rejected lines', async () => {
    const { app, page, letGo } = await held();
    await choose(page);
    const bar = page.getByRole('progressbar', { name: 'Reading' });
    await bar.waitFor();
    await expect.poll(() => bar.evaluate((element: { value: number }) => element.value)).toBeGreaterThan(0);
    expect(await bar.evaluate((element: { value: number }) => element.value)).toBeLessThan(1);
    letGo();
    await page.getByRole('heading', { name: 'Read and added up' }).waitFor();
    await page.getByText('60 lines read, 6 rejected.').waitFor();

    const rows = page.getByRole('table', { name: 'Totals by store' }).getByRole('row');
    await expect.poll(() => rows.count()).toBe(1 + plain.byStore.length);
    const [best] = plain.byStore.toSorted((a, b) => b.amount - a.amount);
    const amount = (best!.amount / 100).toLocaleString('en', { minimumFractionDigits: 2 });
    expect(await rows.nth(1).innerText()).toBe([best!.store, best!.lines, best!.quantity, amount].join('\t'));
    const chart = page.getByRole('img', { name: 'Amounts by store' });
    expect(await chart.locator('rect').count()).toBe(plain.byStore.length);
    expect(await chart.getByText(amount).count()).toBe(1);

    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download the rejected lines' }).click();
    const rejects = await readFile(await (await downloading).path(), 'utf8');
    expect(rejects.trim().split('\n')).toHaveLength(plain.rejected);
    expect([await overhang(page), await faintTexts(page)]).toEqual([0, []]);

    await page.reload();
    await page.getByRole('heading', { name: 'Read and added up' }).waitFor();
    await page.getByRole('button', { name: 'Remove it' }).click();
    await page.getByRole('heading', { name: 'The latest' }).waitFor({ state: 'detached' });
    await app.quiet();
  });

  it('takes a file that is dropped', async () => {
    const { app } = await startApp();
    const page = await open();
    await page.goto(`${app.url}/ingestions`);
    const transfer = await page.evaluateHandle(
      `(() => { const transfer = new DataTransfer(); transfer.items.add(new File([${JSON.stringify(file)}], 'sales.jsonl')); return transfer; })()`,
    );
    await page.getByRole('region', { name: 'Send a file' }).dispatchEvent('drop', { dataTransfer: transfer });
    await expect.poll(() => page.getByText('60 lines read, 6 rejected.').count()).toBe(1);
  });

  it('can cancel, and says so', async () => {
    const { page, letGo } = await held();
    await choose(page);
    await page.getByRole('progressbar', { name: 'Reading' }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await expect.poll(() => page.getByRole('heading', { name: 'Cancelled' }).count()).toBe(1);
    letGo();
  });

  it('says what is wrong with a file', async () => {
    const { app } = await startApp();
    const page = await open();
    await page.goto(`${app.url}/ingestions`);
    await choose(page, 'sales.csv', 'day;shop\n1;2\n');
    await page.getByRole('alert').getByText('The header does not name date, store').waitFor();
    await choose(page);
    await page.getByText('60 lines read').waitFor();
    expect(await page.getByRole('alert').innerText()).toBe('');
    await choose(page, 'sales.csv', 'day;shop\n1;2\n');
    await page.getByRole('heading', { name: 'The latest' }).waitFor();
    await page.waitForLoadState('networkidle');
    await page.getByRole('alert').getByText('The header does not name date, store').waitFor();
  });

  it('asks for a key where the app does, and keeps it in the tab', async () => {
    const { app } = await startApp({ enforceKeys: true });
    const page = await open();
    await page.goto(`${app.url}/ingestions`);
    await page.getByLabel('Key', { exact: true }).fill('guess');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByLabel('Key', { exact: true }).waitFor();
    await page.getByLabel('Key', { exact: true }).fill(app.keys.host);
    await page.getByRole('button', { name: 'Go on' }).click();
    await choose(page);
    await page.getByText('60 lines read, 6 rejected.').waitFor();
    await page.reload();
    await expect.poll(() => page.getByText('60 lines read, 6 rejected.').count()).toBe(1);
  });
});
