import type { DurableClient } from 'durable-functions';
import moment, { type Moment } from 'moment';
import { NOTIFICATIONS } from '../notifications/index.js';
import { container, queue, readRow, table } from '../storage/index.js';
import { heartbeat, HEARTBEAT } from './entities.js';
import type { Hub } from './hub.js';

/** How long each check may take, in milliseconds. */
const PATIENCE = 5000;
/** A heartbeat is sent every minute. */
const BEATS_WITHIN = moment.duration(5, 'minutes');
/** A message in a queue that the app reads waits for seconds. */
const WAITS_AT_MOST = moment.duration(1, 'hour');

/**
 * The queues that the app reads at once. A message in `notifications` may wait for hours while the webhook fails,
 * so it is no reason to be down. What fails too often goes to a queue with `-poison` at its end.
 */
const READ = ['dispatch', 'ingest', 'telemetry', 'update-reports'];
const QUEUES = [
  ...READ,
  NOTIFICATIONS,
  'console',
  ...[...READ, NOTIFICATIONS].map((name) => `${name}-poison`),
];

/** A queue and its oldest waiting message. */
export interface QueueHealth {
  name: string;
  /** Approximate, with those that are being processed. */
  messages: number;
  /** ISO 8601; absent when no message waits. */
  oldestAt?: string;
}

/** What was checked, and why the app does not work if it does not. */
export interface Health {
  state: 'up' | 'down';
  reasons: string[];
  /** ISO 8601. */
  at: string;
  /** How long each service of the app's storage took to answer, in milliseconds; `null` when it did not. */
  storage: Record<'table' | 'blob' | 'queue', number | null>;
  hub: {
    /** How long it took to answer, in milliseconds; `null` when it did not. */
    answeredIn: number | null;
    /** When it last processed a message; `null` before the first. */
    heartbeatAt: string | null;
  };
  queues: QueueHealth[];
}

/** Checks the storage, the hub and the queues. It does not throw. */
export async function checkHealth(client: DurableClient, at: Moment): Promise<Health> {
  const reasons: string[] = [];
  const fail = (reason: string): void => void reasons.push(reason);
  const timed = async (what: string, act: () => Promise<unknown>): Promise<number | null> => {
    const began = performance.now();
    try {
      await withinPatience(act());
      return Math.round(performance.now() - began);
    } catch (error) {
      fail(`${what}: ${error instanceof Error ? error.message : String(error)}`.slice(0, 500));
      return null;
    }
  };
  let heartbeatAt: string | null = null;
  let queues: QueueHealth[] = [];
  const [tables, blobs, messages, answeredIn] = await Promise.all([
    timed('The tables of the app', async () =>
      readRow(await table('Health'), { partitionKey: 'health', rowKey: 'none' }),
    ),
    timed('The blobs of the app', async () => (await container('health')).exists()),
    timed('The queues of the app', async () => {
      queues = await Promise.all(QUEUES.map(queueHealth));
    }),
    timed('The hub', async () => {
      ({ at: heartbeatAt } = await heartbeat.read(client, HEARTBEAT));
    }),
  ]);
  if (heartbeatAt !== null && at.diff(heartbeatAt) > BEATS_WITHIN.asMilliseconds()) {
    fail(`The hub has processed no message since ${String(heartbeatAt)}`);
  }
  for (const { name, oldestAt } of queues) {
    if (READ.includes(name) && oldestAt !== undefined && at.diff(oldestAt) > WAITS_AT_MOST.asMilliseconds()) {
      fail(`A message in the queue ${name} has waited since ${oldestAt}`);
    }
  }
  return {
    state: reasons.length === 0 ? 'up' : 'down',
    reasons,
    at: at.toISOString(),
    storage: { table: tables, blob: blobs, queue: messages },
    hub: { answeredIn, heartbeatAt },
    queues,
  };
}

/** How long an answer is given again, in milliseconds: anybody may ask. */
const KEPT = 1000;
const latest = new Map<string, { since: number; health: Promise<Health> }>();

/** The health, checked at most once a second on each machine, however many ask. */
export function recentHealth(hub: Hub, client: DurableClient): Promise<Health> {
  const known = latest.get(hub.address);
  if (known !== undefined && performance.now() - known.since < KEPT) return known.health;
  const health = checkHealth(client, moment.utc());
  latest.set(hub.address, { since: performance.now(), health });
  return health;
}

async function queueHealth(name: string): Promise<QueueHealth> {
  const client = await queue(name);
  const [{ approximateMessagesCount = 0 }, { peekedMessageItems }] = await Promise.all([
    client.getProperties(),
    client.peekMessages({ numberOfMessages: 1 }),
  ]);
  const oldestAt = peekedMessageItems[0]?.insertedOn.toISOString();
  return { name, messages: approximateMessagesCount, ...(oldestAt !== undefined && { oldestAt }) };
}

async function withinPatience<Result>(act: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`It has not answered for ${PATIENCE / 1000} seconds`));
    }, PATIENCE);
  });
  try {
    return await Promise.race([act, late]);
  } finally {
    clearTimeout(timer);
  }
}
