/** Approvals, reminders and the starter by HTTP alone, wherever `E2E_BASE_URL` says they are. In Azure they ask for `E2E_FUNCTION_KEY`. */
import { describe, expect, test, type TestContext } from 'vitest';
import { useBaseUrl } from '../support/base-url.js';
import { call, PATIENCE, until } from './http.js';

describe('What waits, by HTTP', { timeout: 2 * PATIENCE }, () => {
  const origin = useBaseUrl();

  test('an approval goes to the next when nobody answers, and is decided once', async (context) => {
    await needKey(context);
    const asked = await call('POST', `${origin()}/api/approvals`, {
      subject: 'A new chair',
      requestedBy: 'pat',
      approver: 'kim',
      escalateTo: 'robin',
      respondWithin: 'PT1S',
    });
    expect(asked.status).toBe(202);
    const approval = new URL(asked.headers.get('location')!, origin()).href;
    await until(
      () => call('GET', approval),
      ({ json }) => json?.['state'] === 'escalated',
    );
    expect((await call('POST', `${approval}/decision`, { decision: 'approved', by: 'kim' })).status).toBe(
      403,
    );
    const decisions = await Promise.all(
      ['approved', 'rejected'].map((decision) =>
        call('POST', `${approval}/decision`, { decision, by: 'robin' }),
      ),
    );
    expect(decisions.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    await until(
      () => call('GET', approval),
      ({ text }) => text.includes('"reported"'),
    );
  });

  test('reminders are sent, and can be called off', async (context) => {
    await needKey(context);
    const planned = await call('POST', `${origin()}/api/reminders`, {
      to: 'pat',
      message: 'Water the plants',
    });
    expect(planned.status).toBe(202);
    const reminders = new URL(planned.headers.get('location')!, origin()).href;
    await until(
      () => call('GET', reminders),
      ({ json }) => json?.['sent'] === 1,
    );
    expect((await call('DELETE', reminders)).json).toMatchObject({ state: 'cancelled' });
  });

  test('an orchestrator is started by its name, and its status followed to the end', async (context) => {
    await needKey(context);
    const started = await call('POST', `${origin()}/api/orchestrators/ApprovalSimulation`);
    expect(started.status).toBe(202);
    const done = await until(
      () => call('GET', started.json?.['statusQueryGetUri'] as string),
      ({ status }) => status === 200,
    );
    expect(done.json).toMatchObject({ runtimeStatus: 'Completed' });
  });

  async function needKey({ skip }: TestContext): Promise<void> {
    const { status } = await call('GET', `${origin()}/api/approvals`);
    if (status === 401) skip('The app asks for a function key: give one in E2E_FUNCTION_KEY.');
  }
});
