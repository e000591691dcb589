/**
 * The messages between orchestrations, clients and entities: the extension's JSON, in the order of its keys,
 * because histories and the SDK's replays show it.
 */
import type {
  EventRaised,
  EventSent,
  ExecutionCompleted,
  HistoryEvent,
  JsonText,
  Timestamp,
} from '../history.js';
import type { Message } from '../task-hub.js';

export interface EntityId {
  name: string;
  key: string;
}

/** A message and its target instance. */
export interface Outgoing {
  to: string;
  message: Message;
}

/** A request as JSON: an operation, or a lock if there is a `lockset`. */
export interface EntityRequest {
  op: string | null;
  /** Only on requests without an answer. */
  signal?: true;
  input?: string;
  id: string;
  /** The instance that waits for the answer; absent for a client. */
  parent?: string;
  parentExecution?: string;
  Timestamp: Timestamp;
  /** {@link NEVER} for the first message from a sender to a target. */
  Predecessor: Timestamp;
  /** The entities to lock one after the other, in this order. */
  lockset?: EntityId[];
  /** The request's position in the lockset; absent at the first entity. */
  pos?: number;
  requestTime?: string;
}

/**
 * Ends a lock. With a `lockset` it ends a lock that may not have been granted yet, and follows the request
 * from entity to entity. That form is the emulator's: production does not withdraw the request of an
 * orchestration that ends while it waits for the lock.
 */
export interface EntityRelease {
  parent: string;
  id: string;
  lockset?: EntityId[];
  pos?: number;
}

/** The earliest time in .NET. */
export const NEVER: Timestamp = '0001-01-01T00:00:00';

const NAMESPACE = 'Microsoft.Azure.WebJobs.Extensions.DurableTask';

/** The instance id of an entity. Names of entities ignore case, their keys do not. */
export function entityInstanceId({ name, key }: EntityId): string {
  return `@${name.toLowerCase()}@${key}`;
}

export function isEntity(instanceId: string): boolean {
  return instanceId.startsWith('@');
}

export function parseEntityId(instanceId: string): EntityId {
  const end = instanceId.indexOf('@', 1);
  return { name: instanceId.slice(1, end), key: instanceId.slice(end + 1) };
}

export function requestText({ lockset, ...request }: EntityRequest): string {
  const { requestTime, pos, ...first } = request;
  return typed('RequestMessage', {
    ...first,
    ...(lockset !== undefined && {
      lockset: lockset.map(({ name, key }) => ({ $type: typeName('EntityId'), name, key })),
    }),
    ...(pos !== undefined && { pos }),
    ...(requestTime !== undefined && { requestTime }),
  });
}

/** The message's id is the request's, which is unique. */
export function requestMessage(request: EntityRequest, time: Timestamp): Message {
  return { id: request.id, event: raised('op', requestText(request), time) };
}

/** @param id the id of the message. It differs from the request's, because both may wait for one entity. */
export function releaseMessage(id: string, release: EntityRelease, time: Timestamp): Message {
  return { id: `release-${id}`, event: raised('release', releaseText(release), time) };
}

export function releaseText(release: EntityRelease): string {
  return typed('ReleaseMessage', release);
}

/** The answer to a call: the caller's execution waits for an event of the request's id. */
export function responseMessage(
  request: EntityRequest,
  result: JsonText,
  failed: boolean,
  time: Timestamp,
): Outgoing {
  return {
    to: request.parent!,
    message: {
      id: `answer-${request.id}`,
      ...(request.parentExecution !== undefined && { executionId: request.parentExecution }),
      event: raised(
        request.id,
        typed('ResponseMessage', { result, ...(failed && { exceptionType: 'Error' }) }),
        time,
      ),
    },
  };
}

function typed(name: string, content: object): string {
  return JSON.stringify({ $type: typeName(name), ...content });
}

function typeName(name: string): string {
  return `${NAMESPACE}.${name}, ${NAMESPACE}`;
}

function raised(name: string, input: JsonText, time: Timestamp): EventRaised {
  return { EventType: 'EventRaised', EventId: -1, Timestamp: time, Name: name, Input: input };
}

const parsed = new WeakMap<EventSent, EntityRequest | EntityRelease>();

/** The content of the message that an event sent to an entity. */
export function sentTo(event: EventSent): EntityRequest | EntityRelease {
  let content = parsed.get(event);
  if (content === undefined) {
    content = JSON.parse(event.Input!) as EntityRequest | EntityRelease;
    parsed.set(event, content);
  }
  return content;
}

/** The id of the answer to an event; undefined if it has none. */
export function awaitedAnswer(event: EventSent): string | undefined {
  if (event.Name !== 'op') return undefined;
  const { id, signal } = sentTo(event) as EntityRequest;
  return signal === true ? undefined : id;
}

/** The messages that end the locks which an execution holds or waits for, when the execution ends. */
export function releaseLocks(
  instanceId: string,
  history: readonly HistoryEvent[],
  messageId: (target: string) => string,
  time: Timestamp,
): Outgoing[] {
  let lock: { id: string; waiting: EntityId[]; held: string[] } | undefined;
  for (const event of history) {
    if (event.EventType === 'EventSent') {
      const content = sentTo(event);
      if (event.Name === 'op' && content.lockset !== undefined)
        lock = { id: content.id, waiting: content.lockset, held: [] };
      else if (event.Name === 'release' && content.id === lock?.id)
        lock.held = lock.held.filter((target) => target !== event.InstanceId);
    } else if (event.EventType === 'EventRaised' && event.Name === lock?.id) {
      lock.held = lock.waiting.map(entityInstanceId);
      lock.waiting = [];
    }
  }
  if (lock === undefined) return [];
  const { id, waiting, held } = lock;
  const release = (to: string, of: EntityRelease): Outgoing => ({
    to,
    message: releaseMessage(messageId(to), of, time),
  });
  if (waiting.length > 0)
    return [release(entityInstanceId(waiting[0]!), { parent: instanceId, id, lockset: waiting })];
  return held.map((to) => release(to, { parent: instanceId, id }));
}

/**
 * Records in the history of an orchestration that has returned that it has released its locks, as the
 * extension does. It does not record the withdrawal of a request, which is the emulator's own.
 */
export function recordReleases(
  releases: readonly Outgoing[],
  completed: ExecutionCompleted,
  append: HistoryEvent[],
): void {
  for (const { to, message } of releases) {
    const { Name, Input } = message.event as EventRaised;
    if ((JSON.parse(Input!) as EntityRelease).lockset !== undefined) continue;
    append.splice(append.indexOf(completed), 0, {
      EventType: 'EventSent',
      EventId: completed.EventId++,
      Timestamp: completed.Timestamp,
      InstanceId: to,
      Name,
      Input,
    });
  }
}
