import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';
import type { BuiltFile, Encoding } from '../src/pages/site.js';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
};

const compress: Record<Encoding, (bytes: Buffer) => Buffer> = {
  br: (bytes) =>
    brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length, [constants.BROTLI_PARAM_QUALITY]: 11 },
    }),
  gzip: (bytes) => gzipSync(bytes, { level: 9 }),
};

/**
 * Compresses each built file once, at build time, and writes `files.json`, the list of files that may be
 * served. A file that compression does not make smaller is served uncompressed.
 */
export function packed(): Plugin {
  return {
    name: 'packed',
    apply: 'build',
    async writeBundle({ dir = '.' }, bundle) {
      const files: Record<string, BuiltFile> = {};
      for (const [path, built] of Object.entries(bundle)) {
        const type = types[extname(path)];
        if (!type) this.error(`No content type is known for ${path}: name it in packed.ts.`);
        const bytes = Buffer.from(built.type === 'chunk' ? built.code : built.source);
        const encodings: Encoding[] = [];
        for (const encoding of ['br', 'gzip'] as const) {
          const smaller = compress[encoding](bytes);
          if (smaller.length >= bytes.length) continue;
          encodings.push(encoding);
          await writeFile(join(dir, `${path}.${encoding}`), smaller);
        }
        files[path] = {
          type,
          hash: createHash('sha256').update(bytes).digest('base64url').slice(0, 16),
          encodings,
        };
      }
      await writeFile(join(dir, 'files.json'), `${JSON.stringify(files, null, 2)}\n`);
    },
  };
}
