import {
  entityInstanceId,
  parseEntityId,
  releaseMessage,
  releaseText,
  requestMessage,
  requestText,
  sentTo,
  type EntityRequest,
} from '../entities/entity-messages.js';
import { label } from '../entities/message-labels.js';
import { derivedGuid } from '../derived-guid.js';
import { timestamp, type EventSent, type HistoryEvent } from '../history.js';
import type { Message } from '../task-hub.js';
import { OrchestratorError, type Action } from './actions.js';
import type { EpisodeInput, EpisodeResult } from './episode.js';
import type { TaskIds } from './task-ids.js';

/** Makes the orchestrator's message to an entity, with the framework's labels. */
export function sendToEntity(
  action: Extract<Action, { kind: 'operation' | 'lock' | 'release' }>,
  id: number,
  { slots, now }: TaskIds,
  { instanceId, executionId, history, missingEntity }: EpisodeInput,
  time: string,
  result: EpisodeResult,
): void {
  const messageId = derivedGuid(executionId, id);
  const sent = (InstanceId: string, Name: string, Input: string, message: Message): void => {
    result.append.push({ EventType: 'EventSent', EventId: id, Timestamp: time, InstanceId, Name, Input });
    result.outgoing.push({ to: InstanceId, message });
  };
  if (action.kind === 'release') {
    const lock = slots.findLast((slot) => slot.id < id && slot.action.kind === 'lock')!;
    const release = { parent: instanceId, id: derivedGuid(executionId, lock.id) };
    sent(action.target, 'release', releaseText(release), releaseMessage(messageId, release, time));
    return;
  }
  const targets = action.kind === 'lock' ? action.entities : [parseEntityId(action.target)];
  const missing = targets.map(({ name }) => missingEntity(name)).find((text) => text !== undefined);
  // Only signals get here. A call of a missing entity was refused before.
  if (missing !== undefined) throw new OrchestratorError(missing);
  const target = entityInstanceId(targets[0]!);
  const isBefore = (event: HistoryEvent): event is EventSent =>
    event.EventType === 'EventSent' && event.InstanceId === target && event.Name === 'op';
  const last = result.append.findLast(isBefore) ?? history.findLast(isBefore);
  const request: EntityRequest = {
    op: action.kind === 'lock' ? null : action.name,
    ...(action.kind === 'operation' && {
      ...(action.signal && { signal: true }),
      ...(action.input !== null && { input: action.input }),
    }),
    id: messageId,
    parent: instanceId,
    parentExecution: executionId,
    ...label(timestamp(now), last && (sentTo(last) as EntityRequest).Timestamp),
    ...(action.kind === 'lock' ? { lockset: action.entities } : { requestTime: time.replace('Z', '+00:00') }),
  };
  sent(target, 'op', requestText(request), requestMessage(request, time));
}
