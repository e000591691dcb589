import type { HistoryEvent, JsonText, ParentInstance, RuntimeStatus, Timestamp } from '../history.js';
import type { InstanceRecord } from '../task-hub.js';

/**
 * The rows of the `Instances` and `History` tables. They have the columns and types of the Durable Task
 * provider, so that its tools can read them, and a few columns of the emulator.
 */

/** The value of a column in a write. Numbers are Edm.Int32; undefined means no column. */
export type Cell = string | number | boolean | { type: 'DateTime' | 'Int64'; value: string } | undefined;
export type Columns = Record<string, Cell>;

/** A row that was read: the value of every column as text. */
export type Row = Readonly<Record<string, string | undefined>>;

/** The column with the name of the blob that holds the text of column `name`. */
export function blobColumn(name: string): string {
  return `${name}BlobName`;
}

/** The columns of a row that are in blobs, and the blobs' names. */
export function blobsOf(row: Row): [column: string, blob: string][] {
  const suffix = blobColumn('');
  return Object.entries(row).flatMap(([name, blob]) =>
    name.endsWith(suffix) ? [[name.slice(0, -suffix.length), blob!]] : [],
  );
}

/** The names of a row's blobs. */
export function blobNames(row: Row): string[] {
  return blobsOf(row).map(([, blob]) => blob);
}

/**
 * Reads what the storage SDK returns with `disableTypeConversion`. Only with that option times keep all seven
 * digits.
 */
export function readRow(entity: Record<string, unknown>): Row {
  const row: Record<string, string> = {};
  for (const [name, cell] of Object.entries(entity)) {
    row[name] =
      typeof cell === 'object' && cell !== null && 'value' in cell ? String(cell.value) : String(cell);
  }
  return row;
}

/**
 * A time with seven digits, as .NET writes it. Azurite compares times as text, so all times need the same
 * length.
 */
export function time(timestamp: Timestamp): Cell {
  return {
    type: 'DateTime',
    value: timestamp.replace(
      /(?:\.(\d*))?Z$/,
      (_, fraction: string | undefined) => `.${(fraction ?? '').padEnd(7, '0')}Z`,
    ),
  };
}

/** The earliest and latest time in Azure's tables, in milliseconds since the epoch. */
const [EARLIEST, LATEST] = [Date.UTC(1601, 0), Date.UTC(9999, 11, 31, 23, 59, 59, 999)];

/** Milliseconds since the epoch as a literal in a filter. */
export function timeFilter(milliseconds: number): string {
  return `datetime'${new Date(Math.min(Math.max(milliseconds, EARLIEST), LATEST)).toISOString().replace('Z', '0000Z')}'`;
}

/** A time in the form of {@link Timestamp}: without trailing zeros. */
function readTime(value: string): Timestamp {
  return value.replace(/(\.\d*?)0*Z$/, (_, fraction: string) => (fraction === '.' ? 'Z' : `${fraction}Z`));
}

// ---- events ----------------------------------------------------------------------------------------------

type EventType = HistoryEvent['EventType'];
/** With a question mark: the property is absent, not null, if it has no value. */
type FieldKind = 'text' | 'text?' | 'integer' | 'integer?' | 'time' | 'json' | 'json?';
type FieldsOf<E> = Readonly<
  Record<Exclude<keyof E, 'EventType' | 'EventId' | 'Timestamp' | 'Continuation'>, FieldKind>
>;

const FIELDS: { readonly [E in HistoryEvent as E['EventType']]: FieldsOf<E> } = {
  OrchestratorStarted: {},
  OrchestratorCompleted: { ActionCount: 'integer?' },
  ExecutionStarted: {
    Name: 'text',
    Version: 'text',
    Input: 'text',
    OrchestrationInstance: 'json',
    ParentInstance: 'json',
    Generation: 'integer',
    ParentTraceContext: 'json?',
  },
  ExecutionCompleted: { OrchestrationStatus: 'text', Result: 'text', FailureDetails: 'json?' },
  ExecutionTerminated: { Input: 'text' },
  ExecutionSuspended: { Reason: 'text' },
  ExecutionResumed: { Reason: 'text' },
  TaskScheduled: { Name: 'text', Input: 'text', ParentTraceContext: 'json?' },
  TaskCompleted: { TaskScheduledId: 'integer', Result: 'text' },
  TaskFailed: { TaskScheduledId: 'integer', Reason: 'text', Details: 'text', FailureDetails: 'json' },
  SubOrchestrationInstanceCreated: {
    Name: 'text',
    Version: 'text',
    InstanceId: 'text',
    Input: 'text',
    ClientSpanId: 'text?',
  },
  SubOrchestrationInstanceCompleted: { TaskScheduledId: 'integer', Result: 'text' },
  SubOrchestrationInstanceFailed: {
    TaskScheduledId: 'integer',
    Reason: 'text',
    Details: 'text',
    FailureDetails: 'json',
  },
  TimerCreated: { FireAt: 'time' },
  TimerFired: { TimerId: 'integer', FireAt: 'time' },
  EventSent: { InstanceId: 'text', Name: 'text', Input: 'text' },
  EventRaised: { Name: 'text', Input: 'text' },
  GenericEvent: { Data: 'text', Reason: 'text?', Rewind: 'json?' },
};

