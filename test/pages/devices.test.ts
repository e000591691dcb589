import { describe, expect, it } from 'vitest';
import { SimulatedFleet } from '../../tools/fleet.js';
import { startApp } from '../support/app.js';
import { faintTexts, hasBrowser, overhang, useBrowser } from '../support/browser.js';

describe.skipIf(!hasBrowser)('the page of devices, in a browser', () => {
  const open = useBrowser();

  it('shows the simulated fleet by health, its alerts, and a rollout that a person starts, pauses and aborts', async () => {
    // Ten seconds before the three minutes in which some of the simulated devices are silent.
    const { app, storage } = await startApp({
      verifyReplay: false,
      telemetryQueue: true,
      time: '2026-03-06T09:02:50Z',
    });
    const fleet = new SimulatedFleet({
      url: app.url,
      storage: storage.connectionString,
      devices: 8,
      failing: 0.1,
      silent: 0.1,
      hot: 0,
      interval: 20,
    });
    /** Lets twenty seconds pass, in which the devices report and work. */
    const tick = async (): Promise<number> => {
      await app.skip({ seconds: 20 });
      const commands = await fleet.work();
      await fleet.report(app.now);
      await app.quiet();
      return commands;
    };
    const page = await open();
    const status = page.getByRole('region', { name: 'Rollout of 2.0.0' }).getByRole('status');
    const says = async (text: string): Promise<void> => {
      await expect.poll(async () => status.innerText()).toContain(text);
    };
    await page.goto(`${app.url}/devices`);
    await page.getByRole('heading', { name: 'There are no devices yet' }).waitFor();

    await fleet.register();
    expect(await fleet.report(app.now)).toBe(8);
    await app.quiet();
    await page.getByText('8 healthy').waitFor();
    for (let number = 0; number < 3; number += 1) await tick();
    const silent = fleet.devices.filter(({ isSilent }) => isSilent).length;
    await page.getByText(`${8 - silent} healthy`).waitFor();
    await page.getByText(`${silent} silent`).waitFor();
    const alerts = page.getByRole('region', { name: 'Open alerts' }).getByRole('listitem');
    await expect.poll(() => alerts.count()).toBe(silent);
    expect(await alerts.first().innerText()).toMatch(/sim-\d{4} It has not reported since/);

    const cells = page.getByRole('list', { name: 'Devices', exact: true }).getByRole('button');
    expect(await cells.count()).toBe(8);
    await cells.first().focus();
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('Enter');
    const details = page.getByRole('status', { name: 'sim-0007' });
    await expect.poll(() => details.innerText()).toMatch(/temperature \d/);

    await page.getByRole('textbox', { name: 'Firmware' }).fill('2.0.0');
    await page.getByLabel('Ends of the waves').fill('1, 50%, 100%');
    await page.getByLabel('Devices of a wave that may fail').fill('50%');
    await page.getByRole('button', { name: 'Start' }).click();
    await says('It is updating.');
    expect(await tick()).toBe(1);
    await says('It is soaking');
    await app.skip({ seconds: 21 });
    await says('It is updating.');
    await page.getByRole('button', { name: 'Pause' }).click();
    await says('It is paused.');
    await page.getByRole('button', { name: 'Resume' }).click();
    await says('It is updating.');
    expect(await tick()).toBe(3);
    const updated = fleet.devices.filter(({ firmware }) => firmware === '2.0.0').length;
    await page.getByText(`${updated - 1} updated`).waitFor();
    await page.getByText(`${updated} with 2.0.0`).waitFor();
    expect([await overhang(page), await faintTexts(page)]).toEqual([0, []]);

    await page.getByRole('button', { name: 'Abort…' }).click();
    await page.getByRole('button', { name: 'Abort and roll back' }).click();
    await says('Aborted by operator');
    for (let number = 0; number < 3; number += 1) await tick();
    await says('It is rolled back.');
    await page.getByText('0 with 2.0.0').waitFor();
    await page.getByText('What happened').click();
    await page.getByText('The devices of wave 2 are rolled back.').first().waitFor();
  });

  it('asks for a key where the app does, and shows why a rollout is refused', async () => {
    const { app, storage } = await startApp({ enforceKeys: true });
    const page = await open();
    await page.goto(`${app.url}/devices`);
    await page.getByLabel('Key', { exact: true }).fill(app.keys.host);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByRole('heading', { name: 'There are no devices yet' }).waitFor();
    const fleet = new SimulatedFleet({
      url: app.url,
      key: app.keys.host,
      storage: storage.connectionString,
      devices: 2,
      failing: 0,
      silent: 0,
      hot: 0,
      interval: 20,
    });
    await fleet.register();
    await page.getByText('2 unknown').waitFor();
    await page.getByRole('textbox', { name: 'Firmware' }).fill('2.0.0');
    await page.getByLabel('Ends of the waves').fill('many');
    await page.getByRole('button', { name: 'Start' }).click();
    await expect.poll(() => page.getByRole('alert').innerText()).toContain('waves.0');
  });
});
