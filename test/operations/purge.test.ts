/** What has ended is removed after a time, and nothing else, wherever a purge is interrupted. */
import { ContainerClient } from '@azure/storage-blob';
import { describe, expect, it, onTestFinished, inject } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import { faultyStorage, healthy, type FaultyStorage } from '../../emulator/test/support/faulty-storage.js';
import { sample } from '../ingestion/support.js';
import { AppStorage, purgeOnce as purge, startApp, sweepOnce as sweep } from '../support/app.js';
import { account } from '../support/azurite.js';
import { outboxOf } from '../support/outbox.js';

const START = '2030-01-01T00:00:00.000Z';
const laptop = { subject: 'A new laptop', requestedBy: 'ana', approver: 'kim', escalateTo: 'lee' };

const start = (options: Parameters<typeof startApp>[0] = {}): ReturnType<typeof startApp> =>
  startApp({ time: START, ...options });

/** An approval that is decided at once, unless it is to wait. */
async function approval(app: TestApp, key: string, { waits = false } = {}): Promise<string> {
  const long = { ...laptop, respondWithin: 'P90D', escalateWithin: 'P90D' };
  await app.post('/api/approvals', long, { 'Idempotency-Key': key });
  await app.quiet();
  const id = `approval-${key}`;
  if (!waits) {
    await app.post(`/api/approvals/${id}/decision`, { decision: 'approved', by: 'kim' });
    await app.quiet();
    expect(await app.instance(id)).toMatchObject({ runtimeStatus: 'Completed' });
  }
  return id;
}

const isThere = async (app: TestApp, path: string): Promise<boolean> => (await app.get(path)).status === 200;

