import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import { sample } from '../ingestion/support.js';
import { startApp } from '../support/app.js';
import { violations } from '../support/axe.js';
import { hasBrowser, overhang, useBrowser } from '../support/browser.js';

const SHOTS = process.env['SCREENSHOTS'];
const shoot = async (page: Page, name: string): Promise<void> => {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: true });
};

/** A job about an ingestion, which has a sub-orchestration. @returns the job's id */
async function salesReport(app: TestApp): Promise<string> {
  const headers = { 'content-type': 'application/x-ndjson' };
  const ingested = await app.request('POST', '/api/ingestions', { headers, body: sample(20) });
  await app.quiet();
  const { id } = (await ingested.json()) as { id: string };
  const begun = await app.post('/api/jobs', { kind: 'sales-report', ingestion: id });
  await app.quiet();
  return ((await begun.json()) as { id: string }).id;
}

describe.skipIf(!hasBrowser)('the page of operations, in a browser', () => {
  const open = useBrowser();

  it('lists instances, filters them, and shows one as a timeline with its children, inputs and outputs', async () => {
    const { app } = await startApp();
    const job = await salesReport(app);
    const approval = { subject: 'A chair', requestedBy: 'ana', approver: 'kim', escalateTo: 'lee' };
    await app.post('/api/approvals', approval, { 'idempotency-key': 'a' });
    await app.quiet();
    const page = await open();
    await page.goto(`${app.url}/operations`);
    const grid = page.getByRole('grid', { name: 'Instances' });
    await grid.getByRole('row').filter({ hasText: job }).waitFor();
    await expect.poll(() => page.getByRole('status').innerText()).toMatch(/^\d+ instances$/);
    expect([await overhang(page), await violations(page)]).toEqual([0, []]);
    await shoot(page, 'list');

    await page.getByLabel('Workflow').fill('ApprovalOrchestrator');
    await page.getByRole('button', { name: 'Show' }).click();
    await expect.poll(() => page.getByRole('status').innerText()).toBe('1 instance');
    await page.getByLabel('Workflow').fill('');
    await page.getByLabel('State').selectOption('Completed');
    await page.getByLabel('Id begins with').fill('job-');
    await page.getByRole('button', { name: 'Show' }).click();
    await expect.poll(() => page.getByRole('status').innerText()).toBe('1 instance');
    await grid.focus();
    await page.keyboard.press('Enter');

    const timeline = page.getByRole('treegrid', { name: `Timeline of ${job}` });
    await timeline.waitFor();
    const rows = async (): Promise<number> => Number(await timeline.getAttribute('aria-rowcount'));
    const before = await rows();
    const child = timeline.getByRole('row').filter({ hasText: 'IngestionDatasetOrchestrator' });
    await child.click();
    await timeline.focus();
    await page.keyboard.press('ArrowRight');
    await timeline.getByRole('row').filter({ hasText: 'DescribeDataset' }).waitFor();
    expect(await rows()).toBe(before + 1);
    await page.getByRole('button', { name: 'Load inputs and outputs' }).click();
    const details = page.getByRole('region', { name: 'Details of IngestionDatasetOrchestrator' });
    await details.getByRole('heading', { name: 'Output' }).waitFor();
    await timeline.focus();
    await page.keyboard.press('ArrowDown');
    await page.getByRole('region', { name: 'Details of DescribeDataset' }).waitFor();
    expect([await overhang(page), await violations(page)]).toEqual([0, []]);
    await shoot(page, 'instance');
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await overhang(page)).toBe(0);
    await shoot(page, 'instance-phone');
    await page.getByRole('link', { name: 'All instances' }).click();
    await grid.waitFor();
    expect(await overhang(page)).toBe(0);
    await shoot(page, 'list-phone');
  });

  it('does what the state of an instance allows, after a confirmation', async () => {
    const { app } = await startApp({ enforceKeys: true });
    const headers = { 'x-functions-key': app.keys.host };
    const approval = { subject: 'A chair', requestedBy: 'ana', approver: 'kim', escalateTo: 'lee' };
    await app.post('/api/approvals', approval, { ...headers, 'idempotency-key': 'a' });
    await app.quiet();
    const page = await open();
    await page.goto(`${app.url}/operations#approval-a`);
    await page.getByLabel('Key', { exact: true }).fill(app.keys.host);
    await page.getByRole('button', { name: 'Go on' }).click();
    const act = async (action: string, reason?: string): Promise<void> => {
      await page.getByRole('button', { name: action, exact: true }).click();
      if (reason !== undefined) await page.getByLabel('Reason').fill(reason);
      await page.getByRole('button', { name: `${action} it` }).click();
    };
    const state = (text: string): Promise<void> =>
      page.getByRole('status').getByText(text, { exact: true }).waitFor();
    await state('Running');
    await act('Suspend', 'Wait for legal');
    await state('Suspended');
    await page.getByRole('row').filter({ hasText: 'Suspended' }).click();
    await page.getByText('Wait for legal').waitFor();
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    expect(await violations(page)).toEqual([]);
    await shoot(page, 'confirm');
    await page.getByRole('button', { name: 'Resume it' }).click();
    await state('Running');
    await act('Terminate', '');
    await state('Terminated');
    await act('Purge');
    await page.getByText('It is purged').waitFor();
    expect((await app.instances()).length).toBe(0);
  });

  it('shows 10,000 instances and a history of 5,000 events, and renders only what is visible', async () => {
    const { app } = await startApp();
    const page = await open();
    const at = (ms: number): string => new Date(Date.UTC(2030, 0, 1) + ms).toISOString();
    const many = Array.from({ length: 10_000 }, (_, index) => ({
      id: `instance-${String(index).padStart(5, '0')}`,
      workflow: `Workflow${index % 7}`,
      status: ['Running', 'Completed', 'Failed', 'Suspended'][index % 4]!,
      createdAt: at(index * 1000),
      updatedAt: at(index * 2000),
    }));
    const history = [
      { EventType: 'ExecutionStarted', FunctionName: 'Workflow1', Timestamp: at(0) },
      ...Array.from({ length: 4998 }, (_, index) => ({
        EventType: index % 50 === 0 ? 'TaskFailed' : index % 10 === 0 ? 'EventRaised' : 'TaskCompleted',
        FunctionName: `Step${index % 5}`,
        Name: 'Poked',
        ScheduledTime: at(index * 100),
        Timestamp: at(index * 100 + 80),
      })),
      { EventType: 'ExecutionCompleted', OrchestrationStatus: 'Completed', Timestamp: at(500_000) },
    ];
    await page.route('**/api/operations/instances?**', async (route) => {
      const from = Number(new URL(route.request().url()).searchParams.get('continuation') ?? 0);
      const value = many.slice(from, from + 1000);
      await route.fulfill({
        json: { value, ...(from < 9000 && { continuation: String(from + 1000) }) },
      });
    });
    await page.route('**/api/operations/instances/instance-*/history?**', (route) =>
      route.fulfill({ json: { ...many[1], status: 'Completed', customStatus: null, history } }),
    );
    await page.goto(`${app.url}/operations`);
    await expect.poll(() => page.getByRole('status').innerText()).toBe('10,000 instances');
    const grid = page.getByRole('grid');
    await grid.focus();
    await page.keyboard.press('End');
    await grid.getByText('instance-00000').waitFor();
    expect(await grid.getByRole('row').count()).toBeLessThan(100);
    await shoot(page, 'many');

    await page.keyboard.press('Enter');
    const timeline = page.getByRole('treegrid');
    await timeline.waitFor();
    expect(await timeline.getAttribute('aria-rowcount')).toBe('4999');
    await timeline.focus();
    await page.keyboard.press('End');
    await page.getByRole('region', { name: 'Details of Step2' }).waitFor();
    expect(await timeline.getByRole('row').count()).toBeLessThan(100);
    for (let times = 0; times < 3; times += 1) await page.keyboard.press('+');
    await page.getByRole('button', { name: 'Whole time' }).waitFor();
    await expect.poll(() => page.getByRole('group', { name: 'Time axis' }).innerText()).toMatch(/, 7\.8 s$/);
    expect(await violations(page)).toEqual([]);
    await shoot(page, 'long');
  });
});
