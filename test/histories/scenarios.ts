import type { TestApp } from '../../emulator/src/testing.js';
import { Player } from '../dungeon/player.js';
import { sample, send } from '../ingestion/support.js';
import { Shop } from '../orders/shop.js';
import { Fleet } from '../rollouts/fleet.js';
import type { AppStorage } from '../support/app.js';

/** A typical life of a workflow. The histories are recorded when it ends. */
export type Scenario = (app: TestApp, storage: AppStorage) => Promise<void>;

async function created(app: TestApp, path: string, body: object): Promise<string> {
  const response = await app.post(path, body);
  if (response.status !== 202)
    throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  await app.quiet();
  return ((await response.json()) as { id: string }).id;
}

const ask = (app: TestApp, changes: object = {}): Promise<string> =>
  created(app, '/api/approvals', {
    subject: 'A new laptop',
    requestedBy: 'ana',
    approver: 'kim',
    escalateTo: 'lee',
    ...changes,
  });
const remind = (app: TestApp, plan: object = {}): Promise<string> =>
  created(app, '/api/reminders', { to: 'pat', message: 'Water the plants', ...plan });

async function decide(app: TestApp, id: string, decision: string, by: string): Promise<void> {
  await app.post(`/api/approvals/${id}/decision`, { decision, by });
  await app.quiet();
}

/** Ten hammers and two lathes arrive, and ana's cart is checked out. @returns the order's id */
async function order(
  app: TestApp,
  lines: Record<string, number>,
  token = 'pays',
): Promise<{ shop: Shop; id: string }> {
  const shop = new Shop(app);
  await shop.stocked({ hammer: 10, lathe: 2 });
  const id = await shop.order(lines, token, { cartId: 'ana', key: 'first', approver: 'kim' });
  await app.quiet();
  return { shop, id };
}

/** A device that reports every minute, and must not be hotter than 80 degrees for two minutes. */
async function device(app: TestApp): Promise<{ path: string; report(temperature: number): Promise<void> }> {
  const path = '/api/devices/pump';
  const threshold = { metric: 'temperature', above: 80, for: 'PT2M' };
  await app.request('PUT', path, { body: { interval: 'PT1M', threshold } });
  await app.quiet();
  return {
    path,
    async report(temperature) {
      await app.post(`${path}/telemetry`, { at: app.now.toISOString(), metrics: { temperature } });
      await app.quiet();
    },
  };
}

/** The failure that {@link scenarios} use. */
function ceiling(): never {
  throw new Error('The ceiling came down');
}

/** A game that is confirmed in time, and won. */
const win: Scenario = async (app) => {
  const player = await new Player(app, 'Pat').enter();
  await app.skip({ seconds: 50 });
  await player.confirm();
  await player.win();
  await app.skip({ seconds: 20 });
};

/** A week to decide, of which the approver needs more than six days. */
const almostAWeek: Scenario = async (app) => {
  const id = await ask(app, { respondWithin: 'P7D' });
  await app.skip({ days: 6, hours: 1 });
  await decide(app, id, 'approved', 'kim');
};
/** A week to decide, in which the approver does not answer. */
const aWeek: Scenario = async (app) => {
  const id = await ask(app, { respondWithin: 'P7D' });
  await app.skip({ days: 7, hours: 1 });
  await decide(app, id, 'approved', 'lee');
};

/** The version under which a scenario is recorded, if it is not that of host.json. */
export const versions: Readonly<Record<string, string>> = {
  'dungeon-won': '1.0',
  'approval-in-almost-a-week-1.0': '1.0',
  'approval-escalated-in-a-week-1.0': '1.0',
};