describe('a purge', () => {
  it('removes finished instances and ended records after 90 days, and nothing before', async () => {
    const { app, storage } = await start();
    const decided = await approval(app, 'decided');
    const waiting = await approval(app, 'waiting', { waits: true });
    await app.skip({ days: 89 });
    expect(await purge(app)).toBe(204);
    expect(await isThere(app, `/api/approvals/${decided}`)).toBe(true);
    expect(await app.instances()).toHaveLength(2);
    await app.post(`/api/approvals/${waiting}/decision`, { decision: 'rejected', by: 'kim' });
    await app.quiet();

    await app.skip({ days: 2 });
    await purge(app);
    expect(await isThere(app, `/api/approvals/${decided}`)).toBe(false);
    // It was created 91 days ago, and ended two days ago.
    expect(await isThere(app, `/api/approvals/${waiting}`)).toBe(true);
    expect((await app.instances()).map(({ instanceId }) => instanceId)).toEqual([waiting]);

    await app.skip({ days: 90 });
    await purge(app);
    expect(await app.instances()).toEqual([]);
    expect(await storage.allRowKeys('Approvals')).toEqual([]);
    expect(await storage.allRowKeys('ApprovalsIndex')).toEqual([]);
    expect(await storage.dueEntries()).toEqual([]);
  });

  it('removes messages from the outbox, with what their links allow', async () => {
    const { app, storage } = await start({ deliver: true });
    await approval(app, 'decided');
    expect(await outboxOf(app)).toHaveLength(2);
    await app.skip({ days: 89 });
    await purge(app);
    expect(await outboxOf(app)).toHaveLength(2);
    await app.skip({ days: 2 });
    await purge(app);
    expect(await storage.allRowKeys('Deliveries')).toEqual([]);
    expect(await outboxOf(app)).toEqual([]);
  });

  it('runs every hour', async () => {
    const { app } = await start({ purge: true, settings: { PURGE_AFTER: 'P1D' } });
    const id = await approval(app, 'a');
    await app.skip({ hours: 23, minutes: 59 });
    expect(await isThere(app, `/api/approvals/${id}`)).toBe(true);
    await app.skip({ hours: 1 });
    expect(await isThere(app, `/api/approvals/${id}`)).toBe(false);
    expect(await app.instances()).toEqual([]);
  });

  it('leaves a name that a caller can use again', async () => {
    const { app } = await start({ settings: { PURGE_AFTER: 'P1D' } });
    const id = await approval(app, 'a');
    await app.skip({ days: 2 });
    await purge(app);
    await approval(app, 'a', { waits: true });
    expect(await (await app.get(`/api/approvals/${id}`)).json()).toMatchObject({ state: 'pending' });
    await purge(app);
    expect(await isThere(app, `/api/approvals/${id}`)).toBe(true);
  });

  it('removes the records of every feature that has ended, with their blobs', async () => {
    const { app, storage } = await start({ settings: { PURGE_AFTER: 'P10D' } });
    const headers = { 'content-type': 'application/x-ndjson' };
    const sales = await app.request('POST', '/api/ingestions', { headers, body: sample(20) });
    await app.quiet();
    const { id: ingestion } = (await sales.json()) as { id: string };
    await app.post('/api/jobs', { kind: 'sales-report', ingestion });
    await app.post('/api/reminders', { to: 'pat', message: 'Water the plants', count: 1 });
    await app.quiet();
    // The result of the job expires first, after a week.
    await app.skip({ days: 8 });
    await sweep(app);
    await app.skip({ days: 11 });
    await purge(app);
    expect(await isThere(app, `/api/ingestions/${ingestion}`)).toBe(false);
    await app.skip({ days: 11 });
    await purge(app);
    for (const table of ['Ingestions', 'Jobs', 'Reminders'])
      expect([table, await storage.allRowKeys(table)]).toEqual([table, []]);
    for (const name of ['ingestions', 'jobs']) {
      const blobs: string[] = [];
      const container = new ContainerClient(storage.connectionString, name);
      for await (const blob of container.listBlobsFlat()) blobs.push(blob.name);
      expect([name, blobs]).toEqual([name, []]);
    }
  });

  it('with a setting that is no duration removes nothing, and with "never" nothing either', async () => {
    for (const [setting, status] of [
      ['90 days', 500],
      ['PT1H', 500],
      ['never', 204],
    ] as const) {
      const { app } = await start({ settings: { PURGE_AFTER: setting } });
      const id = await approval(app, 'a');
      await app.skip({ days: 400 });
      expect(await purge(app)).toBe(status);
      expect(await isThere(app, `/api/approvals/${id}`)).toBe(true);
      await app.stop();
    }
  });

  it('goes on with the others when one record cannot be removed', async () => {
    const { app, storage } = await withTables();
    const ids: string[] = [];
    for (const key of ['a', 'b', 'c']) ids.push(await approval(app, key));
    await app.skip({ days: 91 });
    storage.fault = ({ method, path }) =>
      method === 'DELETE' && path.includes('approval-b') ? refused : undefined;
    await purge(app);
    const left = async (): Promise<string[]> => {
      const there = await Promise.all(ids.map((id) => isThere(app, `/api/approvals/${id}`)));
      return ids.filter((_, index) => there[index]);
    };
    expect(await left()).toEqual(['approval-b']);
    storage.fault = healthy;
    await purge(app);
    expect(await left()).toEqual([]);
  });

  it('that is killed before any of its writes is finished by the next', async () => {
    // The long form kills before each write. The short one does so before every third, from a random first one.
    const every = inject('long') ? 1 : 3;
    for (let writes = Math.floor(Math.random() * every), killed = true; killed; writes += every) {
      const { app, storage, connection } = await withTables();
      const id = await approval(app, 'a');
      await app.skip({ days: 91 });
      let left = writes;
      killed = false;
      storage.fault = ({ method, path }) => {
        // The table of another feature may be created meanwhile.
        if (method !== 'GET' && /Approvals|\/Due/.test(path)) left -= 1;
        killed ||= left < 0;
        return killed ? refused : undefined;
      };
      await purge(app);
      storage.fault = healthy;
      // Lists show no record that is not there.
      const listed = (await (await app.get('/api/approvals')).json()) as { value: unknown[] };
      expect(listed.value).toHaveLength((await isThere(app, `/api/approvals/${id}`)) ? 1 : 0);
      await purge(app);
      await app.skip({ hours: 2 });
      await sweep(app);
      const tables = new AppStorage(connection);
      expect(await tables.allRowKeys('Approvals')).toEqual([]);
      expect(await tables.allRowKeys('ApprovalsIndex')).toEqual([]);
      expect(await tables.dueEntries()).toEqual([]);
      await app.stop();
    }
  });
});

const refused = { status: 403, code: 'AccountIsDisabled' } as const;

/** The app with tables that can be made to fail. */
async function withTables(): Promise<{ app: TestApp; storage: FaultyStorage; connection: string }> {
  const connection = await account();
  const storage = await faultyStorage(connection, ['Table']);
  onTestFinished(() => {
    storage.stop();
  });
  const { app } = await start({ settings: { AppStorage: storage.connection } });
  return { app, storage, connection };
}
