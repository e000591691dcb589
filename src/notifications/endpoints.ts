import { app } from '@azure/functions';
import * as df from 'durable-functions';
import { notFound, requireOperator, withProblems, type Handler } from '../http/index.js';
import { isLocalRun } from '../identity/index.js';
import { pathOf } from '../links/index.js';
import { triggerQueue } from '../storage/index.js';
import { deliver } from './deliver.js';
import { NOTIFICATIONS } from './queues.js';
import { outbox } from './store.js';
import { sendAgain, undelivered } from './undelivered.js';

/** How many messages the outbox shows. */
const SHOWN = 100;

/**
 * `GET /api/outbox`: the latest messages, each with its link, on local runs only: elsewhere the links would let
 * the reader act for others.
 */
export const getOutbox: Handler = async () => {
  if (!isLocalRun()) throw notFound('Messages are shown on local runs only. Set NOTIFICATION_WEBHOOK_URL.');
  const messages = (await outbox(SHOWN)).flatMap(({ at, message }) =>
    message === undefined ? [] : [{ at, message }],
  );
  return {
    headers: { 'Cache-Control': 'no-store' },
    jsonBody: {
      value: messages.map(({ at, message: { to, subject, text, about, link } }) => ({
        at,
        to,
        subject,
        text,
        about,
        link: link && { label: link.label, path: pathOf(link.allows) },
      })),
    },
  };
};

/** `GET /api/notifications/undelivered`: about how many, and the first of them. */
export const getUndelivered: Handler = async (request) => {
  requireOperator(request);
  const { count, first } = await undelivered();
  return {
    jsonBody: {
      count,
      value: first.map(({ to, subject, about, key, attempts, failure }) => ({
        to,
        subject,
        about,
        key,
        attempts,
        failure,
      })),
    },
  };
};

/** `POST /api/notifications/undelivered/retry`: sends up to 1,000 of them again. */
export const retryUndelivered: Handler = async (request) => {
  requireOperator(request);
  return { jsonBody: { sent: await sendAgain() } };
};

app.storageQueue('DeliverNotification', {
  queueName: triggerQueue(NOTIFICATIONS),
  connection: 'AppStorage',
  handler: deliver,
});
df.app.client.http('GetOutbox', {
  route: 'api/outbox',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(getOutbox),
});
df.app.client.http('GetUndelivered', {
  route: 'api/notifications/undelivered',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(getUndelivered),
});
df.app.client.http('RetryUndelivered', {
  route: 'api/notifications/undelivered/retry',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(retryUndelivered),
});