/** Columns of the provider for which the emulator has no values. */
const EMPTY: { readonly [E in EventType]?: Columns } = {
  ExecutionStarted: { Tags: 'null', ParentTraceContext: 'null', GenerateNewTrace: false },
  ExecutionCompleted: { FailureDetails: 'null' },
  TaskScheduled: { Version: '', ParentTraceContext: 'null', Tags: 'null' },
  SubOrchestrationInstanceCreated: { Tags: 'null' },
  EventRaised: { ParentTraceContext: 'null' },
};

/** The events that an episode writes itself. The provider marks all other events as played. */
const WRITTEN_BY_EPISODE: ReadonlySet<EventType> = new Set<EventType>([
  'OrchestratorStarted',
  'OrchestratorCompleted',
  'ExecutionCompleted',
  'TaskScheduled',
  'SubOrchestrationInstanceCreated',
  'TimerCreated',
  'EventSent',
]);

/** The columns of an event's row, without its keys. */
export function eventColumns(event: HistoryEvent, executionId: string): Columns {
  const columns: Columns = { ...EMPTY[event.EventType] };
  const values = event as unknown as Record<string, unknown>;
  for (const [name, kind] of Object.entries(FIELDS[event.EventType])) {
    const value = values[name];
    if (value === undefined) continue;
    if (kind.startsWith('json')) columns[name] = JSON.stringify(value);
    else if (value !== null) columns[name] = kind === 'time' ? time(value as Timestamp) : (value as Cell);
  }
  columns['EventId'] = event.EventId;
  const rewound = event.EventType === 'GenericEvent' ? event.Reason?.replace(/^Rewound: /, '') : undefined;
  columns['IsPlayed'] =
    !WRITTEN_BY_EPISODE.has((rewound ?? event.EventType) as EventType) ||
    (event.EventType === 'OrchestratorCompleted' && event.Continuation === true);
  columns['_Timestamp'] = time(event.Timestamp);
  columns['EventType'] = event.EventType;
  columns['ExecutionId'] = executionId;
  return columns;
}

/** Whether histories have events of this EventType. */
export function isEventType(name: string): boolean {
  return Object.hasOwn(FIELDS, name);
}

/** The event of a row. */
export function readEvent(row: Row): HistoryEvent {
  const type = row['EventType'] as EventType;
  const event: Record<string, unknown> = {
    EventType: type,
    EventId: Number(row['EventId']),
    Timestamp: readTime(row['_Timestamp']!),
  };
  for (const [name, kind] of Object.entries(FIELDS[type])) {
    const value = row[name];
    if (kind === 'json?' && value === 'null') continue;
    if (value !== undefined) event[name] = READERS[kind](value);
    else if (!kind.endsWith('?')) event[name] = null;
  }
  if (type === 'OrchestratorCompleted' && row['IsPlayed'] === 'true') event['Continuation'] = true;
  return event as unknown as HistoryEvent;
}

const READERS: Readonly<Record<FieldKind, (value: string) => unknown>> = {
  text: (value) => value,
  integer: Number,
  time: readTime,
  json: (value) => JSON.parse(value) as unknown,
  'text?': (value) => value,
  'integer?': Number,
  'json?': (value) => JSON.parse(value) as unknown,
};

// ---- records ---------------------------------------------------------------------------------------------

/** The columns of a record, in the Instances row and on the sentinel, from which a load reads it. */
export function recordColumns(record: InstanceRecord): Columns {
  return {
    Name: record.name,
    Version: record.version ?? undefined,
    RuntimeStatus: record.runtimeStatus,
    ExecutionId: record.executionId,
    Input: record.input ?? undefined,
    Output: record.output ?? undefined,
    // The provider writes the text "null" if there is no status. So "null" is read as no status.
    CustomStatus: record.customStatus ?? 'null',
    CreatedTime: time(record.createdTime),
    LastUpdatedTime: time(record.lastUpdatedTime),
    CompletedTime: record.completedTime === null ? undefined : time(record.completedTime),
    ParentInstance: record.parent === null ? undefined : JSON.stringify(record.parent),
    Generation: record.generation,
  };
}

/** The columns of an Instances row. */
export function instanceColumns(record: InstanceRecord, hubName: string): Columns {
  return { ...recordColumns(record), TaskHubName: hubName, Tags: 'null' };
}

export function readRecord(row: Row, instanceId: string): InstanceRecord {
  const { CustomStatus, CompletedTime, ParentInstance, Generation } = row;
  return {
    instanceId,
    executionId: row['ExecutionId']!,
    name: row['Name']!,
    version: row['Version'] ?? null,
    runtimeStatus: row['RuntimeStatus'] as RuntimeStatus,
    input: row['Input'] ?? null,
    output: row['Output'] ?? null,
    customStatus: CustomStatus === 'null' ? null : (CustomStatus as JsonText),
    createdTime: readTime(row['CreatedTime']!),
    lastUpdatedTime: readTime(row['LastUpdatedTime']!),
    completedTime: CompletedTime === undefined ? null : readTime(CompletedTime),
    parent: ParentInstance === undefined ? null : (JSON.parse(ParentInstance) as ParentInstance),
    ...(Generation !== undefined && { generation: Number(Generation) }),
  };
}

/**
 * Whether an Instances row equals a record. Texts in blobs are not compared: they are equal if the times are.
 */
export function isCurrent(row: Row, record: InstanceRecord): boolean {
  return Object.entries(recordColumns(record)).every(([name, cell]) => {
    const value = row[name];
    if (row[blobColumn(name)] !== undefined) return true;
    if (value === undefined || cell === undefined) return value === cell;
    return typeof cell === 'object' ? readTime(value) === readTime(cell.value) : value === String(cell);
  });
}
