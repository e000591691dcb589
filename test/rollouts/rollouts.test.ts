/** What becomes of a rollout, on a clock that skips. */
import { describe, expect, inject, it } from 'vitest';
import { Fleet, names, type SeenRollout } from './fleet.js';

const states = ({ devices }: SeenRollout): string[] =>
  devices.value.map(({ device, state }) => `${device.slice(-1)} ${state}`);
const kinds = (fleet: Fleet): string[] =>
  fleet.commands.map(({ device, command }) => `${command.kind} ${device.slice(-1)}`);

describe('a rollout', () => {
  it('updates wave after wave, and soaks after each', async () => {
    const fleet = await Fleet.open(8, { verifyReplay: true });
    const id = await fleet.rollOut({ soak: 'PT1H' });
    expect(await fleet.work(id)).toBe(1);
    expect(await fleet.seen(id)).toMatchObject({
      state: 'soaking',
      wave: 1,
      deviceCount: 8,
      waves: [
        { number: 1, devices: 1, state: 'soaking', counts: { updated: 1 } },
        { number: 2, devices: 3, state: 'waiting', counts: { waiting: 3 } },
        { number: 3, devices: 4, state: 'waiting', counts: { waiting: 4 } },
      ],
    });
    await fleet.app.skip({ minutes: 59 });
    expect(await fleet.work(id)).toBe(0);
    await fleet.app.skip({ minutes: 2 });
    expect(await fleet.work(id)).toBe(3);
    await fleet.app.skip({ minutes: 61 });
    expect(await fleet.work(id)).toBe(4);
    await fleet.app.skip({ minutes: 61 });
    const seen = await fleet.seen(id);
    expect(seen).toMatchObject({ state: 'completed', reason: 'All waves are done' });
    expect(
      seen.devices.value.map(({ state, attempts, previousFirmware }) => [state, attempts, previousFirmware]),
    ).toEqual(Array.from({ length: 8 }, () => ['updated', 1, '1.0.0']));
    expect(await fleet.firmware()).toEqual({ '2.0.0': 8 });
    expect(fleet.commands).toHaveLength(8);
    expect(await fleet.app.instance(id)).toMatchObject({ runtimeStatus: 'Completed', output: 'completed' });
    expect(await fleet.storage.notifications()).toMatchObject([
      { to: 'operator', subject: 'Firmware 2.0.0: the rollout is completed', about: `/api/rollouts/${id}` },
    ]);
  });

  it('in which too many devices fail stops, and rolls back the last wave first', async () => {
    const fleet = await Fleet.open(9);
    const failing = new Set(fleet.ids.slice(2, 5));
    fleet.behaviour = ({ kind }, device) =>
      kind === 'update' && failing.has(device) ? 'failed' : 'succeeded';
    const id = await fleet.rollOut({ waves: [2, 9], maxFailureShare: '29%', maxParallel: 2 });
    await fleet.work(id);
    await fleet.app.skip({ minutes: 11 });
    await fleet.work(id);
    await fleet.app.skip({ minutes: 1 });
    const seen = await fleet.seen(id);
    expect(seen).toMatchObject({
      state: 'rolled-back',
      reason: 'Of the 7 devices of wave 2, 3 failed',
      waves: [{ state: 'rolled-back', counts: { 'rolled-back': 2 } }, { state: 'rolled-back' }],
    });
    expect(states(seen).filter((state) => state.endsWith('failed'))).toEqual([
      '2 failed',
      '3 failed',
      '4 failed',
    ]);
    expect(states(seen)).toContain('8 not-updated');
    const back = kinds(fleet).filter((kind) => kind.startsWith('roll-back'));
    expect(back.slice(-2).toSorted()).toEqual(['roll-back 0', 'roll-back 1']);
    expect(back.slice(0, -2).every((kind) => /[5-8]$/.test(kind))).toBe(true);
    const last = fleet.commands.findLastIndex(({ command }) => command.kind === 'update');
    expect(last).toBeLessThan(fleet.commands.findIndex(({ command }) => command.kind === 'roll-back'));
    expect(await fleet.firmware()).toEqual({ '1.0.0': 9 });
    expect((await fleet.storage.notifications()).map(({ subject }) => subject)).toEqual([
      'Firmware 2.0.0: the rollout is rolling-back',
      'Firmware 2.0.0: the rollout is rolled-back',
    ]);
  });

  it('whose devices get worse in the soak rolls back, and those that were so before do not count', async () => {
    const fleet = await Fleet.open(4);
    await fleet.change([fleet.ids[3]!], { health: 'silent' });
    const id = await fleet.rollOut({ waves: ['100%'], maxFailureShare: 0.25 });
    await fleet.work(id);
    await fleet.change(fleet.ids.slice(0, 2), { health: 'unhealthy' });
    await fleet.app.skip({ minutes: 11 });
    await fleet.work(id);
    expect(await fleet.seen(id)).toMatchObject({
      state: 'rolled-back',
      reason: 'Of the 4 devices of wave 1, 2 failed',
      waves: [{ counts: { 'rolled-back': 4 } }],
    });
    expect(await fleet.firmware()).toEqual({ '1.0.0': 4 });
  });

  it('that is paused over a weekend sends nothing until Monday', async () => {
    const fleet = await Fleet.open(6);
    fleet.behaviour = (_, device) => (device === fleet.ids[1] ? 'silent' : 'succeeded');
    const id = await fleet.rollOut({ waves: ['100%'], maxParallel: 2, maxFailureShare: 0.5 });
    expect(await (await fleet.steer(id, 'pause', { by: 'kim', reason: 'Weekend' })).json()).toMatchObject({
      state: 'paused',
    });
    expect((await fleet.steer(id, 'pause')).status).toBe(202);
    expect(await fleet.work(id)).toBe(1);
    await fleet.app.skip({ days: 3 });
    expect(await fleet.work(id)).toBe(0);
    expect(await fleet.seen(id)).toMatchObject({
      state: 'paused',
      waves: [{ counts: { updated: 1, sent: 1, waiting: 4 } }],
    });
    expect(kinds(fleet).toSorted()).toEqual(['update 0', 'update 1']);

    fleet.behaviour = () => 'succeeded';
    await fleet.steer(id, 'resume');
    expect(await fleet.work(id)).toBe(5);
    await fleet.app.skip({ minutes: 11 });
    const seen = await fleet.seen(id);
    expect(seen).toMatchObject({ state: 'completed', waves: [{ counts: { updated: 6 } }] });
    expect(seen.devices.value.map(({ attempts }) => attempts)).toEqual([1, 2, 1, 1, 1, 1]);
    expect(seen.steps.map(({ text }) => text)).toContain('Paused by kim: Weekend');
    for (const what of ['pause', 'resume', 'abort'] as const)
      expect((await fleet.steer(id, what)).status).toBe(409);
  });

  it('waits for the approval of each wave, also for one that comes late', async () => {
    const fleet = await Fleet.open(3);
    const id = await fleet.rollOut({
      waves: [1, 2, 3],
      approveBetweenWaves: { approver: 'kim', escalateTo: 'robin', respondWithin: 'P1D' },
    });
    await fleet.work(id);
    await fleet.app.skip({ hours: 20 });
    expect(await fleet.seen(id)).toMatchObject({ state: 'awaiting-approval', wave: 1 });
    // A real host loses the start of a sub-orchestration whose instance a decision has started: the rollout would wait in
    // vain. So the approval has no parent.
    const workflow = `/runtime/webhooks/durabletask/instances/approval-_${id}-2`;
    const approval = (await (await fleet.app.get(workflow)).json()) as Record<string, unknown>;
    expect([approval['name'], approval['parentInstanceId']]).toEqual(['ApprovalOrchestrator', undefined]);
    await fleet.decide(id, 2, 'approved', 'kim');
    expect(await fleet.work(id)).toBe(1);
    await fleet.app.skip({ hours: 40 });
    expect(await fleet.work(id)).toBe(0);
    await fleet.decide(id, 3, 'approved', 'robin');
    expect(await fleet.work(id)).toBe(1);
    await fleet.app.skip({ minutes: 11 });
    expect(await fleet.seen(id)).toMatchObject({ state: 'completed' });
    expect((await fleet.storage.notifications()).map(({ to }) => to)).toEqual(
      expect.arrayContaining(['kim', 'robin']),
    );
  });

  it.each([
    ['rejects', 'Rejected by kim'],
    ['does not answer', 'Nobody has approved the next wave in time'],
  ])('whose approver %s ends, and devices keep what they have', async (does, reason) => {
    const fleet = await Fleet.open(2);
    const id = await fleet.rollOut({ approveBetweenWaves: { approver: 'kim' } });
    await fleet.work(id);
    await fleet.app.skip({ hours: 1 });
    if (does === 'rejects') await fleet.decide(id, 2, 'rejected', 'kim');
    await fleet.app.skip({ days: 3 });
    expect(await fleet.seen(id)).toMatchObject({ state: 'aborted', reason });
    expect(await fleet.firmware()).toEqual({ '1.0.0': 1, '2.0.0': 1 });
    expect(fleet.commands).toHaveLength(1);
  });

  it('that is aborted while it waits for an approval withdraws it', async () => {
    const fleet = await Fleet.open(2);
    const id = await fleet.rollOut({ approveBetweenWaves: true });
    await fleet.work(id);
    await fleet.app.skip({ hours: 1 });
    await fleet.steer(id, 'pause');
    await fleet.steer(id, 'abort');
    await fleet.app.skip({ hours: 1 });
    expect(await fleet.seen(id)).toMatchObject({ state: 'aborted', reason: 'Aborted by kim' });
    const approval = await fleet.app.get(`/api/approvals/approval-_${id}-2`);
    expect(await approval.json()).toMatchObject({ state: 'withdrawn' });
  });

  it.each([
    [false, 'aborted', { '1.0.0': 4, '2.0.0': 2 }],
    [true, 'rolled-back', { '1.0.0': 6 }],
  ])(
    'that is aborted in the middle of a wave (rollBack: %s) sends no more updates',
    async (rollBack, state, firmware) => {
      const fleet = await Fleet.open(6);
      const id = await fleet.rollOut({ waves: ['100%'], maxParallel: 2 });
      fleet.behaviour = (_, device) => (device === fleet.ids[0] ? 'succeeded' : 'silent');
      expect(await fleet.work(id)).toBe(1);
      const [, , open] = fleet.commands;
      expect((await fleet.steer(id, 'abort', { by: 'kim', reason: 'Wrong image', rollBack })).status).toBe(
        202,
      );
      expect((await fleet.steer(id, 'abort', { by: 'kim', reason: 'Wrong image', rollBack })).status).toBe(
        202,
      );
      expect((await fleet.steer(id, 'abort', { rollBack: !rollBack })).status).toBe(409);
      expect(await fleet.seen(id)).toMatchObject({
        state: 'stopping',
        reason: 'Aborted by kim: Wrong image',
      });
      // A device that has a command may still report.
      expect((await fleet.report(open!.device, open!.command.id, 'succeeded')).status).toBe(200);
      fleet.behaviour = () => 'succeeded';
      await fleet.app.skip({ minutes: 11 });
      await fleet.work(id);
      await fleet.app.skip({ minutes: 1 });
      expect(await fleet.seen(id)).toMatchObject({ state });
      expect(await fleet.firmware()).toEqual(firmware);
      expect(new Set(kinds(fleet).filter((kind) => kind.startsWith('update')))).toEqual(
        new Set(['update 0', 'update 1', 'update 2']),
      );
    },
  );
});

