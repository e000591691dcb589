import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ContainerClient } from '@azure/storage-blob';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { container, findBlob, readBlob, writeBlob } from '../../src/storage/index.js';
import { account } from '../support/azurite.js';

const MEGABYTE = 1024 * 1024;
const binary = { contentType: 'application/octet-stream' };

describe('a blob from a stream', () => {
  let blobs: ContainerClient;
  beforeAll(async () => {
    vi.stubEnv('AppStorage', await account());
    blobs = await container('files');
    vi.unstubAllEnvs();
  });

  const contentOf = async (name: string): Promise<Buffer> =>
    Buffer.concat((await (await readBlob(blobs, name)).toArray()) as Buffer[]);

  it('has its bytes in order, though two blocks are sent at a time', async () => {
    const parts = Array.from({ length: 13 }, () => randomBytes(MEGABYTE - 1));
    await writeBlob(blobs, 'large', Readable.from(parts), binary);
    expect((await contentOf('large')).equals(Buffer.concat(parts))).toBe(true);
  });

  it('may be empty', async () => {
    await writeBlob(blobs, 'empty', Readable.from([], { objectMode: false }), binary);
    expect((await contentOf('empty')).length).toBe(0);
  });

  it('is not written when the stream fails, and an existing one stays as it is', async () => {
    await writeBlob(blobs, 'there', Readable.from([Buffer.from('before')]), binary);
    for (const name of ['there', 'new']) {
      const failing = Readable.from(
        (async function* () {
          yield randomBytes(5 * MEGABYTE);
          throw new Error('It broke off.');
        })(),
      );
      await expect(writeBlob(blobs, name, failing, binary)).rejects.toThrow('It broke off.');
    }
    expect((await contentOf('there')).toString()).toBe('before');
    expect(await findBlob(blobs, 'new')).toBeUndefined();
  });
});
