/**
 * `npm run trace < trace.txt`: a stack trace from Azure, with the places in the sources. It reads the source maps that
 * `npm run package` wrote for the package that is deployed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';

/**
 * Replaces each place in a bundle by the place in the sources it came from.
 *
 * @param trace such as `at f (file:///home/site/wwwroot/dist/app/index.js:10:5)`
 * @param maps the folder of maps
 */
export function sourcesOf(trace: string, maps: string): string {
  const known = new Map<string, SourceMap | undefined>();
  const mapOf = (file: string): SourceMap | undefined => {
    const map = path.join(maps, `${file}.map`);
    if (!known.has(file))
      known.set(
        file,
        existsSync(map)
          ? new SourceMap(JSON.parse(readFileSync(map, 'utf8')) as SourceMapPayload)
          : undefined,
      );
    return known.get(file);
  };
  return trace.replaceAll(
    /[^\s()]*dist\/app\/([\w.-]+\.js):(\d+):(\d+)/g,
    (place, file: string, line: string, column: string) => {
      // A trace counts from 1, a map from 0.
      const origin = mapOf(file)?.findOrigin(Number(line), Number(column));
      return origin !== undefined && 'fileName' in origin
        ? `${origin.fileName.replace(/^(?:\.\.\/)+/, '')}:${origin.lineNumber}:${origin.columnNumber}`
        : place;
    },
  );
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { maps: { type: 'string', default: path.resolve(import.meta.dirname, '../package-maps') } },
  });
  process.stdout.write(sourcesOf(await text(process.stdin), values.maps));
}
