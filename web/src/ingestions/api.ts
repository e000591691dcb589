/** The HTTP interface of ingestions, as the page uses it. */
import { failure, json, send } from '../http';
import { keyHeader } from '../key';

export type State = 'running' | 'completed' | 'failed' | 'cancelled';

export interface Ingestion {
  id: string;
  state: State;
  format: 'csv' | 'ndjson';
  bytes: number;
  linesRead: number;
  rejected: number;
  chunksDone: number;
  chunks?: number;
  /** ISO 8601. */
  startedAt: string;
  endedAt?: string;
  estimatedEnd?: string;
  failure?: { reason: string; chunk?: { number: number; line: number } };
}

/** A total, in pieces and minor units. */
export interface Sum {
  lines: number;
  quantity: number;
  amount: number;
}

export interface Results {
  byStore: (Sum & { store: string })[];
  bySku: (Sum & { sku: string })[];
}

const ask = (path: string, method = 'GET'): Promise<Response> =>
  send(`/api/ingestions${path}`, { method, headers: keyHeader() });

export const read = async (id: string): Promise<Ingestion> => json(await ask(`/${id}`));
export const latest = async (): Promise<Ingestion[]> =>
  (await json<{ value: Ingestion[] }>(await ask('?top=10'))).value;
export const results = async (id: string): Promise<Results> => json(await ask(`/${id}/results`));

/** Cancels an ingestion that runs, and removes one that has ended. */
export const remove = async (id: string): Promise<void> => {
  await ask(`/${id}`, 'DELETE');
};

/** Downloads results or rejects as a file. A link would not carry the key. */
export async function download(id: string, what: 'results' | 'rejects'): Promise<void> {
  const blob = await (await ask(`/${id}/${what}`)).blob();
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = what === 'results' ? 'results.json' : 'rejects.ndjson';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Sends a file. `fetch` shows no progress of an upload, so that this uses XMLHttpRequest.
 *
 * @param progress receives the part that was sent, from 0 to 1
 * @throws Refused, Unreachable
 */
export function upload(
  file: File,
  progress: (part: number) => void,
  signal: AbortSignal,
): Promise<Ingestion> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', '/api/ingestions');
    const packed = /\.gz$/i.test(file.name);
    const type = /\.csv(\.gz)?$/i.test(file.name) ? 'text/csv' : 'application/x-ndjson';
    const sent = { ...keyHeader(), 'content-type': type, ...(packed && { 'content-encoding': 'gzip' }) };
    for (const [name, value] of Object.entries(sent)) request.setRequestHeader(name, value);
    request.upload.addEventListener('progress', ({ loaded, total }) => progress(loaded / total));
    request.addEventListener('loadend', () => {
      if (request.status === 202) resolve(JSON.parse(request.responseText) as Ingestion);
      else reject(failure(request.status, request.responseText));
    });
    signal.addEventListener('abort', () => request.abort());
    request.send(file);
  });
}
