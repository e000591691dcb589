import { describe, expect, it } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import { startApp } from '../support/app.js';
import { actBy, linkTo } from '../support/outbox.js';

const laptop = {
  subject: 'A <b>new</b> laptop',
  requestedBy: 'ana',
  approver: 'kim',
  escalateTo: 'lee',
  details: 'The old one burns & "smells".',
};

async function asked(changes: object = {}, options: Parameters<typeof startApp>[0] = {}) {
  const { app } = await startApp({ deliver: true, ...options });
  const { id } = (await (await app.post('/api/approvals', { ...laptop, ...changes })).json()) as {
    id: string;
  };
  return { app, id, path: await linkTo(app, (changes as { approver?: string }).approver ?? 'kim') };
}

const see = async (app: TestApp, id: string): Promise<Record<string, unknown>> =>
  (await app.get(`/api/approvals/${id}`)).json() as Promise<Record<string, unknown>>;

const principal = (name: string): Record<string, string> => ({
  'x-ms-client-principal': Buffer.from(JSON.stringify({ userDetails: name })).toString('base64'),
});
const titleOf = async (response: Response): Promise<string> =>
  /<title>(.*?)<\/title>/.exec(await response.text())?.[1] ?? '';

describe('the link in a message to an approver', () => {
  it('shows the case and two buttons, and opened by any number of scanners it changes nothing', async () => {
    const { app, id, path } = await asked();
    const before = await see(app, id);
    const pages = await Promise.all([
      app.get(path),
      app.request('HEAD', path),
      app.get(path, { 'user-agent': 'Scanner', purpose: 'prefetch' }),
      app.get(path),
    ]);
    await app.quiet();
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await see(app, id)).toEqual(before);

    const page = pages[0];
    const text = await page.text();
    expect(text).toContain('<h1>A &lt;b&gt;new&lt;/b&gt; laptop</h1>');
    expect(text).toContain('The old one burns &amp; &quot;smells&quot;.');
    expect(text.match(/<button [^>]*>[^<]*/g)).toEqual([
      '<button name="action" value="approved" class="primary">Approve',
      '<button name="action" value="rejected" class="">Reject',
    ]);
    // A scanner that runs scripts finds none, and nothing of others is loaded.
    expect(text).not.toMatch(/<script|https?:\/\//);
    const { headers } = page;
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toContain("script-src 'none'");
    expect(headers.get('content-security-policy')).toContain("form-action 'self'");
  });

  it('decides once, and then says that it was used', async () => {
    const { app, id, path } = await asked();
    const first = await actBy(app, path, 'rejected', { comment: 'Too hot.' });
    expect([first.status, await titleOf(first)]).toEqual([200, 'You have rejected this']);
    await app.quiet();
    const decided = await see(app, id);
    expect(decided).toMatchObject({ state: 'rejected', decidedBy: 'kim', comment: 'Too hot.' });
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed' });

    for (const again of [
      await actBy(app, path, 'rejected', { comment: 'Too hot.' }),
      await actBy(app, path, 'approved'),
      await app.get(path),
    ]) {
      expect(again.status).toBe(410);
      expect(await again.text()).toMatch(/This link was used[^]*rejected by kim/);
    }
    await app.quiet();
    expect(await see(app, id)).toEqual(decided);
  });

  it('that is opened twice at once decides once, and both learn the truth', async () => {
    const { app, id, path } = await asked();
    const answers = await Promise.all(
      ['approved', 'rejected', 'approved', 'rejected'].map((action) => actBy(app, path, action)),
    );
    await app.quiet();
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 410, 410, 410]);
    const { state, history } = (await see(app, id)) as { state: string; history: { what: string }[] };
    const won = answers.find(({ status }) => status === 200)!;
    expect(await titleOf(won)).toBe(`You have ${state} this`);
    expect(history.filter(({ what }) => what === 'approved' || what === 'rejected')).toHaveLength(1);
  });

  it('decides nothing once it has expired or was altered, or when it is for somebody else', async () => {
    const { app, id, path } = await asked();
    const { app: other, path: otherPath } = await asked();
    const [payload = '', signature = ''] = path.slice('/decide?link='.length).split('.');
    const mallory = Buffer.from(
      Buffer.from(payload, 'base64url').toString().replace('"kim"', '"lee"'),
    ).toString('base64url');
    const forged = [
      '',
      '.',
      payload,
      `${payload}.`,
      `.${signature}`,
      `${payload}.${signature.slice(0, -1)}`,
      `${payload}.${signature}.${signature}`,
      `${payload}.${signature}=`,
      `${mallory}.${signature}`,
      `${payload}x.${signature}`,
      `${otherPath.slice('/decide?link='.length).split('.')[0]}.${signature}`,
      'x'.repeat(10_000),
      '\u{1f600}.%00',
    ];
    for (const token of forged) {
      const forgedPath = `/decide?link=${encodeURIComponent(token)}`;
      const answers = [await app.get(forgedPath), await actBy(app, forgedPath, 'approved')];
      for (const answer of answers) {
        expect([token, answer.status, await titleOf(answer)]).toEqual([token, 403, 'This link is not right']);
      }
    }
    // Right for one page, action or approval, and for no other.
    const acknowledge = await app.get(path.replace('/decide', '/acknowledge'));
    expect(acknowledge.status).toBe(403);
    expect((await actBy(app, path, 'withdrawn')).status).toBe(403);
    expect((await actBy(app, path, 'approved', { comment: 'x'.repeat(3000) })).status).toBe(400);
    expect((await actBy(other, path, 'approved')).status).toBe(410);
    expect(await see(app, id)).toMatchObject({ state: 'pending' });

    await app.skip({ hours: 24 });
    for (const late of [await app.get(path), await actBy(app, path, 'approved')]) {
      expect([late.status, await titleOf(late)]).toEqual([410, 'This link has expired']);
    }
    expect(await see(app, id)).toMatchObject({ state: 'escalated' });
    expect((await actBy(app, await linkTo(app, 'lee'), 'approved')).status).toBe(200);
    expect(await see(app, id)).toMatchObject({ state: 'approved', decidedBy: 'lee' });
  });

  it('works for nobody else whom the platform has signed in', async () => {
    const { app, id, path } = await asked(
      { approver: 'Kim@contoso.com' },
      { settings: { WEBSITE_AUTH_ENABLED: 'True' } },
    );
    for (const answer of [
      await app.get(path, principal('mallory')),
      await actBy(app, path, 'approved', {}, principal('mallory')),
    ]) {
      expect([answer.status, await titleOf(answer)]).toEqual([403, 'This link is for somebody else']);
    }
    expect(await see(app, id)).toMatchObject({ state: 'pending' });
    expect((await actBy(app, path, 'approved', {}, principal('kim@contoso.com'))).status).toBe(200);
    expect(await see(app, id)).toMatchObject({ state: 'approved', decidedBy: 'Kim@contoso.com' });
  });

  it('approves no request of the approver’s own', async () => {
    const { app, id, path } = await asked({ requestedBy: 'kim' });
    const answer = await actBy(app, path, 'approved');
    expect([answer.status, await titleOf(answer)]).toEqual([403, 'Nobody approves a request of their own']);
    expect(await see(app, id)).toMatchObject({ state: 'pending' });
    expect((await actBy(app, path, 'rejected')).status).toBe(200);
  });

  it('is in no line of the host’s log', async () => {
    const lines: string[] = [];
    const { app, path } = await asked({}, { log: (...line: unknown[]) => lines.push(line.join(' ')) });
    await app.get(path);
    await actBy(app, path, 'approved');
    await app.quiet();
    expect(lines.join('\n')).toContain('To kim');
    expect(lines.join('\n')).not.toContain(path.slice('/decide?link='.length, '/decide?link='.length + 20));
  });
});

