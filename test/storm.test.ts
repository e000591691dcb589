/**
 * A storm: for an hour of skipped time storage stops, slows down and fails at random, the host is killed, and an operator
 * terminates instances. Afterwards every accepted request has reached an end on which its record and its messages agree.
 */
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueClient } from '@azure/storage-queue';
import { expect, inject, test } from 'vitest';
import { TestApp } from '../emulator/src/testing.js';
import { faultyStorage, healthy, type FaultyStorage } from '../emulator/test/support/faulty-storage.js';
import type { Notification } from '../src/notifications/message.js';
import { NOTIFICATIONS } from '../src/notifications/queues.js';
import { account } from './support/azurite.js';
import { mulberry32 } from '../tools/random.js';
import { disabled, QUEUE_FUNCTIONS } from './support/disabled.js';

const REFUSED = { status: 403, code: 'AuthorizationFailure' } as const;

/** What storage does to requests. 403 is a failure that the storage clients do not repeat by themselves, so that the test is short. */
const weathers: Record<string, (roll: () => number) => FaultyStorage['fault']> = {
  calm: () => healthy,
  stopped: () => () => REFUSED,
  slow: () => () => ({ late: 5 }),
  failing: (roll) => () => {
    const rolled = roll();
    return rolled < 0.2 ? REFUSED : rolled < 0.22 ? 'answer lost' : undefined;
  },
};

/** The app in a storm. It goes on under another host after each kill, on the same storage. */
class World {
  #app!: TestApp;
  #hub!: FaultyStorage;
  #records!: FaultyStorage;
  readonly #dead: Promise<void>[] = [];
  #fault: FaultyStorage['fault'] = healthy;

  constructor(readonly connection: string) {}

  get app(): TestApp {
    return this.#app;
  }

  async start(time?: Date): Promise<void> {
    this.#hub = await faultyStorage(this.connection);
    this.#records = await faultyStorage(this.connection, ['Table', 'Queue']);
    this.weather(this.#fault);
    this.#app = await TestApp.start({
      app: () => import('../src/index.js'),
      storage: this.#hub.connection,
      ...(time && { time }),
      verifyReplay: false,
      settings: {
        AppStorage: this.#records.connection,
        ...disabled(...QUEUE_FUNCTIONS, 'SendHeartbeat', 'Purge', 'DeliverNotification'),
      },
    });
  }

  weather(fault: FaultyStorage['fault']): void {
    this.#fault = fault;
    this.#records.fault = fault;
  }

  /** Ends the host as a kill does: from now on nothing that it does reaches storage. */
  async kill(): Promise<void> {
    const killed = this.#app;
    this.#hub.stop();
    this.#records.stop();
    // A host that restarts after a kill knows that the owner of the lease is dead. Here the owner's process lives.
    await BlobServiceClient.fromConnectionString(this.connection)
      .getContainerClient('durableworkflows-applease')
      .getBlobClient('durableworkflows-appleaseinfo')
      .getBlobLeaseClient()
      .breakLease(0);
    this.#dead.push(killed.stop().catch(() => {}));
    await this.start(killed.now);
  }

  async stop(): Promise<void> {
    await this.#app.stop();
    this.#hub.stop();
    this.#records.stop();
    await Promise.all(this.#dead);
  }
}

/** A person or a program that asks for something and repeats its request until it has an answer. */
interface Caller {
  /** Sends the next request, if there is one to send now. */
  act(app: TestApp): Promise<void>;
  /** Compares what it was answered with the record and with the messages about it. */
  check(app: TestApp, sent: ReadonlySet<string>): Promise<void>;
}

/** What a request was answered; nothing when it has to be repeated. */
async function answered(response: Promise<Response>): Promise<Response | undefined> {
  const settled = await response.catch(() => undefined);
  return settled === undefined || settled.status >= 500 ? undefined : settled;
}

function minutes(roll: () => number, most: number): number {
  return 1 + Math.floor(roll() * most);
}

function approvalCaller(roll: () => number, key: string): Caller {
  const by = roll() < 0.4 ? 'kim' : roll() < 0.5 ? 'robin' : undefined;
  const decision = roll() < 0.5 ? 'approved' : 'rejected';
  const request = {
    subject: key,
    requestedBy: 'pat',
    approver: 'kim',
    escalateTo: 'robin',
    respondWithin: `PT${minutes(roll, 20)}M`,
    escalateWithin: `PT${minutes(roll, 20)}M`,
  };
  let id: string | undefined;
  let decided: boolean | undefined;
  return {
    async act(app) {
      if (id === undefined) {
        const answer = await answered(app.post('/api/approvals', request, { 'Idempotency-Key': key }));
        if (answer === undefined) return;
        expect(answer.status).toBe(202);
        ({ id } = (await answer.json()) as { id: string });
      } else if (by !== undefined && decided === undefined) {
        const answer = await answered(app.post(`/api/approvals/${id}/decision`, { by, decision }));
        // 403: it does not wait for this person yet.
        if (answer === undefined || (answer.status === 403 && by === 'robin')) return;
        expect([200, 403, 409]).toContain(answer.status);
        decided = answer.status === 200;
      }
    },
    async check(app, sent) {
      expect(id).toBeDefined();
      const { state, history } = (await (await app.get(`/api/approvals/${id}`)).json()) as {
        state: string;
        history: { what: string }[];
      };
      expect(state).toBe(decided === true ? decision : 'expired');
      const happened = history.map(({ what }) => what);
      const messages = ['asked', 'escalated', 'decided', 'expired'].filter((step) =>
        sent.has(`${id}-${step}`),
      );
      expect(messages.filter((step) => step !== 'asked')).toEqual([
        ...(happened.includes('escalated') ? ['escalated'] : []),
        decided === true ? 'decided' : 'expired',
      ]);
    },
  };
}

