import type { HistoryEvent, JsonText, ParentInstance, RuntimeStatus, Timestamp } from '../history.js';
import type { InstanceRecord } from '../task-hub.js';

/**
 * What the rows of the `Instances` and `History` tables look like: the Durable Task provider's columns and types, so
 * that tools made for it can read them, and a few of our own.
 */

/** A column to be written. Numbers are Edm.Int32; undefined is no column. */
export type Cell = string | number | boolean | { type: 'DateTime' | 'Int64'; value: string } | undefined;
export type Columns = Record<string, Cell>;

/** A row as it is read: every column's value as text. */
export type Row = Readonly<Record<string, string | undefined>>;

/** The column that names the blob which holds what does not fit into column `name`. */
export function blobColumn(name: string): string {
  return `${name}BlobName`;
}

/** What the storage SDK returns with `disableTypeConversion`, which alone keeps all seven digits of a time. */
export function readRow(entity: Record<string, unknown>): Row {
  const row: Record<string, string> = {};
  for (const [name, cell] of Object.entries(entity)) {
    row[name] =
      typeof cell === 'object' && cell !== null && 'value' in cell ? String(cell.value) : String(cell);
  }
  return row;
}

/** Seven digits, always, as .NET writes them: Azurite compares times as text. */
export function time(timestamp: Timestamp): Cell {
  return {
    type: 'DateTime',
    value: timestamp.replace(
      /(?:\.(\d*))?Z$/,
      (_, fraction: string | undefined) => `.${(fraction ?? '').padEnd(7, '0')}Z`,
    ),
  };
}

/** The times that Azure's tables know, in milliseconds. */
const [EARLIEST, LATEST] = [Date.UTC(1601, 0), Date.UTC(9999, 11, 31, 23, 59, 59, 999)];

/** Milliseconds since the epoch as a literal of a filter. */
export function timeFilter(milliseconds: number): string {
  return `datetime'${new Date(Math.min(Math.max(milliseconds, EARLIEST), LATEST)).toISOString().replace('Z', '0000Z')}'`;
}

/** A time as our events have it, without trailing zeros. */
function readTime(value: string): Timestamp {
  return value.replace(/(\.\d*?)0*Z$/, (_, fraction: string) => (fraction === '.' ? 'Z' : `${fraction}Z`));
}

// ---- events ---------------------------------------------------------------------------------------------------------

type EventType = HistoryEvent['EventType'];
/** With a question mark: a property that is absent, not null, where there is nothing. */
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
  ExecutionCompleted: { OrchestrationStatus: 'text', Result: 'text' },
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

/** Columns that the provider has and we have nothing to put into. */
const EMPTY: { readonly [E in EventType]?: Columns } = {
  ExecutionStarted: { Tags: 'null', ParentTraceContext: 'null', GenerateNewTrace: false },
  ExecutionCompleted: { FailureDetails: 'null' },
  TaskScheduled: { Version: '', ParentTraceContext: 'null', Tags: 'null' },
  SubOrchestrationInstanceCreated: { Tags: 'null' },
  EventRaised: { ParentTraceContext: 'null' },
};

/** What an episode writes itself; the provider marks all else as played. */
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

/** Whether a row's EventType is one that histories have. */
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

// ---- records --------------------------------------------------------------------------------------------------------

/** The columns that a record has in the Instances row, and on the sentinel, where a load finds it. */
export function recordColumns(record: InstanceRecord): Columns {
  return {
    Name: record.name,
    Version: record.version ?? undefined,
    RuntimeStatus: record.runtimeStatus,
    ExecutionId: record.executionId,
    Input: record.input ?? undefined,
    Output: record.output ?? undefined,
    // The provider writes the text where there is no status; so "null" is read back as none.
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

/** Whether an Instances row says the same as a record; texts that are in blobs are taken to follow the times. */
export function isCurrent(row: Row, record: InstanceRecord): boolean {
  return Object.entries(recordColumns(record)).every(([name, cell]) => {
    const value = row[name];
    if (row[blobColumn(name)] !== undefined) return true;
    if (value === undefined || cell === undefined) return value === cell;
    return typeof cell === 'object' ? readTime(value) === readTime(cell.value) : value === String(cell);
  });
}
