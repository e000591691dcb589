import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { OWN_FOLDER } from '../own-folder.js';
import { placeText } from './code-location.js';

/** The folder of the emulator's code in stack traces: a path for CommonJS, a URL for modules. */
const OWN = [OWN_FOLDER + path.sep, `${pathToFileURL(OWN_FOLDER).href}/`];

/** A file with a line and a column in a stack trace. Node's own files have no path: `node:internal/...`. */
const PLACE = /(?<=[\s(])((?:file:\/\/)?\/[^\s():]+|(?:file:\/\/\/)?[A-Z]:[\\/][^\s():]+):(\d+):(\d+)/;

/**
 * The first place of a stack trace that is in the app's own code, in its source file when the code has a source
 * map: `src/orders.ts:12:3`. @returns undefined when no line is in the app's code
 */
export function placeInApp(stack: string): string | undefined {
  for (const line of stack.split('\n').slice(1)) {
    const [, file, row, column] = PLACE.exec(line) ?? [];
    if (file === undefined || /[\\/]node_modules[\\/]/.test(file)) continue;
    if (OWN.some((own) => file.startsWith(own))) continue;
    const url = file.startsWith('file:') ? file : pathToFileURL(file).href;
    return placeText(
      { url, sourceMapURL: sourceMapOf(fileURLToPath(url)) },
      Number(row) - 1,
      Number(column) - 1,
    );
  }
  return undefined;
}

function sourceMapOf(file: string): string | undefined {
  try {
    return [...readFileSync(file, 'utf8').matchAll(/^\/\/[#@] sourceMappingURL=(\S+)\s*$/gm)].at(-1)?.[1];
  } catch {
    return undefined;
  }
}
