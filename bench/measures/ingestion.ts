/**
 * Files of sales lines, from the first byte of the upload to the completion of the workflow, beside a plain program. With `BENCH_LINES`
 * another number of lines than a million is the longest: what is larger than an upload is put into the container `incoming`.
 */
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { BlobServiceClient } from '@azure/storage-blob';
import type * as Emulator from '../../emulator/src/emulator.js';
import { sampleSales } from '../../tools/sample-sales.ts';
import { built, report, withAzurite } from '../measure.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const UPLOAD_LIMIT = 100 * 1024 * 1024;
const run = promisify(execFile);

/** What one ingestion came to. */
interface Turn {
  /** From the first byte to Completed. */
  milliseconds: number;
  /** Of each process at its peak, in bytes. */
  memory: { emulator: number; app: number };
  /** Events of the longest history of any instance. */
  history: number;
}

/** The peak memory of the process that runs the app, in bytes. Only Linux says it; elsewhere it is not a number. */
async function peakOfApp(): Promise<number> {
  try {
    const children = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8');
    const statuses = await Promise.all(
      children
        .trim()
        .split(' ')
        .map((pid) => readFile(`/proc/${pid}/status`, 'utf8')),
    );
    return statuses.reduce((sum, status) => sum + Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024, 0);
  } catch {
    return NaN;
  }
}

/** Says where an emulator that this process starts is, then that an ingestion has completed, then what that took. */
async function serve(storage: string, hub: string): Promise<void> {
  process.env['AppStorage'] = storage;
  const { startEmulator } = await built<typeof Emulator>('emulator.js');
  const emulator = await startEmulator({ app: ROOT, port: 0, storage, hub });
  const { engine } = emulator.host;
  const completed = new Promise<void>((resolve) => {
    engine.onChange(({ name, runtimeStatus }) => {
      if (name === 'IngestionOrchestrator' && runtimeStatus === 'Completed') resolve();
    });
  });
  const origin = `http://127.0.0.1:${emulator.port}`;
  // The first request of an app takes longer.
  await (await fetch(`${origin}/api/ingestions`)).arrayBuffer();
  process.send!({ origin });
  await completed;
  process.send!({ completed: true });
  const { records } = await engine.query({ top: 1000 });
  const histories = await Promise.all(
    records.map(async ({ instanceId }) => (await engine.getHistory(instanceId))?.length ?? 0),
  );
  const turn: Omit<Turn, 'milliseconds'> = {
    memory: { emulator: process.resourceUsage().maxRSS * 1024, app: await peakOfApp() },
    history: Math.max(...histories),
  };
  process.send!(turn);
  await once(process, 'disconnect');
}

