/** Finds places in the app's code through V8's inspector, because the SDK does not keep them. */
import { readFileSync } from 'node:fs';
import type inspector from 'node:inspector';
import { SourceMap, type SourceMapPayload } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { OWN_FOLDER } from '../own-folder.js';

/** A loaded script. */
export interface Script {
  url: string;
  sourceMapURL?: string | undefined;
}
type Location = inspector.Debugger.Location;

/** The result of {@link observe}. */
export interface Observed<T> {
  result: T;
  /** The place where the app's code threw last, caught or not: `src/orders.ts:12:3`. */
  thrownAt: string | undefined;
  /** The place where a suspended generator waits; undefined when it has ended. */
  locate: (generator: unknown) => string | undefined;
}

/** The global name under which the inspector finds a generator. */
const HANDLE = Symbol.for('durable-functions-emulator.generator');

/**
 * Runs a task with the inspector attached. That costs some ten milliseconds, so it is for diagnostics only.
 * @param within the name of a function; errors are recorded only when it is on the stack
 * @param use called with the result while the inspector is attached
 */
export async function observe<T, R>(
  run: () => Promise<T>,
  within: string,
  use: (observed: Observed<T>) => R,
): Promise<R> {
  // The inspector loads only when it is needed: most runs of the emulator have nothing to diagnose.
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
    // An attached debugger would stop there, too.
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

const OURS = `${pathToFileURL(OWN_FOLDER).href}/`;

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
  // In the same thread, the inspector calls back at once.
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
  return script && placeText(script, lineNumber, columnNumber);
}

/**
 * A place as text, relative to the working directory where it is in it. Lines and columns count from 0, and in
 * the text from 1.
 */
export function placeText(script: Script, line: number, column: number): string {
  const mapped = original(script, line, column) ?? { file: script.url, line, column };
  const file = mapped.file.startsWith('file:') ? fileURLToPath(mapped.file) : mapped.file;
  const relative = path.relative(process.cwd(), file);
  return `${relative.startsWith('..') || path.isAbsolute(relative) ? file : relative}:${mapped.line + 1}:${mapped.column + 1}`;
}

/** The place in the source file, when the script has a source map. Lines and columns count from 0. */
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
    // A missing or invalid source map is ignored.
    return undefined;
  }
}

function decodeDataUrl(url: string): string {
  const [head, data] = [url.slice(0, url.indexOf(',')), url.slice(url.indexOf(',') + 1)];
  return head.endsWith(';base64') ? Buffer.from(data, 'base64').toString() : decodeURIComponent(data);
}
