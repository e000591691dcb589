/** 45 days of reminders on the clock that skips, with ten messages queued in Azurite. */
import type * as Testing from '../../emulator/src/testing.js';
import { built, median, report, timed, withAzurite } from '../measure.ts';

const { TestApp } = await built<typeof Testing>('testing.js');

await withAzurite(async (connection) => {
  const app = await TestApp.start({
    app: () => import(new URL('../../dist/index.js', import.meta.url).href),
    settings: {
      AppStorage: connection,
      ...Object.fromEntries(
        ['Sweep', 'SendHeartbeat', 'Purge', 'DeliverNotification'].map((name) => [
          `AzureWebJobs.${name}.Disabled`,
          'true',
        ]),
      ),
    },
    verifyReplay: false,
  });
  const reminders = async (): Promise<void> => {
    const response = await app.post('/api/reminders', { to: 'pat', message: 'Water the plants' });
    if (response.status !== 202)
      throw new Error(`The app answered ${response.status}: ${await response.text()}`);
    await app.skip({ days: 46 });
  };
  await reminders();
  const times: number[] = [];
  for (let run = 0; run < 10; run++) times.push(await timed(reminders));
  const sent = app.calls('SendReminder').length;
  if (sent !== 110) throw new Error(`${sent} reminders were sent instead of 110.`);
  report({
    name: '45 days of reminders',
    value: median(times),
    unit: 'ms',
    target: 100,
    better: 'lower',
    method:
      'median of 10 in a started environment; from POST /api/reminders over skip({ days: 46 }), memory hub, records and queue on Azurite',
  });
  await app.stop();
});
process.exit(0);
