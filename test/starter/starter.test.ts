import { describe, expect, it } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import { startApp } from '../support/app.js';

const approval = { subject: 'A new laptop', requestedBy: 'ana', approver: 'kim', escalateTo: 'lee' };

interface Urls {
  id: string;
  statusQueryGetUri: string;
}

const start = (
  app: TestApp,
  name: string,
  body?: unknown,
  headers?: Record<string, string>,
): Promise<Response> => app.post(`/api/orchestrators/${name}`, body, headers);

describe('the starter', () => {
  it.each([
    ['ApprovalSimulation', undefined, ['Approved', 'Rejected']],
    ['ApprovalOrchestrator', approval, 'Expired'],
    [
      'ReminderOrchestrator',
      { to: 'pat', message: 'Water the plants', count: 3 },
      { sent: 3, state: 'finished' },
    ],
  ])('takes %s to its end, which the status URL tells', async (name, body, output) => {
    const { app } = await startApp();
    const response = await start(app, name, body);
    expect(response.status).toBe(202);
    const { id, statusQueryGetUri } = (await response.json()) as Urls;
    expect(response.headers.get('location')).toBe(statusQueryGetUri);
    expect(response.headers.get('retry-after')).toBe('10');

    expect([200, 202]).toContain((await app.get(statusQueryGetUri)).status);
    await app.skip('idle');
    const status = await app.get(statusQueryGetUri);
    expect(status.status).toBe(200);
    expect(await status.json()).toMatchObject({ name, instanceId: id, runtimeStatus: 'Completed', output });
  });

  it('starts what the feature itself starts: its record can be seen, its key counts', async () => {
    const { app } = await startApp();
    const [one, two] = [
      await start(app, 'ApprovalOrchestrator', approval, { 'Idempotency-Key': 'k' }),
      await app.post('/api/approvals', approval, { 'Idempotency-Key': 'k' }),
    ];
    const { id } = (await one.json()) as Urls;
    expect(two.headers.get('location')).toBe(`/api/approvals/${id}`);
    expect(await (await app.get(`/api/approvals/${id}`)).json()).toMatchObject({
      ...approval,
      state: 'pending',
    });
  });

  it('starts one simulation for one idempotency key', async () => {
    const { app } = await startApp();
    for (let time = 0; time < 2; time += 1) {
      expect((await start(app, 'ApprovalSimulation', {}, { 'Idempotency-Key': 'k' })).status).toBe(202);
      await app.quiet();
    }
    expect(app.calls('Approval')).toHaveLength(2);
  });

  it.each(['Nothing', 'approvalsimulation', 'Approval', 'constructor', '__proto__'])(
    'does not start %s, and says what there is',
    async (name) => {
      const { app } = await startApp();
      const response = await start(app, name, {});
      expect(response.status).toBe(404);
      const { detail } = (await response.json()) as { detail: string };
      expect(detail).toContain('ApprovalSimulation, ApprovalOrchestrator, ReminderOrchestrator');
    },
  );

  it('says which field is wrong', async () => {
    const { app } = await startApp();
    const response = await start(app, 'ApprovalOrchestrator', { ...approval, respondWithin: 'soon' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      errors: [{ field: 'respondWithin', message: expect.stringContaining('ISO 8601') as string }],
    });
  });

  it('takes JSON alone, of 64 KB at most', async () => {
    const { app } = await startApp();
    expect((await start(app, 'ApprovalSimulation', 'hello')).status).toBe(400);
    expect((await start(app, 'ApprovalSimulation', JSON.stringify('x'.repeat(65_534)))).status).toBe(202);
    expect((await start(app, 'ApprovalSimulation', JSON.stringify('x'.repeat(65_535)))).status).toBe(413);
  });
});
