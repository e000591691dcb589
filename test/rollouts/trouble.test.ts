/** Rollouts whose workflows are terminated, and requests that are wrong or come twice. */
import { describe, expect, it } from 'vitest';
import { sweepOnce as sweep } from '../support/app.js';
import { Fleet, type SeenRollout } from './fleet.js';

/** Terminates the workflows of some orchestrators. */
async function terminate(fleet: Fleet, ...names: string[]): Promise<void> {
  const running = (await fleet.app.instances()).filter(
    ({ name, runtimeStatus }) => names.includes(name) && runtimeStatus === 'Running',
  );
  expect(running.length).toBeGreaterThanOrEqual(names.length);
  for (const { instanceId } of running) await fleet.app.terminate(instanceId);
  await fleet.app.quiet();
}

const ALL = ['RolloutOrchestrator', 'UpdateLane', 'UpdateDevice'];

describe('a rollout whose workflow is terminated', () => {
  it.each([[['RolloutOrchestrator']], [['UpdateDevice']], [ALL]])(
    'while devices have a command (%j) is started by the sweep, and sends none again',
    async (names) => {
      const fleet = await Fleet.open(3);
      const id = await fleet.rollOut({ waves: [2, 3], updateWithin: 'P1D', attempts: 2 });
      await terminate(fleet, ...names);
      await fleet.app.skip({ minutes: 62 });
      await sweep(fleet.app);
      expect(await fleet.work(id)).toBe(2);
      await fleet.app.skip({ minutes: 11 });
      expect(await fleet.work(id)).toBe(1);
      await fleet.app.skip({ minutes: 11 });
      expect(await fleet.seen(id)).toMatchObject({ state: 'completed' });
      expect(fleet.commands).toHaveLength(3);
      expect(await fleet.firmware()).toEqual({ '2.0.0': 3 });
    },
  );

  it('while it soaks, or when a device reports to a workflow that has ended, goes on', async () => {
    const fleet = await Fleet.open(2);
    const id = await fleet.rollOut({ updateWithin: 'P1D' });
    await terminate(fleet, ...ALL);
    expect(await fleet.work(id)).toBe(1);
    await fleet.app.skip({ minutes: 62 });
    await sweep(fleet.app);
    expect(await fleet.seen(id)).toMatchObject({ state: 'soaking' });
    await terminate(fleet, 'RolloutOrchestrator');
    await fleet.app.skip({ minutes: 13 });
    await sweep(fleet.app);
    expect(await fleet.work(id)).toBe(1);
    await fleet.app.skip({ minutes: 11 });
    expect(await fleet.seen(id)).toMatchObject({ state: 'completed' });
    expect(fleet.commands).toHaveLength(2);
  });

  it('while it waits for an approval is started by the sweep, and goes on when it is approved', async () => {
    const fleet = await Fleet.open(3);
    const id = await fleet.rollOut({ waves: [1, 2, 3], approveBetweenWaves: true, updateWithin: 'P1D' });
    await fleet.work(id);
    await fleet.app.skip({ minutes: 11 });
    await fleet.steer(id, 'pause');
    await fleet.steer(id, 'resume');
    await fleet.app.skip({ minutes: 62 });
    await sweep(fleet.app);
    await fleet.decide(id, 2, 'approved', 'operator');
    expect(await fleet.work(id)).toBe(1);
    await fleet.app.skip({ minutes: 11 });
    await terminate(fleet, 'RolloutOrchestrator');
    await fleet.app.skip({ minutes: 62 });
    await sweep(fleet.app);
    await fleet.decide(id, 3, 'approved', 'operator');
    await fleet.app.skip({ hours: 1 });
    expect(await fleet.work(id)).toBe(1);
  });

  it('while it is paused is left alone by the sweep, and goes on when it is resumed', async () => {
    const fleet = await Fleet.open(1);
    const id = await fleet.rollOut();
    await fleet.steer(id, 'pause');
    await terminate(fleet, ...ALL);
    await fleet.app.skip({ days: 3 });
    await sweep(fleet.app);
    expect((await fleet.app.instance(id))?.runtimeStatus).not.toBe('Running');
    await fleet.steer(id, 'resume');
    expect(await fleet.work(id)).toBe(2);
    await fleet.app.skip({ minutes: 11 });
    expect(await fleet.seen(id)).toMatchObject({ state: 'completed' });
  });
});

