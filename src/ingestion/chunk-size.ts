import { CHUNK_SIZE, type ChunkSize } from '../sales/index.js';

/** The size of chunks. Tests make it small with the setting `INGESTION_CHUNK_BYTES`. */
export function chunkSize(): ChunkSize {
  return { ...CHUNK_SIZE, bytes: Number(process.env['INGESTION_CHUNK_BYTES']) || CHUNK_SIZE.bytes };
}