/** Ingests a file on an emulator in a process of its own, and looks whether all lines were read. */
async function ingest(file: string, lines: number, storage: string): Promise<Turn> {
  const hub = `bench${path.parse(file).name.replaceAll(/\W/g, '')}${path.extname(file).slice(1)}`;
  const child = fork(import.meta.filename, [storage, hub], {
    // As in `npm start`.
    execArgv: [...process.execArgv, '--max-semi-space-size=4'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const message = async <Message>(): Promise<Message> => ((await once(child, 'message')) as [Message])[0];
  try {
    const { origin } = await message<{ origin: string }>();
    const completed = message();
    const start = performance.now();
    const location = await send(origin, file, storage);
    await completed;
    const milliseconds = performance.now() - start;
    const turn = await message<Omit<Turn, 'milliseconds'>>();
    const seen = (await (await fetch(origin + location)).json()) as { state: string; linesRead: number };
    if (seen.state !== 'completed' || seen.linesRead !== lines)
      throw new Error(`The ingestion is ${seen.state}, with ${seen.linesRead} of ${lines} lines.`);
    return { milliseconds, ...turn };
  } finally {
    child.kill();
  }
}

/** Uploads a file; one that is larger than an upload goes into the container `incoming`. @returns where its ingestion is */
async function send(origin: string, file: string, storage: string): Promise<string> {
  const { size } = await stat(file);
  if (size <= UPLOAD_LIMIT) return upload(`${origin}/api/ingestions`, file, size);
  const incoming = BlobServiceClient.fromConnectionString(storage).getContainerClient('incoming');
  await incoming.createIfNotExists();
  await incoming.getBlockBlobClient(path.basename(file)).uploadFile(file, { concurrency: 2 });
  const response = await fetch(`${origin}/api/ingestions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ blob: path.basename(file) }),
  });
  return response.headers.get('location')!;
}

/** Streams a file to the app. @returns where its ingestion is */
async function upload(url: string, file: string, size: number): Promise<string> {
  const type = file.endsWith('.csv') ? 'text/csv' : 'application/x-ndjson';
  const sent = request(url, { method: 'POST', headers: { 'content-type': type, 'content-length': size } });
  createReadStream(file).pipe(sent);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  if (response.statusCode !== 202) throw new Error(`The upload was answered ${response.statusCode}.`);
  return response.headers.location!;
}

if (process.argv[2] !== undefined) {
  await serve(process.argv[2], process.argv[3]!);
  process.exit(0);
}

const most = Number(process.env['BENCH_LINES'] ?? 1_000_000);
const folder = await mkdtemp(path.join(tmpdir(), 'bench-sales-'));
try {
  await withAzurite(async (storage) => {
    const turn = async (lines: number, format: 'csv' | 'ndjson'): Promise<Turn & { plain: number }> => {
      const file = path.join(folder, `sales-${lines}.${format}`);
      await pipeline(
        Readable.from(sampleSales({ lines, format, wrongEvery: 1000 })),
        createWriteStream(file),
      );
      const { stdout } = await run(process.execPath, [
        path.join(import.meta.dirname, '../plain-sales.ts'),
        file,
      ]);
      const plain = JSON.parse(stdout) as { milliseconds: number };
      const result = await ingest(file, lines, storage);
      await rm(file);
      return { ...result, plain: plain.milliseconds };
    };
    const [few, many, all, csv] = [
      await turn(10_000, 'ndjson'),
      await turn(100_000, 'ndjson'),
      await turn(most, 'ndjson'),
      await turn(most, 'csv'),
    ];
    const count = most.toLocaleString('en-US');
    for (const [format, { milliseconds, plain }] of [
      ['NDJSON', all],
      ['CSV', csv],
    ] as const) {
      report({
        name: `ingestion of ${count} lines of ${format}`,
        value: milliseconds / 1000,
        unit: 's',
        ...(most === 1_000_000 && { target: 30 }),
        better: 'lower',
        method:
          'emulator, app and Azurite in a process each; Azurite on disk; from the first byte to Completed',
      });
      report({
        name: `ingestion of ${count} lines of ${format}, times a plain program`,
        value: milliseconds / plain,
        unit: '',
        target: 2.5,
        better: 'lower',
        method: `beside bench/plain-sales.ts on the same file, ${(plain / 1000).toFixed(2)} s: it checks nothing and stores nothing`,
      });
    }
    for (const part of ['app', 'emulator'] as const) {
      report({
        name: `ingestion of ${count} lines, peak memory of the process of the ${part}`,
        value: Math.max(all.memory[part], csv.memory[part]) / 2 ** 20,
        unit: 'MB',
        target: 400,
        better: 'lower',
        method: `largest resident set; ${(many.memory[part] / 2 ** 20).toFixed(0)} for 100,000 lines`,
      });
    }
    report({
      name: `ingestion of ${count} lines, peak memory of both together`,
      value: Math.max(...[all, csv].map(({ memory }) => memory.app + memory.emulator)) / 2 ** 20,
      unit: 'MB',
      target: 400,
      better: 'lower',
      method:
        'sum of the largest resident sets of the app and of the emulator; the larger one of both formats',
    });
    report({
      name: 'ingestion, time for a line: all to 100,000 lines',
      value: all.milliseconds / most / (many.milliseconds / 100_000),
      unit: '',
      target: 1.3,
      better: 'lower',
      method: `${few.milliseconds.toFixed(0)} ms for 10,000 lines, ${many.milliseconds.toFixed(0)} for 100,000, ${all.milliseconds.toFixed(0)} for ${count}`,
    });
    report({
      name: 'ingestion, longest history',
      value: Math.max(all.history, csv.history),
      unit: 'events',
      better: 'lower',
      method: `of any instance; ${many.history} for 100,000 lines`,
    });
  });
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit(0);
