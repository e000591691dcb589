/** Where in the app's code something stands: what the SDK forgets and V8's inspector knows. */
import { readFileSync } from 'node:fs';
import type inspector from 'node:inspector';
import { SourceMap, type SourceMapPayload } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

interface Script {
  url: string;
  sourceMapURL?: string | undefined;
}
type Location = inspector.Debugger.Location;

/** What {@link observe} saw. */
export interface Observed<T> {
  result: T;
  /** Where the app's code threw last, as `src/orders.ts:12:3`, whether or not anybody caught it. */
  thrownAt: string | undefined;
  /** Where a suspended generator stands; undefined when it has ended. */
  locate: (generator: unknown) => string | undefined;
}

/** The name under which the inspector finds a generator. */
const HANDLE = Symbol.for('durable-functions-emulator.generator');

/**
 * Runs something under the eyes of the inspector, which costs some ten milliseconds: for diagnostics only.
 * @param within the function from which the code is called that is to be watched for what it throws
 * @param use gets what was seen; the inspector is gone after that
 */
export async function observe<T, R>(
  run: () => Promise<T>,
  within: string,
  use: (observed: Observed<T>) => R,
): Promise<R> {
  // Only now: most runs of the emulator have nothing to diagnose.
  const { Session, url: debuggerUrl } = await import('node:inspector');
  const session = new Session();
  session.connect();
  try {
    const scripts = new Map<string, Script>();
    session.on('Debugger.scriptParsed', ({ params: { scriptId, url, sourceMapURL } }) => {
      scripts.set(scriptId, { url, sourceMapURL });
    });
    session.post('Debugger.enable');
    let thrown: Location | undefined;
    session.on(
      'Debugger.paused',
      ({
        params: {
          callFrames: [frame, ...callers],
        },
      }) => {
        if (
          frame !== undefined &&
          isOfApp(scripts.get(frame.location.scriptId)) &&
          callers.some(({ functionName }) => functionName === within)
        )
          thrown = frame.location;
      },
    );
    // With a debugger attached it would stop there as well.
    if (debuggerUrl() === undefined) session.post('Debugger.setPauseOnExceptions', { state: 'all' });
    const result = await run();
    session.post('Debugger.setPauseOnExceptions', { state: 'none' });
    const text = (location: Location | undefined): string | undefined =>
      location && locationText(scripts.get(location.scriptId), location);
    return use({
      result,
      thrownAt: text(thrown),
      locate: (generator) => text(generatorLocation(session, generator)),
    });
  } finally {
    session.disconnect();
  }
}

/** The emulator's own code. */
const OURS = new URL('..', import.meta.url).href;

function isOfApp(script: Script | undefined): boolean {
  return (
    script !== undefined &&
    script.url.startsWith('file:') &&
    !script.url.startsWith(OURS) &&
    !script.url.includes('/node_modules/')
  );
}

function generatorLocation(session: inspector.Session, generator: unknown): Location | undefined {
  const globals = globalThis as Record<symbol, unknown>;
  let location: Location | undefined;
  globals[HANDLE] = generator;
  // In the same thread answers come at once.
  session.post(
    'Runtime.evaluate',
    { expression: `globalThis[Symbol.for(${JSON.stringify(Symbol.keyFor(HANDLE))})]` },
    (_error, found) => {
      const { objectId } = (found as inspector.Runtime.EvaluateReturnType | undefined)?.result ?? {};
      if (objectId === undefined) return;
      session.post('Runtime.getProperties', { objectId, ownProperties: true }, (_failed, properties) => {
        const internal =
          (properties as inspector.Runtime.GetPropertiesReturnType | undefined)?.internalProperties ?? [];
        const property = (name: string): unknown => internal.find((each) => each.name === name)?.value?.value;
        if (property('[[GeneratorState]]') === 'suspended')
          location = property('[[GeneratorLocation]]') as Location | undefined;
      });
    },
  );
  delete globals[HANDLE];
  return location;
}

function locationText(
  script: Script | undefined,
  { lineNumber, columnNumber = 0 }: Location,
): string | undefined {
  if (script === undefined) return undefined;
  const mapped = original(script, lineNumber, columnNumber) ?? {
    file: script.url,
    line: lineNumber,
    column: columnNumber,
  };
  const file = mapped.file.startsWith('file:') ? fileURLToPath(mapped.file) : mapped.file;
  const relative = path.relative(process.cwd(), file);
  return `${relative.startsWith('..') || path.isAbsolute(relative) ? file : relative}:${mapped.line + 1}:${mapped.column + 1}`;
}

/** The place in the source from which the script was made, when it says so. Counted from 0. */
function original(
  { url, sourceMapURL }: Script,
  line: number,
  column: number,
): { file: string; line: number; column: number } | undefined {
  if (sourceMapURL === undefined || sourceMapURL === '') return undefined;
  try {
    const base = url.startsWith('file:') ? url : `file://${url}`;
    const map = new URL(sourceMapURL, base);
    const payload = map.protocol === 'data:' ? decodeDataUrl(sourceMapURL) : readFileSync(map, 'utf8');
    const entry = new SourceMap(JSON.parse(payload) as SourceMapPayload).findEntry(line, column);
    if (!('originalSource' in entry)) return undefined;
    const source = new URL(entry.originalSource, map.protocol === 'data:' ? base : map);
    return { file: source.href, line: entry.originalLine, column: entry.originalColumn };
  } catch {
    // A map that is not there, or is none, maps nothing.
    return undefined;
  }
}

function decodeDataUrl(url: string): string {
  const [head, data] = [url.slice(0, url.indexOf(',')), url.slice(url.indexOf(',') + 1)];
  return head.endsWith(';base64') ? Buffer.from(data, 'base64').toString() : decodeURIComponent(data);
}
