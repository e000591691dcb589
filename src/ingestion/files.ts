import type { ChunkRange } from './model.js';

/** The blobs of an ingestion, in the container `ingestions`, by the prefix of the attempt. */

const number = (value: number): string => String(value).padStart(9, '0');

/** The uploaded file. */
export const contentOf = (files: string): string => `${files}/content`;

/** The list of chunks. */
export const indexOf = (files: string): string => `${files}/chunks`;

/** The prefix of a wave's blobs, which are removed after the wave. */
export const waveOf = (files: string, wave: number): string => `${files}/wave-${number(wave)}/`;

/** The totals of the batches of a wave, ordered by their first chunk, with range and counts as metadata. */
export const batchesOf = (files: string, wave: number): string => `${waveOf(files, wave)}batch-`;
export const batchTotals = (files: string, wave: number, { from, to }: ChunkRange): string =>
  `${batchesOf(files, wave)}${number(from)}-${number(to)}`;

/** The rejected lines of a batch that has some. */
export const batchRejects = (files: string, wave: number, { from, to }: ChunkRange): string =>
  `${waveOf(files, wave)}rejects-${number(from)}-${number(to)}`;

/** The totals of a group of chunks. */
export const groupTotals = (files: string, wave: number, firstChunk: number): string =>
  `${waveOf(files, wave)}group-${number(firstChunk)}`;

/** The totals of all waves before one. */
export const totalsOf = (files: string, wave: number): string => `${files}/totals-${number(wave)}`;

/** The rejected lines of the groups that have some, ordered by name. */
export const rejectsOf = (files: string): string => `${files}/rejects-`;
export const groupRejects = (files: string, firstChunk: number): string =>
  `${rejectsOf(files)}${number(firstChunk)}`;

/** The results for callers. */
export const resultsOf = (files: string): string => `${files}/results.json`;
