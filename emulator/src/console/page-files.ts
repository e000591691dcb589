import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { HttpResponseLike } from '../http-message.js';
import { OWN_FOLDER } from '../own-folder.js';
import { HEADERS, Problem } from './answers.js';

/** The folder that Vite builds the page into. */
const FOLDER = path.join(OWN_FOLDER, 'page');

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
};

/** The page runs its own files only, and no other page can show it in a frame. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** @param file the path after `/_emulator/`, such as `assets/index-1a2b.js`; `` for the page. @throws Problem */
export async function pageFile(file: string): Promise<HttpResponseLike> {
  const name = file === '' ? 'index.html' : file;
  // The build makes names of these characters only, and at most one folder.
  if (!/^(assets\/)?[\w-][\w.-]*$/.test(name) || TYPES[path.extname(name)] === undefined)
    throw new Problem(404, 'The console has no such page.');
  let body: Uint8Array;
  try {
    body = await readFile(path.join(FOLDER, name));
  } catch {
    throw new Problem(
      404,
      file === '' ? "The console's page is not built: run `npm run build`." : 'The console has no such page.',
    );
  }
  return {
    status: 200,
    headers: [
      ['content-type', TYPES[path.extname(name)]!],
      ['content-security-policy', POLICY],
      ['referrer-policy', 'no-referrer'],
      ...HEADERS,
    ],
    body,
  };
}
