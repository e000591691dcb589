/** Operations by HTTP alone, at `E2E_BASE_URL`. In Azure they need `E2E_FUNCTION_KEY`. */
import { describe, expect, test, type TestContext } from 'vitest';
import { useBaseUrl } from '../support/base-url.js';
import { call, PATIENCE, until } from './http.js';

describe('Operations, by HTTP', { timeout: 2 * PATIENCE }, () => {
  const origin = useBaseUrl();
  const api = (): string => `${origin()}/api/operations`;

  /** Where there is no key for the app, its protected routes are not tested. */
  async function needKey(context: TestContext): Promise<void> {
    if ((await call('GET', `${api()}/instances?top=1`)).status === 401) context.skip('E2E_FUNCTION_KEY');
  }

  test('the app is up, for anybody', async () => {
    const answer = await until(
      () => call('GET', `${origin()}/api/health`),
      ({ status }) => status === 200,
    );
    expect(answer.json).toEqual({ state: 'up' });
  });

  test('the details of its health name the storage, the hub and the queues', async (context) => {
    await needKey(context);
    const { status, json } = await call('GET', `${api()}/health`);
    expect([status, json]).toMatchObject([
      200,
      { state: 'up', reasons: [], storage: {}, hub: { answeredIn: expect.any(Number) as number } },
    ]);
  });

  test('an instance is listed, read, suspended, resumed, terminated, restarted and purged', async (context) => {
    await needKey(context);
    const asked = await call('POST', `${origin()}/api/approvals`, {
      subject: 'A new chair',
      requestedBy: 'pat',
      approver: 'kim',
      escalateTo: 'robin',
    });
    expect(asked.status).toBe(202);
    const id = String(asked.json?.['id']);
    const url = `${api()}/instances/${id}`;
    const isNow = (state: string) =>
      until(
        () => call('GET', url),
        ({ json }) => json?.['status'] === state,
      );
    const act = async (action: string, body?: object): Promise<void> => {
      const answer = await call('POST', `${url}/${action}`, body);
      expect([action, answer.status, answer.text]).toEqual([action, 202, expect.any(String)]);
      expect(answer.text).not.toContain('code=');
    };
    await isNow('Running');
    const listed = await call('GET', `${api()}/instances?workflow=ApprovalOrchestrator&idPrefix=${id}`);
    expect(listed.json).toMatchObject({ value: [{ id, workflow: 'ApprovalOrchestrator' }] });
    const waits = await until(
      () => call('GET', `${url}/history?payloads=true`),
      ({ text }) => text.includes('TimerCreated'),
    );
    const types = (waits.json!['history'] as { EventType: string }[]).map(({ EventType }) => EventType);
    expect(types).toEqual(['ExecutionStarted', 'TaskCompleted', 'TimerCreated']);

    await act('suspend', { reason: 'Wait for a & b' });
    await isNow('Suspended');
    expect((await call('POST', `${url}/suspend`)).status).toBe(409);
    await act('resume');
    await isNow('Running');
    expect((await call('POST', `${url}/purge`)).status).toBe(409);
    await act('terminate', { by: 'olga' });
    await isNow('Terminated');
    await act('restart');
    await isNow('Running');
    await call('POST', `${origin()}/api/approvals/${id}/decision`, { decision: 'approved', by: 'kim' });
    await isNow('Completed');
    expect((await call('POST', `${url}/purge`)).json).toEqual({ id, purged: true });
    expect((await call('GET', url)).status).toBe(404);
  });

  test('instances come in pages', async (context) => {
    await needKey(context);
    for (let count = 0; count < 3; count += 1)
      expect((await call('POST', `${origin()}/api/orchestrators/ApprovalSimulation`)).status).toBe(202);
    const seen = new Set<string>();
    let more = '';
    for (let pages = 0; pages < 20 && seen.size < 3; pages += 1) {
      const { status, json } = await call(
        'GET',
        `${api()}/instances?workflow=ApprovalSimulation&idPrefix=simulation-&top=1${more}`,
      );
      expect(status).toBe(200);
      expect((json!['value'] as object[]).length).toBeLessThanOrEqual(1);
      for (const { id } of json!['value'] as { id: string }[]) seen.add(id);
      const continuation = json!['continuation'] as string | undefined;
      if (continuation === undefined) break;
      more = `&continuation=${continuation}`;
    }
    expect(seen.size).toBe(3);
  });
});
