/** Diagnostics that production does not give: why an instance will hang. */
import { isOneWay, LONGEST_TIMER, nameOf, retryOf, type IdAction } from './actions.js';
import { parseEntityId } from '../entities/entity-messages.js';
import type { EpisodeInput } from './episode.js';

const HANGS = 'the instance will wait for it for ever.';

/**
 * Why the extension refuses an action; undefined if it does not. It throws in a task that no code awaits:
 * nothing is scheduled, no task id is used, and the SDK waits for ever.
 */
export function refusal(action: IdAction, input: EpisodeInput): string | undefined {
  const retry = retryOf(action);
  if (retry !== undefined && Math.max(retry.firstRetryInterval, retry.maxRetryInterval) > LONGEST_TIMER) {
    return `'${nameOf(action)}' is called with a retry interval of more than six days. The host accepts no longer one, and logs nothing: ${HANGS}`;
  }
  if (retry !== undefined && retry.maxNumberOfAttempts < 1)
    return `'${nameOf(action)}' is called with retry options that allow no attempt at all: ${HANGS}`;
  switch (action.kind) {
    case 'activity':
      return input.knowsActivity(action.name)
        ? undefined
        : `The orchestrator calls an activity named '${action.name}', and ${absence(action.name, input)}: ${HANGS}`;
    case 'subOrchestration':
      if (!input.knowsOrchestrator(action.name))
        return `The orchestrator calls a sub-orchestrator named '${action.name}', and ${absence(action.name, input)}: ${HANGS}`;
      return action.instanceId === undefined ? undefined : refusalOfId(action.name, action.instanceId, input);
    case 'operation':
    case 'lock': {
      // For a signal, its error fails the orchestration.
      if (isOneWay(action)) return undefined;
      const entities = action.kind === 'lock' ? action.entities : [parseEntityId(action.target)];
      const missing = entities.find(({ name }) => input.missingEntity(name) !== undefined)?.name;
      if (missing === undefined) return undefined;
      const setting = input.disabledBy(missing);
      return `${input.missingEntity(missing)}${setting === undefined ? '' : ` The setting ${setting} disables it.`} The orchestrator calls it all the same: ${HANGS}`;
    }
    default:
      return undefined;
  }
}

/** Why a function cannot be called, as the end of a sentence. */
function absence(name: string, input: EpisodeInput): string {
  const setting = input.disabledBy(name);
  return setting === undefined ? 'there is none' : `the setting ${setting} disables it`;
}

function refusalOfId(
  name: string,
  id: string,
  { instanceId, parentInstanceId }: EpisodeInput,
): string | undefined {
  const call = `The orchestrator calls the sub-orchestrator '${name}' with the id '${id}'`;
  if (id.startsWith('@')) return `${call}. Ids that begin with @ are those of entities: ${HANGS}`;
  if ([instanceId, parentInstanceId].some((other) => other?.toLowerCase() === id.toLowerCase()))
    return `${call}, which is its own or its parent's: ${HANGS}`;
  return undefined;
}
