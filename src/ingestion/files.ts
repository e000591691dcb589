/** The blobs of an ingestion, in the container `ingestions`, by the prefix of the attempt. */

const number = (value: number): string => String(value).padStart(9, '0');

/** The uploaded file. */
export const contentOf = (files: string): string => `${files}/content`;

/** The list of chunks. */
export const indexOf = (files: string): string => `${files}/chunks`;

/** The prefix of a wave's blobs, which are removed after the wave. */
export const waveOf = (files: string, wave: number): string => `${files}/wave-${number(wave)}/`;

/** The totals of a chunk, with its counts as metadata. */
export const chunkTotals = (files: string, wave: number, chunk: number): string =>
  `${waveOf(files, wave)}chunk-${number(chunk)}`;

/** The totals of a group of chunks. */
export const groupTotals = (files: string, wave: number, firstChunk: number): string =>
  `${waveOf(files, wave)}group-${number(firstChunk)}`;

/** The totals of all waves before one. */
export const totalsOf = (files: string, wave: number): string => `${files}/totals-${number(wave)}`;

/** The rejected lines of the chunks that have some, ordered by name. */
export const rejectsOf = (files: string): string => `${files}/rejects-`;
export const chunkRejects = (files: string, chunk: number): string => `${rejectsOf(files)}${number(chunk)}`;

/** The results for callers. */
export const resultsOf = (files: string): string => `${files}/results.json`;