function reminderCaller(roll: () => number, key: string): Caller {
  const end = roll() < 0.5;
  let id: string | undefined;
  let cancelled: boolean | undefined;
  return {
    async act(app) {
      if (id === undefined) {
        const answer = await answered(
          app.post('/api/reminders', { to: 'pat', message: key, count: 1 }, { 'Idempotency-Key': key }),
        );
        if (answer === undefined) return;
        expect(answer.status).toBe(202);
        ({ id } = (await answer.json()) as { id: string });
      } else if (end && cancelled === undefined) {
        const answer = await answered(app.delete(`/api/reminders/${id}`));
        if (answer === undefined) return;
        // 409: they are finished. A repeat of a cancellation whose answer was lost is 200.
        expect([200, 409]).toContain(answer.status);
        cancelled = answer.status === 200;
      }
    },
    async check(app, sent) {
      expect(id).toBeDefined();
      const { state } = (await (await app.get(`/api/reminders/${id}`)).json()) as { state: string };
      expect(cancelled === true ? ['cancelled'] : end ? ['cancelled', 'finished'] : ['finished']).toContain(
        state,
      );
      if (state === 'finished') expect(sent.has(`${id}-0`)).toBe(true);
    },
  };
}

/** The keys of all messages that were queued. */
async function sentKeys(connection: string): Promise<Set<string>> {
  const queue = new QueueClient(connection, NOTIFICATIONS);
  const keys = new Set<string>();
  for (;;) {
    const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
    if (receivedMessageItems.length === 0) return keys;
    for (const { messageText, messageId, popReceipt } of receivedMessageItems) {
      keys.add((JSON.parse(Buffer.from(messageText, 'base64').toString()) as Notification).key);
      await queue.deleteMessage(messageId, popReceipt);
    }
  }
}

const LONG = inject('long');
/** An hour: so many rounds of so many minutes each. */
const ROUNDS = LONG ? 30 : 4;
const MINUTES = 60 / ROUNDS;

async function storm(seed: number): Promise<void> {
  const roll = mulberry32(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(roll() * from.length)]!;
  const world = new World(await account());
  await world.start();
  const callers = [
    ...Array.from({ length: LONG ? 20 : 4 }, (_, index) => approvalCaller(roll, `approval-${index}`)),
    ...Array.from({ length: LONG ? 8 : 2 }, (_, index) => reminderCaller(roll, `reminders-${index}`)),
  ];
  for (let round = 0; round < ROUNDS; round += 1) {
    world.weather(weathers[pick(['calm', 'stopped', 'slow', 'failing', 'failing'])]!(roll));
    await Promise.all(callers.filter(() => roll() < 0.5).map(async (caller) => caller.act(world.app)));
    if (roll() < 0.5) {
      const running = (await world.app.instances()).filter(
        ({ runtimeStatus }) => runtimeStatus === 'Running',
      );
      if (running.length > 0) await world.app.terminate(pick(running).instanceId);
    }
    if (roll() < 0.2) await world.kill();
    await world.app.skip({ minutes: MINUTES });
  }
  world.weather(healthy);
  // Whoever has no answer yet repeats the request.
  for (let again = 0; again < 3; again += 1) {
    for (const caller of callers) await caller.act(world.app);
    await world.app.skip({ minutes: 21 });
  }
  await world.app.skip({ hours: 1 });
  const sent = await sentKeys(world.connection);
  for (const caller of callers) await caller.check(world.app, sent);
  await world.stop();
}

test(
  'after a storm every accepted request has an end on which its record and its messages agree',
  { timeout: LONG ? 1_200_000 : 240_000 },
  async () => {
    for (let count = 0; count < (LONG ? 5 : 1); count += 1) {
      const seed = Math.floor(Math.random() * 2 ** 31);
      const stormed = storm(seed).catch((error: unknown) => {
        throw new Error(`The storm of the seed ${seed}`, { cause: error });
      });
      await expect(stormed).resolves.toBeUndefined();
    }
  },
);