describe('the link in a reminder', () => {
  it('acknowledges the reminders once, and shows them before', async () => {
    const { app } = await startApp({ deliver: true });
    const { id } = (await (
      await app.post('/api/reminders', { to: 'pat', message: 'Water <the> plants', count: 3, gaps: 'daily' })
    ).json()) as { id: string };
    const path = await linkTo(app, 'pat');
    const page = await app.get(path);
    expect(page.status).toBe(200);
    expect(await page.text()).toMatch(
      /Water &lt;the&gt; plants[^]*<button name="action" value="acknowledged"/,
    );
    expect(await (await app.get(`/api/reminders/${id}`)).json()).toMatchObject({ state: 'active' });

    await app.skip({ days: 1 });
    expect((await actBy(app, path, 'acknowledged')).status).toBe(200);
    await app.quiet();
    expect(await app.instance(id)).toMatchObject({ output: { sent: 2, state: 'acknowledged' } });
    for (const again of [await actBy(app, path, 'acknowledged'), await app.get(path)]) {
      expect(again.status).toBe(410);
      expect(await again.text()).toContain('These reminders are acknowledged');
    }
  });

  it('expires when the last reminder is due, and that one has none', async () => {
    const { app } = await startApp({ deliver: true });
    await app.post('/api/reminders', { to: 'pat', message: 'Water the plants', count: 2, gaps: 'daily' });
    const path = await linkTo(app, 'pat');
    await app.skip({ days: 1 });
    expect((await app.get(path)).status).toBe(410);
    const messages = (await (await app.get('/api/outbox')).json()) as { value: { link?: object }[] };
    expect(messages.value.map(({ link }) => link !== undefined)).toEqual([false, true]);
  });
});
