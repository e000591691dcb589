import { z } from 'zod';
import { text } from '../http/index.js';
import { layout, source } from '../sales/index.js';

/** How many chunks are read at once. */
const maxParallel = z.coerce
  .number('It must be a whole number from 1 to 64')
  .int('It must be a whole number from 1 to 64')
  .min(1, 'It must be from 1 to 64')
  .max(64, 'It must be from 1 to 64')
  .default(8);

/** The query of `POST /api/ingestions`. */
export const ingestionQuery = z.object({ maxParallel });

/** What `POST /api/ingestions` takes as JSON, and what a message on the queue `ingest` holds. */
export const blobRequest = z.strictObject({
  /** The name of a blob in the container `incoming`. */
  blob: text(1024)
    .min(1, 'It must not be empty')
    .refine(
      (name) => !name.split('/').some((part) => part === '.' || part === '..'),
      'It must not have parts . or ..',
    ),
  /** Needed only where neither the name nor the content type of the blob shows it. */
  format: z.enum(['csv', 'ndjson']).optional(),
  maxParallel: maxParallel.optional(),
});
export type BlobRequest = z.output<typeof blobRequest>;

/** What an ingestion is told by, for the activities: the record, and which attempt at it. */
export interface Run {
  id: string;
  /** The prefix of the attempt's blobs. */
  files: string;
}

/** All states but `running` are final; of `removed` ingestions callers see nothing any more. */
export const ingestionState = z.enum(['running', 'completed', 'failed', 'cancelled', 'removed']);
export type IngestionState = z.infer<typeof ingestionState>;

/** Why an ingestion failed, and at which chunk. */
const failure = z.object({
  reason: z.string(),
  chunk: z
    .object({
      number: z.number(),
      /** Bytes of the file. */
      from: z.number(),
      to: z.number(),
      /** The line in which it begins. */
      line: z.number(),
    })
    .optional(),
});
export type Failure = z.infer<typeof failure>;

/** What came of lines. */
export const counts = z.object({
  /** Lines read, the rejected ones among them; blank ones do not count. */
  lines: z.number(),
  rejected: z.number(),
});
export type Counts = z.infer<typeof counts>;

/** An ingestion's record: the truth about it. Times are ISO 8601 in UTC. */
export const ingestionRecord = z.object({
  /** Made from the content, or from the blob and its version. */
  id: z.string(),
  state: ingestionState,
  /** 1, and more when the same content came again after it had failed or was cancelled. */
  attempt: z.number(),
  /** The prefix of the attempt's blobs: no other has the same. */
  files: z.string(),
  source,
  layout,
  /** Where the lines begin: bytes before them, and the number of the first. */
  start: z.object({ bytes: z.number(), line: z.number() }),
  maxParallel: z.number(),
  /** How many chunks the file has, once they are known. */
  chunks: z.number().optional(),
  /** Waves of chunks that are done, and how many chunks these had. */
  waves: z.number(),
  done: z.number(),
  ...counts.shape,
  startedAt: z.string(),
  /** When a wave was done last. */
  progressAt: z.string(),
  endedAt: z.string().optional(),
  failure: failure.optional(),
  /** Prefixes of blobs that are to be removed. */
  garbage: z.array(z.string()),
});
export type Ingestion = z.infer<typeof ingestionRecord>;

/** A range of chunks: from one number to before another. */
export interface ChunkRange {
  from: number;
  to: number;
}

/** The chunks that are read next, in groups that are worked on at the same time; none when all are done. */
export interface Wave {
  number: number;
  groups: ChunkRange[];
}