describe('a request', () => {
  const good = { firmware: '2.0.0', devices: {}, waves: [1, '100%'] };

  it.each([
    ['firmware', { ...good, firmware: 'two words' }],
    ['devices', { ...good, devices: [] }],
    ['devices', { ...good, devices: ['Not an id'] }],
    ['devices', { ...good, devices: { health: 'fine' } }],
    ['devices', { ...good, devices: Array.from({ length: 501 }, (_, number) => `d${number}`) }],
    ['waves', { ...good, waves: [] }],
    ['waves.0', { ...good, waves: ['0%'] }],
    ['waves.0', { ...good, waves: ['101%'] }],
    ['waves.0', { ...good, waves: [1.5] }],
    ['maxFailureShare', { ...good, maxFailureShare: 2 }],
    ['soak', { ...good, soak: '10 minutes' }],
    ['approveBetweenWaves.approver', { ...good, approveBetweenWaves: { approver: '' } }],
    [
      'approveBetweenWaves.approver',
      { ...good, approveBetweenWaves: { approver: 'kim' }, requestedBy: 'kim' },
    ],
    ['attempts', { ...good, attempts: 0 }],
    ['maxParallel', { ...good, maxParallel: 65 }],
    ['extra', { ...good, extra: 1 }],
  ])('for a rollout with a wrong %s is refused, and says so', async (field, body) => {
    const fleet = await Fleet.open(0);
    const answer = await fleet.app.post('/api/rollouts', body);
    expect(answer.status).toBe(400);
    const { errors } = (await answer.json()) as { errors: { field: string }[] };
    expect(errors.map((error) => error.field)).toContain(field);
  });

  it('that is repeated gets the same rollout, also at once, and another one with its key is refused', async () => {
    const fleet = await Fleet.open(1);
    const post = async (body: object): Promise<Response> =>
      fleet.app.post('/api/rollouts', body, { 'idempotency-key': 'once' });
    const answers = await Promise.all([post(good), post(good), post(good)]);
    await fleet.app.quiet();
    expect(new Set(answers.map(({ status, headers }) => `${status} ${headers.get('location')}`)).size).toBe(
      1,
    );
    expect((await post({ ...good, firmware: '3.0.0' })).status).toBe(422);
    expect(await fleet.take(fleet.ids[0]!)).toHaveLength(1);
  });

  it('for devices gets pages, of a wave and of a state, and for rollouts the newest first', async () => {
    const fleet = await Fleet.open(5);
    const older = await fleet.rollOut({ devices: ['nobody'] });
    await fleet.app.skip({ minutes: 1 });
    const id = await fleet.rollOut({ devices: ['nobody', ...fleet.ids], waves: [2, 4] });
    const pages: string[][] = [];
    let link: string | undefined = `/api/rollouts/${id}/devices?top=4`;
    while (link !== undefined) {
      const page = (await (await fleet.app.get(link)).json()) as SeenRollout['devices'];
      pages.push(page.value.map(({ device, wave }) => `${device} ${wave}`));
      link = page.nextLink;
    }
    const [a, b, c, d, e] = fleet.ids;
    expect(pages).toEqual([
      [`${a} 1`, `${b} 1`, `${c} 2`, `${d} 2`],
      [`${e} undefined`, 'nobody undefined'],
    ]);
    const some = async (query: string): Promise<string[]> => {
      const answer = await fleet.app.get(`/api/rollouts/${id}/devices?${query}`);
      return ((await answer.json()) as SeenRollout['devices']).value.map(({ device }) => device);
    };
    expect(await some('wave=2')).toEqual([c, d]);
    expect(await some('wave=3')).toEqual([]);
    expect(await some('state=sent')).toEqual([a, b]);
    expect(await some('wave=2&state=sent')).toEqual([]);
    const list = (await (await fleet.app.get('/api/rollouts?top=1')).json()) as {
      value: { id: string }[];
      nextLink: string;
    };
    const next = (await (await fleet.app.get(list.nextLink)).json()) as typeof list;
    expect([list.value[0]!.id, next.value[0]!.id, next.nextLink]).toEqual([id, older, undefined]);
    for (const wrong of ['wave=0', 'state=lost', 'top=0', 'continuation=%20'])
      expect((await fleet.app.get(`/api/rollouts/${id}/devices?${wrong}`)).status).toBe(400);
    for (const unknown of ['rollout-1', `rollout-${'0'.repeat(32)}`])
      expect((await fleet.app.get(`/api/rollouts/${unknown}`)).status).toBe(404);
  });
});
