/** Used by every measure: a figure with its target and method, timing, and an Azurite of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connectionString, startAzurite } from '../tools/azurite.ts';
import type { Ports } from '../tools/azurite.ts';

export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** Absent for a figure that is only compared with others. */
  target?: number;
  better: 'lower' | 'higher';
  /** How the figure was measured. */
  method: string;
}

/** Prints a figure for the runner: one line of JSON. */
export function report(figure: Figure): void {
  process.stdout.write(`${JSON.stringify({ ...figure, value: Number(figure.value.toPrecision(4)) })}\n`);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/** Milliseconds that `task` takes. */
export async function timed(task: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await task();
  return performance.now() - start;
}

export async function freePorts(): Promise<Ports> {
  const servers = await Promise.all(
    ['blob', 'queue', 'table'].map(
      (name) =>
        new Promise<[string, net.Server]>((resolve) => {
          const server = net.createServer().listen(0, '127.0.0.1', () => {
            resolve([name, server]);
          });
        }),
    ),
  );
  const ports = Object.fromEntries(
    servers.map(([name, server]) => [name, (server.address() as AddressInfo).port]),
  ) as unknown as Ports;
  await Promise.all(
    servers.map(
      ([, server]) =>
        new Promise((resolve) => {
          server.close(resolve);
        }),
    ),
  );
  return ports;
}

/** Runs `task` with an Azurite on disk, as `npm start` has it. */
export async function withAzurite<T>(task: (connection: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-'));
  const ports = await freePorts();
  const stop = await startAzurite(ports, folder);
  try {
    return await task(connectionString(ports));
  } finally {
    await stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Imports a module of the built emulator. The types come from its sources. */
export async function built<Module>(file: string): Promise<Module> {
  return (await import(new URL(`../emulator/dist/${file}`, import.meta.url).href)) as Module;
}

/** The app whose orchestrations are measured. */
export const APP = path.join(import.meta.dirname, 'app');
