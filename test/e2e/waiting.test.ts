/**
 * Approvals, reminders and the starter by HTTP alone, at `E2E_BASE_URL`. In Azure they need
 * `E2E_FUNCTION_KEY`.
 */
import { describe, expect, test, type TestContext } from 'vitest';
import { useBaseUrl } from '../support/base-url.js';
import { call, PATIENCE, until } from './http.js';

describe('Workflows that wait, by HTTP', { timeout: 2 * PATIENCE }, () => {
  const origin = useBaseUrl();

  test('an approval escalates when the approver does not answer, and is decided once', async (context) => {
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

  test('an approver finds the request in a list and in a message, and decides once by its link', async (context) => {
    await needKey(context);
    const approver = `kim-${crypto.randomUUID()}`;
    const asked = await call('POST', `${origin()}/api/approvals`, {
      subject: 'A new chair',
      requestedBy: 'pat',
      approver,
      escalateTo: 'robin',
    });
    const approval = new URL(asked.headers.get('location')!, origin()).href;
    const waiting = await call('GET', `${origin()}/api/approvals?waitsFor=${approver}`);
    expect(waiting.json).toMatchObject({ value: [{ id: asked.json?.['id'] }] });

    const { status } = await call('GET', `${origin()}/api/outbox`);
    if (status === 404) context.skip('The app posts its messages to a webhook.');
    type Messages = { to: string; link?: { path: string } }[];
    const messageIn = (json: Record<string, unknown> | undefined): Messages[number] | undefined =>
      (json?.['value'] as Messages | undefined)?.find(({ to }) => to === approver);
    const outbox = await until(
      () => call('GET', `${origin()}/api/outbox`),
      ({ json }) => messageIn(json) !== undefined,
    );
    const link = new URL(messageIn(outbox.json)!.link!.path, origin());

    const page = await call('GET', link.href);
    expect(page.status).toBe(200);
    expect(page.text).toContain('A new chair');
    expect((await call('GET', approval)).json).toMatchObject({ state: 'pending' });
    const decide = async (action: string): Promise<number> =>
      (
        await fetch(link.origin + link.pathname, {
          method: 'POST',
          body: new URLSearchParams({ link: link.searchParams.get('link')!, action }),
        })
      ).status;
    const answers = await Promise.all([decide('approved'), decide('rejected')]);
    expect(answers.toSorted((a, b) => a - b)).toEqual([200, 410]);
    expect((await call('GET', link.href)).status).toBe(410);
    expect((await call('GET', `${link.href}x`)).status).toBe(403);
    await until(
      () => call('GET', approval),
      ({ text }) => text.includes('"reported"'),
    );
  });

  test('reminders are sent, and can be cancelled', async (context) => {
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

  test('an orchestrator starts by its name, and its status URL reports the completion', async (context) => {
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
    if (status === 401) skip('The app needs a function key: set E2E_FUNCTION_KEY.');
  }
});
