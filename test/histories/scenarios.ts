import type { TestApp } from '../../emulator/src/testing.js';
import { Player } from '../dungeon/player.js';

/** A typical life of a workflow. The histories are recorded when it ends. */
export type Scenario = (app: TestApp) => Promise<void>;

async function created(app: TestApp, path: string, body: object): Promise<string> {
  const response = await app.post(path, body);
  if (response.status !== 202)
    throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  await app.quiet();
  return ((await response.json()) as { id: string }).id;
}

const ask = (app: TestApp): Promise<string> =>
  created(app, '/api/approvals', {
    subject: 'A new laptop',
    requestedBy: 'ana',
    approver: 'kim',
    escalateTo: 'lee',
  });
const remind = (app: TestApp, plan: object = {}): Promise<string> =>
  created(app, '/api/reminders', { to: 'pat', message: 'Water the plants', ...plan });

async function decide(app: TestApp, id: string, decision: string, by: string): Promise<void> {
  await app.post(`/api/approvals/${id}/decision`, { decision, by });
  await app.quiet();
}

/** The failure that {@link scenarios} use. */
function ceiling(): never {
  throw new Error('The ceiling came down');
}

/** By the name of the folder that holds their histories. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  'approval-approved': async (app) => {
    await decide(app, await ask(app), 'approved', 'kim');
  },
  'approval-rejected': async (app) => {
    await decide(app, await ask(app), 'rejected', 'kim');
  },
  'approval-escalated': async (app) => {
    const id = await ask(app);
    await app.skip({ hours: 30 });
    await decide(app, id, 'approved', 'lee');
  },
  'approval-expired': async (app) => {
    await ask(app);
    await app.skip('idle');
  },
  'approval-waiting': async (app) => {
    await ask(app);
  },
  'approval-woken-for-nothing': async (app) => {
    const id = await ask(app);
    await app.raise(id, 'Decided');
    await decide(app, id, 'approved', 'kim');
  },
  'approval-simulated': async (app) => {
    await created(app, '/api/orchestrators/ApprovalSimulation', {});
  },

  'reminders-all-sent': async (app) => {
    await remind(app);
    await app.skip('idle');
  },
  'reminders-continued-as-new': async (app) => {
    await remind(app, { gaps: 'daily', count: 30 });
    await app.skip('idle');
  },
  'reminders-acknowledged': async (app) => {
    const id = await remind(app);
    await app.skip({ days: 4 });
    await app.post(`/api/reminders/${id}/acknowledgement`);
    await app.quiet();
  },
  'reminders-waiting': async (app) => {
    await remind(app);
    await app.skip({ days: 4 });
  },

  'dungeon-won': async (app) => {
    const player = await new Player(app, 'Pat').enter();
    await app.skip({ seconds: 50 });
    await player.confirm();
    await player.win();
    await app.skip({ seconds: 20 });
  },
  'dungeon-not-confirmed': async (app) => {
    await new Player(app, 'Pat').enter();
    await app.skip('idle');
  },
  'dungeon-left': async (app) => {
    await (await new Player(app, 'Pat').enter()).confirm();
    await app.skip({ hours: 2 });
  },
  'dungeon-not-made': async (app) => {
    app.replace('CreateMonster', ceiling);
    await new Player(app, 'Pat').enter();
    await app.skip('idle');
  },
  'dungeon-not-laid-out': async (app) => {
    app.replace('PlaceMonsterInRoom', ceiling);
    await (await new Player(app, 'Pat').enter()).confirm();
    await app.skip({ seconds: 30 });
  },
};
