/** A device that is silent, recovers and is removed, by HTTP alone, at `E2E_BASE_URL`. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test, type TestContext } from 'vitest';
import { useBaseUrl } from '../support/base-url.js';
import { call, PATIENCE, until } from './http.js';

describe('A device, by HTTP', { timeout: 4 * PATIENCE }, () => {
  const origin = useBaseUrl();

  test('that is silent gets one alert, which is closed when it reports again', async (context) => {
    await needKey(context);
    const id = `pump-${randomUUID().slice(0, 8)}`;
    const device = `${origin()}/api/devices/${id}`;
    const alerts = `${origin()}/api/alerts?device=${id}`;
    const body = { interval: 'PT5S', threshold: { metric: 'temperature', above: 80, for: 'P1D' } };
    expect((await call('PUT', device, body)).status).toBe(201);
    expect((await call('PUT', device, body)).status).toBe(200);
    await until(
      () => call('GET', `${alerts}&state=open`),
      ({ text }) => text.includes('"silence"'),
    );
    await until(
      () => call('GET', device),
      ({ json }) => json?.['health'] === 'silent',
    );

    await until(
      async () => {
        const at = new Date().toISOString();
        const reading = { at, metrics: { temperature: 20 }, firmware: '1.0.0' };
        expect((await call('POST', `${device}/telemetry`, reading)).status).toBe(202);
        return call('GET', device);
      },
      ({ json }) => json?.['health'] === 'healthy',
    );
    expect((await call('GET', device)).json).toMatchObject({
      firmware: '1.0.0',
      lastReading: { metrics: { temperature: 20 } },
    });
    // The alert is closed after the device's record has changed.
    const closed = await until(
      () => call('GET', alerts),
      ({ text }) => text.includes('"closed"'),
    );
    expect(closed.json).toMatchObject({ value: [{ kind: 'silence', state: 'closed' }] });

    expect((await call('DELETE', device)).status).toBe(204);
    expect((await call('GET', device)).status).toBe(404);
    expect((await call('POST', `${device}/telemetry`, { sequence: 1 })).status).toBe(404);
  });

  async function needKey({ skip }: TestContext): Promise<void> {
    const { status } = await call('GET', `${origin()}/api/alerts`);
    if (status === 401) skip('The app needs a function key: set E2E_FUNCTION_KEY.');
  }
});
