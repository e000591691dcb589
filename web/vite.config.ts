import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { packed } from './packed.js';
import { pages, shell } from './shell.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/**
 * `npm run build:web` builds the pages; `npx vite web` serves them while you edit them, with the app's API on
 * port 7071.
 */
export default defineConfig({
  root: here('.'),
  publicDir: false,
  appType: 'mpa',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: here('../dist/web'),
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0, // the Content-Security-Policy allows no data: URLs
    modulePreload: { polyfill: false },
    rolldownOptions: { input: pages() },
  },
  plugins: [shell(), packed()],
  server: { proxy: { '/api': 'http://localhost:7071' } },
});
