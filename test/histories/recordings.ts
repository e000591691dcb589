import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { HistoryEvent } from '../../emulator/src/testing.js';

const root = path.join(import.meta.dirname, '../..');
const folder = path.join(import.meta.dirname, 'recorded');

/** A recorded history: `<scenario>/<orchestrator>`. */
export interface Recording {
  name: string;
  history: HistoryEvent[];
}

export function recordings(): Recording[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .toSorted()
    .map((file) => ({
      name: file.replaceAll('\\', '/').replace(/\.json$/, ''),
      history: readRecording(path.join(folder, file)),
    }));
}

export function readRecording(file: string): HistoryEvent[] {
  return JSON.parse(readFileSync(file, 'utf8')) as HistoryEvent[];
}

/**
 * Writes a history, one event a line. A file of that name is not overwritten, because instances like it may
 * still run.
 *
 * @returns whether it is new
 */
export function keep({ name, history }: Recording): boolean {
  const file = path.join(folder, `${name}.json`);
  if (existsSync(file)) return false;
  mkdirSync(path.dirname(file), { recursive: true });
  const lines = history.map((event) => JSON.stringify(withoutPlaces(event), withoutTraces));
  // Failures in inputs and results name folders of this machine, too.
  writeFileSync(file, `[\n${lines.join(',\n')}\n]\n`.replaceAll(root, '/app'));
  return true;
}

/** An event without the stack of a failure, because the stack names folders of this machine. */
function withoutPlaces(event: HistoryEvent): HistoryEvent {
  if (event.EventType !== 'TaskFailed') return event;
  const details = JSON.parse(event.Details, (_, value: unknown) =>
    typeof value === 'string' ? value.replaceAll(/\n\s+at .*/g, '') : value,
  ) as unknown;
  return { ...event, Details: JSON.stringify(details) };
}

/** Leaves out the ids of traces, which differ each time. */
function withoutTraces(name: string, value: unknown): unknown {
  return name === 'ParentTraceContext' || name === 'ClientSpanId' ? undefined : value;
}
