import { describe, expect, it } from 'vitest';
import { startApp } from '../support/app.js';

const line = (store: string, sku: string, quantity: number, amount: number): string =>
  `${JSON.stringify({ date: '2026-11-27', store, sku, quantity, amount })}\n`;

describe('an ingestion', () => {
  it('reads lines, adds them up, and lists what it rejects', async () => {
    const { app } = await startApp();
    const body =
      line('Berlin', 'A', 1, 100) + 'oops\n' + line('Lyon', 'A', 2, 300) + line('Berlin', 'B', 1, 50);
    const response = await app.post('/api/ingestions', body, { 'content-type': 'application/x-ndjson' });
    expect([response.status, await response.clone().text()]).toEqual([202, expect.anything()]);
    const location = response.headers.get('location')!;
    await app.quiet();
    expect(await (await app.get(location)).json()).toMatchObject({
      state: 'completed',
      linesRead: 4,
      rejected: 1,
      chunksDone: 1,
      chunks: 1,
    });
    expect(await (await app.get(`${location}/results`)).json()).toMatchObject({
      byStore: [
        { store: 'Berlin', lines: 2, quantity: 2, amount: 150 },
        { store: 'Lyon', amount: 300 },
      ],
      bySku: [{ sku: 'A', amount: 400 }, { sku: 'B' }],
    });
    expect(await (await app.get(`${location}/rejects`)).text()).toBe(
      '{"line":2,"field":"line","reason":"It is not JSON"}\n',
    );
    expect(await (await app.get(`/api/ingestions`)).json()).toMatchObject({
      value: [{ state: 'completed' }],
    });
  });
});
