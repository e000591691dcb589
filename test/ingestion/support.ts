import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { expect } from 'vitest';
import type { TestApp } from '../../emulator/src/testing.js';
import { sampleSales } from '../../tools/sample-sales.js';
import type { AppStorage } from '../support/app.js';

/** A total as callers see it. */
export interface Sum {
  store?: string;
  sku?: string;
  lines: number;
  quantity: number;
  amount: number;
}

/** The results as callers see them. */
export interface Results {
  lines: number;
  rejected: number;
  byStore: Sum[];
  bySku: Sum[];
}

/** As much of an ingestion as is looked at here. */
export interface Seen {
  id: string;
  state: string;
  linesRead: number;
  rejected: number;
  chunks?: number;
  chunksDone: number;
  startedAt: string;
  estimatedEnd?: string;
  failure?: { reason: string; chunk?: { number: number; from: number; to: number; line: number } };
}

/** Chunks this small make many of a short file. */
export const SMALL_CHUNKS = { INGESTION_CHUNK_BYTES: '400' };

/** A file of sales lines; of every 10 one is wrong. */
export const sample = (lines: number, format: 'csv' | 'ndjson' = 'ndjson'): string =>
  [...sampleSales({ lines, format, stores: 3, skus: 5, wrongEvery: 10 })].join('');

/** What a plain program makes of a file of NDJSON. */
export function plainly(ndjson: string): Results {
  const results: Results = { lines: 0, rejected: 0, byStore: [], bySku: [] };
  const sums = { store: new Map<string, Sum>(), sku: new Map<string, Sum>() };
  for (const text of ndjson.split('\n').filter(Boolean)) {
    const line = JSON.parse(text) as Record<'store' | 'sku' | 'date', string> & Sum;
    results.lines++;
    const { date, store, quantity, amount } = line;
    if (date === '2026-02-30' || store.trim() === '' || quantity === 0 || !Number.isInteger(amount)) {
      results.rejected++;
      continue;
    }
    for (const dimension of ['store', 'sku'] as const) {
      const name = line[dimension];
      const sum = sums[dimension].get(name) ?? { [dimension]: name, lines: 0, quantity: 0, amount: 0 };
      sums[dimension].set(name, sum);
      sum.lines++;
      sum.quantity += quantity;
      sum.amount += amount;
    }
  }
  const sorted = (map: Map<string, Sum>): Sum[] =>
    [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, sum]) => sum);
  return { ...results, byStore: sorted(sums.store), bySku: sorted(sums.sku) };
}

/** Sends a file. @returns where its ingestion is */
export async function send(
  app: TestApp,
  body: string | Uint8Array,
  {
    type = 'application/x-ndjson',
    query = '',
    headers = {},
  }: { type?: string; query?: string; headers?: Record<string, string> } = {},
): Promise<string> {
  const response = await app.post(`/api/ingestions${query}`, body, { 'content-type': type, ...headers });
  expect([response.status, response.status === 202 ? '' : await response.text()]).toEqual([202, '']);
  return response.headers.get('location')!;
}

export async function see(app: TestApp, location: string): Promise<Seen> {
  return (await (await app.get(location)).json()) as Seen;
}

export async function resultsOf(app: TestApp, location: string): Promise<Results> {
  const response = await app.get(`${location}/results`);
  expect(response.status).toBe(200);
  return (await response.json()) as Results;
}

export async function rejectsOf(
  app: TestApp,
  location: string,
): Promise<{ line: number; field: string; reason: string }[]> {
  const text = await (await app.get(`${location}/rejects`)).text();
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { line: number; field: string; reason: string });
}

/** A container of an app under test. */
export function containerOf({ connectionString }: AppStorage, name: string): ContainerClient {
  return BlobServiceClient.fromConnectionString(connectionString).getContainerClient(name);
}

/** The names of all blobs in a container, also of those that were never committed. */
export async function blobsIn(storage: AppStorage, name: string): Promise<string[]> {
  const container = containerOf(storage, name);
  if (!(await container.exists())) return [];
  const names: string[] = [];
  for await (const blob of container.listBlobsFlat()) names.push(blob.name);
  return names;
}

/** Puts a blob into the container `incoming`. */
export async function put(
  storage: AppStorage,
  name: string,
  content: string | Uint8Array,
  type?: string,
): Promise<void> {
  const container = containerOf(storage, 'incoming');
  await container.createIfNotExists();
  const bytes = Buffer.from(content);
  await container
    .getBlockBlobClient(name)
    .upload(bytes, bytes.length, type === undefined ? {} : { blobHTTPHeaders: { blobContentType: type } });
}

/** Puts a message into a queue of an app under test. */
export async function enqueue(
  { connectionString }: AppStorage,
  name: string,
  message: unknown,
): Promise<void> {
  const queue = QueueServiceClient.fromConnectionString(connectionString).getQueueClient(name);
  await queue.createIfNotExists();
  await queue.sendMessage(Buffer.from(JSON.stringify(message)).toString('base64'));
}
