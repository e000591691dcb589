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

/** The JSON body of `POST /api/ingestions` and of messages on the queue `ingest`. */
export const blobRequest = z.strictObject({
  /** The name of a blob in the container `incoming`. */
  blob: text(1024)
    .min(1, 'It must not be empty')
    .refine(
      (name) => !name.split('/').some((part) => part === '.' || part === '..'),
      'It must not have parts . or ..',
    ),
  /** Needed only if neither the name nor the content type of the blob shows it. */
  format: z.enum(['csv', 'ndjson']).optional(),
  maxParallel: maxParallel.optional(),
});
export type BlobRequest = z.output<typeof blobRequest>;

/** Identifies an attempt for activities: the record's id and the attempt's blobs. */
export interface Run {
  id: string;
  /** The prefix of the attempt's blobs. */
  files: string;
}

/** Identifies an ingestion for workflows of other features. */
export interface DatasetRequest extends Pick<Run, 'id'> {
  /** The person who must have started the ingestion; absent: anybody. */
  onlyOf?: string | undefined;
}

/** All states but `running` are final. Callers do not see `removed` ingestions. */
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

/** The counts of lines. */
export const counts = z.object({
  /** Lines read, including rejected ones, without blank ones. */
  lines: z.number(),
  rejected: z.number(),
});
export type Counts = z.infer<typeof counts>;

/** The record of an ingestion, which decides. Times are ISO 8601 in UTC. */
export const ingestionRecord = z.object({
  /** Made from the content, or from the blob and its version; and from the person who started it, if there is one. */
  id: z.string(),
  state: ingestionState,
  /** The person who started it, if the platform has signed one in. */
  requestedBy: z.string().optional(),
  /**
   * The number of the attempt, from 1. The same content starts another one after a failure or a cancellation.
   */
  attempt: z.number(),
  /** The prefix of the attempt's blobs, which is unique. */
  files: z.string(),
  source,
  layout,
  /** The number of bytes before the first line, and that line's number. */
  start: z.object({ bytes: z.number(), line: z.number() }),
  maxParallel: z.number(),
  /** The number of chunks. The workflow counts those of a file that is read in place. */
  chunks: z.number().optional(),
  /** The number of complete waves, and of their chunks. */
  waves: z.number(),
  done: z.number(),
  ...counts.shape,
  startedAt: z.string(),
  /** The time at which the last wave was completed. */
  progressAt: z.string(),
  endedAt: z.string().optional(),
  failure: failure.optional(),
  /** Prefixes of blobs to remove. */
  garbage: z.array(z.string()),
});
export type Ingestion = z.infer<typeof ingestionRecord>;

/** A range of chunks: `from` inclusive, `to` exclusive. */
export interface ChunkRange {
  from: number;
  to: number;
}

/** Adjacent chunks of a group that one activity has read. Its blob has this as metadata, which are texts. */
export const batch = z.object({
  from: z.coerce.number(),
  to: z.coerce.number(),
  lines: z.coerce.number(),
  rejected: z.coerce.number(),
}) satisfies z.ZodType<ChunkRange & Counts>;
export type Batch = z.output<typeof batch>;

/** The chunks to read next, in groups that run at the same time; none when all are done. */
export interface Wave {
  number: number;
  groups: ChunkRange[];
}
