import { container, deleteBlobs, readBlob, readBytes, recordStore, writeBytes } from '../storage/index.js';
import { jobRecord, type SalesReport } from './model.js';
import { dueAt, overSince } from './rules.js';

/** The jobs. */
export const jobs = recordStore({
  table: 'Jobs',
  schema: jobRecord,
  indexVersion: 2,
  dueAt,
  endedAt: overSince,
});

const files = () => container('jobs');
const json = { contentType: 'application/json' };

/** Stores a part of a report. */
export async function writePart(id: string, name: string, value: unknown): Promise<void> {
  await writeBytes(await files(), `${id}/${name}`, Buffer.from(JSON.stringify(value)), json);
}

/** A part of a report. */
export async function readPart<Value>(id: string, name: string): Promise<Value> {
  return JSON.parse((await readBytes(await files(), `${id}/${name}`)).toString()) as Value;
}

/** Stores amounts, in ascending order, eight bytes each. */
export async function writeAmounts(id: string, part: number, amounts: Float64Array): Promise<void> {
  const bytes = Buffer.from(amounts.buffer, amounts.byteOffset, amounts.byteLength);
  await writeBytes(await files(), amountsOf(id, part), bytes, {
    contentType: 'application/octet-stream',
  });
}

/** Reads amounts in parts. */
export async function* readAmounts(id: string, part: number): AsyncGenerator<Float64Array, undefined> {
  let rest = Buffer.alloc(0);
  for await (const chunk of await readBlob(await files(), amountsOf(id, part))) {
    const bytes = Buffer.concat([rest, chunk as Buffer]);
    const whole = bytes.length - (bytes.length % 8);
    rest = bytes.subarray(whole);
    // A copy, because a typed array must begin at a multiple of its element's size.
    if (whole > 0) yield new Float64Array(Uint8Array.from(bytes.subarray(0, whole)).buffer);
  }
}

const amountsOf = (id: string, part: number): string => `${id}/amounts-${part}`;
const REPORT = 'report';

/** Stores the report, and removes its parts. */
export async function writeReport(id: string, report: SalesReport): Promise<void> {
  await writePart(id, REPORT, report);
}

export async function readReport(id: string): Promise<SalesReport> {
  return readPart(id, REPORT);
}

/** Removes the parts of a report. */
export async function removeParts(id: string): Promise<void> {
  await deleteBlobs(await files(), `${id}/amounts-`);
  await deleteBlobs(await files(), `${id}/ranks`);
}

/** Removes all blobs of a job. */
export async function removeFiles(id: string): Promise<void> {
  await deleteBlobs(await files(), `${id}/`);
}
