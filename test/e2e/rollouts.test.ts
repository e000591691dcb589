/** Rollouts of firmware, by HTTP alone, wherever `E2E_BASE_URL` says the app is. The test reports for the devices. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test, type TestContext } from 'vitest';
import { useBaseUrl } from '../support/base-url.js';
import { call, PATIENCE, until, type Answer } from './http.js';

interface Device {
  device: string;
  state: string;
  command?: string;
}

describe('A rollout, by HTTP', { timeout: 3 * PATIENCE }, () => {
  const origin = useBaseUrl();

  test('updates wave after wave, is paused and resumed, and is the same for the same key', async (context) => {
    await needKey(context);
    const devices = await register(3);
    const key = randomUUID();
    const wanted = { firmware: '2.0.0', devices, waves: [1, '100%'], soak: 'PT0S' };
    const rollout = await rollOut(wanted, key);
    expect(await rollOut(wanted, key)).toBe(rollout);
    expect(
      (
        await call(
          'POST',
          `${origin()}/api/rollouts`,
          { ...wanted, firmware: '3' },
          { 'idempotency-key': key },
        )
      ).status,
    ).toBe(422);

    const [first] = await commanded(rollout, 1);
    expect((await call('POST', `${rollout}/pause`, { by: 'kim' })).json).toMatchObject({ state: 'paused' });
    await report(first!, 'succeeded');
    await report(first!, 'succeeded');
    expect((await call('POST', `${rollout}/resume`)).status).toBe(202);
    const others = await commanded(rollout, 2);
    await Promise.all(others.map(async (device) => report(device, 'succeeded')));
    const { json } = await ended(rollout);
    expect(json).toMatchObject({ state: 'completed', deviceCount: 3 });
    for (const device of devices)
      expect((await call('GET', `${origin()}/api/devices/${device}`)).json).toMatchObject({
        firmware: '2.0.0',
      });
    expect((await call('POST', `${rollout}/pause`)).status).toBe(409);
    await remove(devices);
  });

  test('in which too many devices fail rolls the others back', async (context) => {
    await needKey(context);
    const devices = await register(2);
    const rollout = await rollOut({ firmware: '2.0.0', devices, waves: ['100%'], maxFailureShare: '10%' });
    const [good, bad] = await commanded(rollout, 2);
    await report(good!, 'succeeded');
    await report(bad!, 'failed');
    const [back] = await until(
      () => call('GET', `${rollout}/devices?state=rolling-back`),
      ({ text }) => text.includes('-back"'),
    ).then(devicesIn);
    expect(back!.device).toBe(good!.device);
    await report(back!, 'succeeded');
    expect((await ended(rollout)).json).toMatchObject({ state: 'rolled-back' });
    await remove(devices);
  });

  test('is aborted in the middle of a wave', async (context) => {
    await needKey(context);
    const devices = await register(2);
    const rollout = await rollOut({ firmware: '2.0.0', devices, waves: ['100%'], maxParallel: 1 });
    const [first] = await commanded(rollout, 1);
    expect((await call('POST', `${rollout}/abort`, { by: 'kim', reason: 'Wrong image' })).status).toBe(202);
    await report(first!, 'succeeded');
    const { json } = await ended(rollout);
    expect(json).toMatchObject({ state: 'aborted', reason: 'Aborted by kim: Wrong image' });
    const left = await call('GET', `${rollout}/devices`);
    expect(devicesIn(left).map(({ state }) => state)).toEqual(['updated', 'not-updated']);
    await remove(devices);
  });

  const devicesIn = ({ json }: Answer): Device[] => (json?.['value'] ?? []) as Device[];

  /** Registers devices that nobody else has. @returns their ids */
  async function register(count: number): Promise<string[]> {
    const fleet = randomUUID().slice(0, 8);
    const ids = Array.from({ length: count }, (_, number) => `e2e-${fleet}-${number}`);
    for (const id of ids)
      expect((await call('PUT', `${origin()}/api/devices/${id}`, { interval: 'P30D' })).status).toBe(201);
    return ids;
  }

  async function remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) expect((await call('DELETE', `${origin()}/api/devices/${id}`)).status).toBe(204);
  }

  /** Asks for a rollout. @returns its address */
  async function rollOut(wanted: object, key: string = randomUUID()): Promise<string> {
    const answer = await call('POST', `${origin()}/api/rollouts`, wanted, { 'idempotency-key': key });
    expect(answer.status, answer.text).toBe(202);
    return new URL(answer.headers.get('location')!, origin()).href;
  }

  /** The devices that have a command, once so many have one. */
  async function commanded(rollout: string, count: number): Promise<Device[]> {
    const answer = await until(
      () => call('GET', `${rollout}/devices?state=sent`),
      (found) => devicesIn(found).length === count,
    );
    return devicesIn(answer);
  }

  async function report({ device, command }: Device, outcome: string): Promise<void> {
    const answer = await call('POST', `${origin()}/api/devices/${device}/updates/${command}`, { outcome });
    expect(answer.status, answer.text).toBe(200);
  }

  async function ended(rollout: string): ReturnType<typeof until> {
    return until(
      () => call('GET', rollout),
      ({ json }) => ['completed', 'rolled-back', 'aborted'].includes(String(json?.['state'])),
    );
  }

  async function needKey({ skip }: TestContext): Promise<void> {
    const { status } = await call('GET', `${origin()}/api/rollouts`);
    if (status === 401) skip('The app asks for a function key: give one in E2E_FUNCTION_KEY.');
  }
});