describe('a device', () => {
  it('that never answers gets the command again, and has failed then; its late success counts', async () => {
    const fleet = await Fleet.open(3);
    fleet.behaviour = (_, device) => (device === fleet.ids[1] ? 'silent' : 'succeeded');
    const id = await fleet.rollOut({ waves: ['100%'], maxFailureShare: 0.5, attempts: 3, soak: 'P1D' });
    for (const minutes of [0, 10, 10]) {
      await fleet.app.skip({ minutes });
      await fleet.work(id);
    }
    const sent = fleet.commands.filter(({ device }) => device === fleet.ids[1]);
    expect(sent.map(({ command }) => command.attempt)).toEqual([1, 2, 3]);
    expect(new Set(sent.map(({ command }) => command.id)).size).toBe(1);
    await fleet.app.skip({ minutes: 11 });
    expect((await fleet.seen(id)).devices.value[1]).toMatchObject({
      state: 'failed',
      attempts: 3,
      reason: 'It has not reported after 3 commands',
    });
    expect((await fleet.report(fleet.ids[1]!, sent[0]!.command.id, 'succeeded')).status).toBe(200);
    expect(await fleet.seen(id)).toMatchObject({ state: 'soaking', waves: [{ counts: { updated: 3 } }] });
    expect(await fleet.firmware()).toEqual({ '2.0.0': 3 });
  });

  it('that never answered gets a command on the way back too', async () => {
    const fleet = await Fleet.open(2);
    fleet.behaviour = ({ kind }, device) =>
      kind === 'update' && device === fleet.ids[0] ? 'silent' : 'succeeded';
    const id = await fleet.rollOut({ waves: ['100%'], attempts: 1 });
    await fleet.work(id);
    await fleet.app.skip({ minutes: 11 });
    await fleet.work(id);
    expect(await fleet.seen(id)).toMatchObject({
      state: 'rolled-back',
      waves: [{ counts: { 'rolled-back': 2 } }],
    });
  });

  it('that does not answer on the way back is shown as not rolled back, until it reports', async () => {
    const fleet = await Fleet.open(2);
    fleet.behaviour = ({ kind }, device) =>
      device !== fleet.ids[0] ? 'succeeded' : kind === 'update' ? 'failed' : 'silent';
    const id = await fleet.rollOut({ waves: ['100%'], attempts: 2 });
    fleet.behaviour = ({ kind }, device) =>
      kind === 'roll-back' ? 'silent' : device === fleet.ids[0] ? 'failed' : 'succeeded';
    await fleet.work(id);
    await fleet.app.skip({ minutes: 21 });
    await fleet.work(id);
    const seen = await fleet.seen(id);
    expect(seen).toMatchObject({
      state: 'rolled-back',
      waves: [{ counts: { failed: 1, 'not-rolled-back': 1 } }],
    });
    const { command } = seen.devices.value[1]!;
    expect((await fleet.report(fleet.ids[1]!, command!, 'succeeded')).status).toBe(200);
    expect((await fleet.seen(id)).devices.value[1]).toMatchObject({ state: 'rolled-back' });
    expect(await fleet.firmware()).toEqual({ '1.0.0': 2 });
  });

  it('that answers twice changes nothing; other answers are refused', async () => {
    const fleet = await Fleet.open(2, { reportQueue: true });
    const id = await fleet.rollOut();
    const [command] = await fleet.take(fleet.ids[0]!);
    const report = (device: string, what: string, outcome = 'succeeded'): Promise<Response> =>
      fleet.report(device, what, outcome);
    expect((await report(fleet.ids[1]!, command!.id)).status).toBe(404);
    expect((await report(fleet.ids[1]!, `${id}-1-update`)).status).toBe(409);
    expect((await report(fleet.ids[0]!, `${id}-0-back`)).status).toBe(409);
    expect((await report(fleet.ids[0]!, `${id}-7-update`)).status).toBe(404);
    expect((await report(fleet.ids[0]!, 'update')).status).toBe(404);
    expect((await report(fleet.ids[0]!, command!.id, 'perhaps')).status).toBe(400);
    await fleet.app.run('UpdateReportFromQueue', {
      device: fleet.ids[0],
      command: command!.id,
      outcome: 'succeeded',
    });
    const before = await fleet.seen(id);
    expect(before).toMatchObject({ state: 'soaking', waves: [{ counts: { updated: 1 } }, {}] });
    expect((await report(fleet.ids[0]!, command!.id)).status).toBe(200);
    expect((await report(fleet.ids[0]!, command!.id, 'failed')).status).toBe(409);
    for (const wrong of [{}, 'text', { device: fleet.ids[0], command: command!.id, outcome: 'failed' }])
      await fleet.app.run('UpdateReportFromQueue', wrong);
    expect(await fleet.seen(id)).toEqual(before);
  });

  it('that is unknown, has the firmware, was removed or is in another rollout is skipped', async () => {
    const fleet = await Fleet.open(5);
    await fleet.change([fleet.ids[0]!], { firmware: '2.0.0' });
    const first = await fleet.rollOut({ devices: [fleet.ids[1]], waves: [1] });
    const id = await fleet.rollOut({ devices: ['nobody', ...fleet.ids, fleet.ids[4]], waves: [1, '100%'] });
    await fleet.change([fleet.ids[3]!], { removedAt: fleet.app.now.toISOString() });
    await fleet.app.skip({ minutes: 11 });
    await fleet.work(id);
    const { devices } = await fleet.seen(id);
    expect(devices.value.map(({ device, state, reason, wave }) => [device, state, reason, wave])).toEqual([
      [fleet.ids[1], 'skipped', `The rollout ${first} has it`, 1],
      [fleet.ids[2], 'updated', undefined, 2],
      [fleet.ids[3], 'skipped', 'It was removed', 2],
      [fleet.ids[4], 'updated', undefined, 2],
      [fleet.ids[0], 'skipped', 'It has this firmware already', undefined],
      ['nobody', 'skipped', 'There is no such device', undefined],
    ]);
  });
});