/** By the name of the folder that holds their histories. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  'approval-approved': async (app) => {
    await decide(app, await ask(app), 'approved', 'kim');
  },
  'approval-approved-with-a-hint': async (app) => {
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
  'approval-in-almost-a-week-1.0': almostAWeek,
  'approval-in-almost-a-week-2.0': almostAWeek,
  'approval-escalated-in-a-week-1.0': aWeek,
  'approval-escalated-in-a-week-2.0': aWeek,
  'approval-waiting-for-reminder': async (app) => {
    const id = await ask(app, { respondWithin: 'P7D' });
    await app.raise(id, 'Decided');
    await app.skip({ days: 1 });
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

  'dungeon-won': win,
  'dungeon-won-2.0': win,
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

  'receipt-counted': async (app) => {
    await new Shop(app).receive('hammer', 10, 'first');
    await app.quiet();
  },

  'order-dispatched': async (app) => {
    await order(app, { hammer: 2 });
  },
  'order-with-its-plan': async (app) => {
    await order(app, { hammer: 2 });
  },
  'order-declined': async (app) => {
    await order(app, { hammer: 2 }, 'declines');
  },
  'order-short': async (app) => {
    await order(app, { hammer: 2, lathe: 3 });
  },
  'order-approved': async (app) => {
    const { shop, id } = await order(app, { lathe: 1 });
    await shop.decide(id, 'approved', 'kim');
  },
  'order-awaiting-approval': async (app) => {
    await order(app, { lathe: 1 });
  },
  'order-rejected': async (app) => {
    const { shop, id } = await order(app, { lathe: 1 });
    await shop.decide(id, 'rejected', 'kim');
  },
  'order-cancelled-awaiting-approval': async (app) => {
    const { shop, id } = await order(app, { lathe: 1 });
    await shop.cancel(id);
    await app.quiet();
  },
  'order-not-captured': async (app) => {
    app.replace('CapturePayment', ceiling);
    await order(app, { hammer: 1 });
    await app.skip('idle');
  },
  'order-needs-attention': async (app) => {
    app.replace('ReversePayment', ceiling);
    app.replace('AuthorisePayment', ceiling);
    await order(app, { hammer: 1 });
    await app.skip('idle');
  },

  'device-silent': async (app) => {
    const pump = await device(app);
    await pump.report(20);
    await app.skip({ minutes: 2 });
  },
  'device-recovered': async (app) => {
    const pump = await device(app);
    await app.skip({ minutes: 2 });
    for (let minute = 0; minute < 5; minute += 1) {
      await pump.report(20);
      await app.skip({ minutes: 1 });
    }
  },
  'device-too-hot': async (app) => {
    const pump = await device(app);
    for (const temperature of [20, 90, 91, 92, 20, 20, 20]) {
      await pump.report(temperature);
      await app.skip({ minutes: 1 });
    }
  },
  'device-removed': async (app) => {
    const pump = await device(app);
    await pump.report(20);
    await app.request('DELETE', pump.path);
    await app.quiet();
  },
  'device-continued-as-new': async (app) => {
    const pump = await device(app);
    for (let minute = 0; minute < 50; minute += 1) {
      await pump.report(20);
      await app.skip({ minutes: 1 });
    }
  },

  'ingestion-completed': async (app) => {
    await send(app, sample(30));
    await app.quiet();
  },
  'ingestion-failed': async (app) => {
    app.replace('IngestChunks', ceiling);
    await send(app, sample(30));
    await app.skip('idle');
  },
  'sales-report-completed': async (app) => {
    const location = await send(app, sample(30));
    await app.quiet();
    await created(app, '/api/jobs', { kind: 'sales-report', ingestion: location.split('/').at(-1)! });
  },

  'rollout-updating': async (app, storage) => {
    const fleet = await Fleet.on(app, storage, 1);
    await fleet.rollOut({ attempts: 2 }, 'first');
    await app.skip({ minutes: 11 });
  },
  'rollout-soaking': async (app, storage) => {
    const fleet = await Fleet.on(app, storage, 1);
    await fleet.work(await fleet.rollOut({}, 'first'));
  },
  'rollout-paused': async (app, storage) => {
    const fleet = await Fleet.on(app, storage, 1);
    const id = await fleet.rollOut({}, 'first');
    await fleet.steer(id, 'pause');
    await fleet.work(id);
    await app.skip({ hours: 1 });
  },
  'rollout-awaiting-approval': async (app, storage) => {
    const fleet = await Fleet.on(app, storage, 2);
    await fleet.work(await fleet.rollOut({ approveBetweenWaves: true }, 'first'));
    await app.skip({ hours: 1 });
  },
  'rollout-approved': async (app, storage) => {
    const fleet = await Fleet.on(app, storage, 2);
    const id = await fleet.rollOut({ approveBetweenWaves: true }, 'first');
    await fleet.work(id);
    await app.skip({ hours: 1 });
    await fleet.decide(id, 2, 'approved', 'operator');
  },
  'rollout-aborted-awaiting-approval': async (app, storage) => {
    const fleet = await Fleet.on(app, storage, 2);
    const id = await fleet.rollOut({ approveBetweenWaves: true }, 'first');
    await fleet.work(id);
    await app.skip({ hours: 1 });
    await fleet.steer(id, 'abort');
  },
  'rollout-rolled-back': async (app, storage) => {
    const fleet = await Fleet.on(app, storage, 2);
    fleet.behaviour = ({ kind }, id) => (kind === 'update' && id === fleet.ids[0] ? 'failed' : 'succeeded');
    const id = await fleet.rollOut({ waves: ['100%'] }, 'first');
    await fleet.work(id);
    await app.skip('idle');
  },
};
