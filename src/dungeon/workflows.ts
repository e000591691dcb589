import { OrchestrationRuntimeStatus, type DurableClient } from 'durable-functions';
import moment from 'moment';
import {
  ensureRunning,
  find,
  isFinished,
  raise,
  type ExternalEvent,
  type Orchestrator,
} from '../durable/index.js';
import { approvalTask, gotTreasure } from './events.js';
import type { Game, Workflow } from './model.js';
import { instanceIdOf, LOOK_FOR, LOOKS_PER_EXECUTION } from './rules.js';
import { neededWorkflows } from './supervision-rules.js';

/** Makes sure that the workflows run that a game needs. */
export async function ensureWorkflows(client: DurableClient, game: Game): Promise<void> {
  for (const workflow of neededWorkflows(game)) {
    await ensureWorkflow(client, game, workflow);
  }
}

/** Starts the workflows of a game whose claim was made just now: nobody can have started them. */
export async function startWorkflows(client: DurableClient, game: Game): Promise<void> {
  for (const workflow of neededWorkflows(game)) {
    await run(client, game, workflow, { isNew: true });
  }
}

/**
 * Makes sure that a workflow of a game runs if the game needs it, and that it reads the record.
 *
 * @param wake the event by which the monitor of the game is woken
 */
export async function ensureWorkflow(
  client: DurableClient,
  game: Game,
  workflow: Workflow,
  wake: ExternalEvent<null> = gotTreasure,
): Promise<void> {
  if (!neededWorkflows(game).includes(workflow)) {
    return;
  }
  if (workflow === 'UserConfirmationWorkflow') {
    await wakeConfirmation(client, game);
  } else {
    await run(client, game, workflow, workflow === 'GameMonitorWorkflow' ? { wake } : {});
  }
}

/** Wakes the workflow that waits for a confirmation. If it has failed or was terminated, the next step is taken without it. */
export async function wakeConfirmation(client: DurableClient, game: Game): Promise<void> {
  const instanceId = instanceIdOf('UserConfirmationWorkflow', game);
  const status = await find(client, instanceId);
  if (status !== undefined && !isFinished(status)) {
    await raise(client, instanceId, approvalTask, true);
  } else if (!game.confirmed) {
    await run(client, game, 'UserConfirmationWorkflow');
  } else if (status?.runtimeStatus !== OrchestrationRuntimeStatus.Completed) {
    await run(client, game, 'RunUserSequentialWorkflow');
  }
}

async function run(
  client: DurableClient,
  game: Game,
  workflow: Workflow,
  how: { wake?: ExternalEvent<null>; isNew?: boolean } = {},
): Promise<void> {
  await ensureRunning(client, named(workflow), {
    instanceId: instanceIdOf(workflow, game),
    input: inputOf(workflow, game),
    ...how,
  });
}

/** The input of a workflow. A monitor of a user that is started again ends when the first would have. */
function inputOf(workflow: Workflow, { name, claim, claimedAt }: Game): object {
  return workflow === 'UserMonitorWorkflow'
    ? {
        name,
        claim,
        until: moment.utc(claimedAt).add(LOOK_FOR).toISOString(),
        looks: LOOKS_PER_EXECUTION,
      }
    : { name, claim };
}

/** A workflow by its name alone: the activities that start workflows are imported by the orchestrators. */
function named(workflow: Workflow): Orchestrator<object, unknown> {
  return { orchestratorName: workflow } as Orchestrator<object, unknown>;
}
