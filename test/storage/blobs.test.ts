import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ContainerClient } from '@azure/storage-blob';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { container, findBlob, readBytes, writeBlob } from '../../src/storage/index.js';
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

  const contentOf = (name: string): Promise<Buffer> => readBytes(blobs, name);

  it('has its bytes in order, though two blocks are sent at a time', async () => {
    const parts = Array.from({ length: 13 }, () => randomBytes(MEGABYTE - 1));
    await writeBlob(blobs, 'large', Readable.from(parts), binary);
    expect((await contentOf('large')).equals(Buffer.concat(parts))).toBe(true);
  });

  it('may be empty', async () => {
    await writeBlob(blobs, 'empty', Readable.from([], { objectMode: false }), binary);
    expect((await contentOf('empty')).length).toBe(0);
  });

  it('that is short has its bytes, type and metadata, and its tag is returned', async () => {
    const parts = [Buffer.from('a,'), 'é,', Buffer.from('c')];
    const tag = await writeBlob(blobs, 'short', Readable.from(parts), {
      contentType: 'text/csv',
      metadata: { lines: '1' },
    });
    expect((await contentOf('short')).toString()).toBe('a,é,c');
    expect(await readBytes(blobs, 'short', { from: 2, to: 4, etag: tag })).toEqual(Buffer.from('é'));
    expect(await findBlob(blobs, 'short')).toMatchObject({
      etag: tag,
      contentType: 'text/csv',
      metadata: { lines: '1' },
    });
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