it('a rollout to devices that all have the firmware is over at once', async () => {
  const fleet = await Fleet.open(2);
  const id = await fleet.rollOut({ firmware: '1.0.0' });
  expect(await fleet.seen(id)).toMatchObject({
    state: 'completed',
    reason: 'There is no device that needs this firmware',
    deviceCount: 0,
    waves: [],
  });
});

const MANY = inject('long') ? 1000 : 50;

it('a rollout to many devices, of which some fail, ends with short histories and a command for each', async () => {
  const fleet = await Fleet.open(MANY);
  const failing = new Set(fleet.ids.filter((_, number) => number % 20 === 7));
  fleet.behaviour = (_, device) => (failing.has(device) ? 'failed' : 'succeeded');
  const id = await fleet.rollOut({
    devices: { firmware: '1.0.0' },
    waves: [1, '10%', '100%'],
    maxParallel: 10,
  });
  for (let wave = 1; wave <= 3; wave += 1) {
    await fleet.work(id);
    await fleet.app.skip({ minutes: 11 });
  }
  expect(await fleet.seen(id)).toMatchObject({ state: 'completed', deviceCount: MANY });
  expect((await fleet.inState(id, 'failed')).toSorted()).toEqual([...failing]);
  expect((await fleet.inState(id, 'updated')).length).toBe(MANY - failing.size);
  expect(fleet.commands.map(({ device }) => device).toSorted()).toEqual(names(MANY));
  const instances = (await fleet.app.instances()).filter(({ instanceId }) => !instanceId.startsWith('@'));
  const lengths = await Promise.all(
    instances.map(async ({ instanceId }) => (await fleet.app.history(instanceId)).length),
  );
  expect(Math.max(...lengths)).toBeLessThan(60);
});
