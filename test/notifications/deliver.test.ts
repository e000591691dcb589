import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QueueClient } from '@azure/storage-queue';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import { faultyStorage } from '../../emulator/test/support/faulty-storage.js';
import { ATTEMPTS, retryAfter, waitBefore } from '../../src/notifications/rules.js';
import { startApp, type AppStorage } from '../support/app.js';
import { account } from '../support/azurite.js';
import { actBy, outboxOf } from '../support/outbox.js';

const NEW_KEY = 'k'.repeat(32);

interface Posted {
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
}

/** A webhook that answers as it is told, in turn; the last answer stays. */
async function webhook(
  ...answers: ((response: ServerResponse) => void)[]
): Promise<{ url: string; posted: Posted[] }> {
  const posted: Posted[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const answer = answers[Math.min(posted.length, answers.length - 1)]!;
      posted.push({ headers: request.headers, body: JSON.parse(text) as Record<string, unknown> });
      answer(response);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?sig=secret`, posted };
}

const answers =
  (status: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, headers).end();
  };

/** An app that posts its messages to the webhook. */
async function posting(
  url: string,
  settings: Record<string, string> = {},
): Promise<{ app: TestApp; storage: AppStorage; lines: string[] }> {
  const lines: string[] = [];
  const { app, storage } = await startApp({
    deliver: true,
    settings: { NOTIFICATION_WEBHOOK_URL: url, LINK_KEY: NEW_KEY, ...settings },
    log: (...line: unknown[]) => {
      lines.push(line.join(' '));
    },
  });
  return { app, storage, lines };
}

async function ask(app: TestApp, subject = 'A new [laptop](https://evil.example) <!channel>'): Promise<void> {
  await app.post('/api/approvals', {
    subject,
    details: 'The old one *burns*.',
    requestedBy: 'ana',
    approver: 'kim',
    escalateTo: 'lee',
  });
  await app.quiet();
}

const undelivered = async (app: TestApp): Promise<{ count: number; value: Record<string, unknown>[] }> =>
  (await app.get('/api/notifications/undelivered')).json() as Promise<{
    count: number;
    value: Record<string, unknown>[];
  }>;

describe('a message to a webhook', () => {
  it('is an adaptive card for Teams, which shows text as text, with a link that works', async () => {
    const { url, posted } = await webhook(answers(202));
    const { app } = await posting(url);
    await ask(app);
    expect(posted).toHaveLength(1);
    expect(posted[0]!.headers['content-type']).toBe('application/json');
    const { attachments, to } = posted[0]!.body as {
      to: string;
      attachments: { contentType: string; content: { body: unknown[]; actions: { url: string }[] } }[];
    };
    const [{ contentType, content }] = attachments as [(typeof attachments)[0]];
    expect([to, contentType]).toEqual(['kim', 'application/vnd.microsoft.card.adaptive']);
    expect(content).toMatchObject({ type: 'AdaptiveCard', version: '1.4' });
    expect(content.body[0]).toMatchObject({
      type: 'RichTextBlock',
      inlines: [{ type: 'TextRun', text: 'Please decide: A new [laptop](https://evil.example) <!channel>' }],
    });
    expect(JSON.stringify(content)).not.toContain('"TextBlock"');
    expect(content.actions).toMatchObject([{ type: 'Action.OpenUrl', title: 'Approve or reject' }]);
    const link = new URL(content.actions[0]!.url);
    expect(link.origin).toBe(new URL(app.url).origin.replace('127.0.0.1', 'localhost'));
    expect((await actBy(app, link.pathname + link.search, 'approved')).status).toBe(200);
    await app.quiet();
    // The report to the requester follows, without a link.
    expect(posted.map(({ body }) => body['to'])).toEqual(['kim', 'ana']);
    expect(JSON.stringify(posted[1]!.body)).not.toContain('OpenUrl');
  });

  it('is blocks for Slack, in which nobody is mentioned and nothing is a link', async () => {
    const { url, posted } = await webhook(answers(200));
    const { app } = await posting(url, {
      NOTIFICATION_FORMAT: 'slack',
      PUBLIC_ORIGIN: 'https://contoso.com',
    });
    await ask(app, `${'x'.repeat(180)} <!channel>`);
    const { text, blocks } = posted[0]!.body as {
      text: string;
      blocks: { type: string; text?: { type: string; text: string }; elements?: { url: string }[] }[];
    };
    expect(text).toMatch(/&lt;!channel&gt;$/);
    expect(blocks.map(({ type }) => type)).toEqual(['header', 'context', 'section', 'actions']);
    expect(blocks[0]!.text!.text).toHaveLength(150);
    expect(blocks[2]!.text).toMatchObject({ type: 'plain_text' });
    expect(blocks[3]!.elements![0]!.url).toMatch(/^https:\/\/contoso\.com\/decide\?link=/);
  });

  it('that answers 429 or fails is tried again, and the message is delivered once', async () => {
    const again = { 'Retry-After': '0' };
    const { url, posted } = await webhook(answers(429, again), answers(503, again), answers(200));
    const { app, storage, lines } = await posting(url);
    await ask(app);
    expect(posted).toHaveLength(3);
    expect(new Set(posted.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await storage.notifications()).toEqual([]);
    expect((await undelivered(app)).count).toBe(0);

    // What comes again with its key was delivered already.
    const id = (JSON.parse(await (await app.get('/api/approvals')).text()) as { value: { id: string }[] })
      .value[0]!.id;
    const key = `${id}-asked`;
    await app.run('DeliverNotification', { to: 'kim', subject: 's', text: 't', about: '/', key });
    expect(posted).toHaveLength(3);
    expect(lines.join('\n')).not.toMatch(/sig=secret|link=/);
  });

  it('that answers no request in the end is kept, said, and sent again when an operator wants it', async () => {
    const { url, posted } = await webhook(
      ...Array.from({ length: ATTEMPTS }, () => answers(500, { 'Retry-After': '0' })),
      answers(404),
      answers(200),
    );
    const { app, storage, lines } = await posting(url);
    await ask(app);
    expect(posted).toHaveLength(ATTEMPTS);
    expect(await undelivered(app)).toMatchObject({
      count: 1,
      value: [{ to: 'kim', attempts: ATTEMPTS, failure: 'the webhook answered 500' }],
    });
    expect(lines.filter((line) => line.includes('was not delivered: the webhook answered 500'))).toHaveLength(
      1,
    );
    const { expiresOn } = (
      await new QueueClient(storage.connectionString, 'notifications-poison').peekMessages()
    ).peekedMessageItems[0]!;
    expect(expiresOn.getUTCFullYear()).toBe(9999);

    // 404: another attempt would not help.
    const retry = async (): Promise<unknown> =>
      (await app.post('/api/notifications/undelivered/retry')).json();
    expect(await retry()).toEqual({ sent: 1 });
    await app.quiet();
    expect(posted).toHaveLength(ATTEMPTS + 1);
    expect(await undelivered(app)).toMatchObject({ count: 1, value: [{ attempts: 1 }] });

    expect(await retry()).toEqual({ sent: 1 });
    await app.quiet();
    expect(posted).toHaveLength(ATTEMPTS + 2);
    expect((await undelivered(app)).count).toBe(0);
    expect(await retry()).toEqual({ sent: 0 });
  });

  it('that two requests send again at once is no failure of either', async () => {
    const queues = await faultyStorage(await account(), ['Queue']);
    onTestFinished(() => {
      queues.stop();
    });
    const { app, storage } = await startApp({ settings: { AppStorage: queues.connection } });
    const poison = new QueueClient(storage.connectionString, 'notifications-poison');
    await poison.createIfNotExists();
    const message = { to: 'kim', subject: 's', text: 't', about: '/', key: 'k' };
    await poison.sendMessage(Buffer.from(JSON.stringify(message)).toString('base64'));
    // The other request has received the message since.
    queues.fault = ({ method }) =>
      method === 'DELETE' ? { status: 404, code: 'MessageNotFound' } : undefined;
    const answer = await app.post('/api/notifications/undelivered/retry');
    expect([answer.status, await answer.json()]).toEqual([200, { sent: 1 }]);
    expect(await storage.notifications()).toMatchObject([{ key: 'k' }]);
  });

  it('waits, and is not lost, while a setting is wrong', async () => {
    const { url, posted } = await webhook(answers(200));
    for (const [wrong, reason] of [
      [{ NOTIFICATION_WEBHOOK_URL: '@Microsoft.KeyVault(VaultName=kv)' }, 'has not resolved'],
      [{ NOTIFICATION_WEBHOOK_URL: 'nowhere' }, 'is no address'],
      [{ LINK_KEY: 'short' }, 'needs at least 32'],
      [{ NOTIFICATION_FORMAT: 'mail' }, 'is neither teams nor slack'],
    ] as const) {
      const { app, storage, lines } = await posting(url, wrong);
      await ask(app);
      expect(lines.join('\n')).toContain(reason);
      const queue = new QueueClient(storage.connectionString, 'notifications');
      expect((await queue.getProperties()).approximateMessagesCount).toBe(1);
      expect((await undelivered(app)).count).toBe(0);
    }
    expect(posted).toEqual([]);
  });

  it('gets no answer for a slow one, does not follow it elsewhere, and finds nobody at a closed port', async () => {
    const { post } = await import('../../src/notifications/webhook.js');
    const message = { to: 'kim', subject: 'Hello', text: 'you' };
    const slow = await webhook(() => {});
    expect(await post(new URL(slow.url), message, 50)).toEqual({
      delivered: false,
      again: true,
      reason: 'the webhook gave no answer in time',
    });
    const elsewhere = await webhook(answers(307, { location: slow.url }));
    expect(await post(new URL(elsewhere.url), message)).toMatchObject({
      delivered: false,
      again: false,
      reason: 'the webhook answered 307',
    });
    expect(slow.posted).toHaveLength(1);
    const nobody = await post(new URL('http://127.0.0.1:1/'), message);
    expect(nobody).toMatchObject({ delivered: false, again: true });
  });
});

describe('what is no message', () => {
  it('is kept in the poison queue, and stays there', async () => {
    const { app, lines } = await posting('http://127.0.0.1:1/');
    await app.run('DeliverNotification', { hello: 'you' });
    expect(await undelivered(app)).toMatchObject({ count: 1, value: [{}] });
    expect(lines.join('\n')).toContain('it is no notification');
    expect(await (await app.post('/api/notifications/undelivered/retry')).json()).toEqual({ sent: 0 });
    expect((await undelivered(app)).count).toBe(1);
  });
});

describe('without a webhook', () => {
  it('messages are in the outbox, the latest first, each once', async () => {
    const { app } = await startApp({ deliver: true });
    await ask(app, 'One');
    await app.skip({ hours: 24 });
    const messages = await outboxOf(app);
    expect(messages.map(({ to, subject }) => [to, subject])).toEqual([
      ['lee', 'Escalated to you: One'],
      ['kim', 'Please decide: One'],
    ]);
    await app.run('DeliverNotification', { ...messages[0], link: undefined, key: 'again' });
    await app.run('DeliverNotification', { ...messages[0], link: undefined, key: 'again' });
    expect(await outboxOf(app)).toHaveLength(3);
  });

  it('the outbox is shown on local runs only', async () => {
    const { app } = await startApp({ deliver: true, settings: { WEBSITE_SITE_NAME: 'func-1' } });
    await ask(app);
    expect((await app.get('/api/outbox')).status).toBe(404);
  });
});

describe('the next attempt', () => {
  it('comes after longer and longer, at most an hour, or when the receiver wants it, and not for ever', () => {
    const failed = { delivered: false, reason: 'x', again: true } as const;
    const waits = Array.from({ length: ATTEMPTS }, (_, index) => waitBefore(index + 1, failed));
    expect(waits).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, undefined]);
    expect(waitBefore(1, { ...failed, retryAfter: 7.2 })).toBe(8);
    expect(waitBefore(1, { ...failed, retryAfter: 1e9 })).toBe(3600);
    expect(waitBefore(1, { ...failed, again: false })).toBeUndefined();
  });

  it('is read from Retry-After as seconds or as a date', () => {
    const now = Date.parse('2030-01-01T00:00:00Z');
    expect(retryAfter('120', now)).toBe(120);
    expect(retryAfter('Tue, 01 Jan 2030 00:01:00 GMT', now)).toBe(60);
    expect(retryAfter('Mon, 31 Dec 2029 00:00:00 GMT', now)).toBe(0);
    expect(retryAfter('soon', now)).toBeUndefined();
    expect(retryAfter(null, now)).toBeUndefined();
  });
});
