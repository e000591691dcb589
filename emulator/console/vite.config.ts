import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The most that the page may weigh, all its files together, in kilobytes after gzip. */
const MOST = 60;

/** Prints what the page weighs, and fails when that is too much. */
const weighed: Plugin = {
  name: 'weighed',
  apply: 'build',
  writeBundle(_, bundle) {
    let bytes = 0;
    for (const file of Object.values(bundle))
      bytes += gzipSync(file.type === 'chunk' ? file.code : file.source, { level: 9 }).length;
    const weight = `The emulator's console: ${(bytes / 1000).toFixed(1)} kB gzip (at most ${MOST})`;
    if (bytes > MOST * 1000) this.error(weight);
    console.log(weight);
  },
};

/**
 * `npm run build:console` builds the page into the emulator's package. `npx vite emulator/console` serves it while you
 * edit it, at `/_emulator/`, with an emulator on port 7071.
 */
export default defineConfig({
  root: here('.'),
  base: '/_emulator/',
  publicDir: false,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: here('../dist/page'),
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: URLs
    modulePreload: { polyfill: false },
  },
  plugins: [weighed],
  server: {
    proxy: { '^/_emulator/(api/|clock$)': { target: 'http://localhost:7071', changeOrigin: true } },
  },
});
