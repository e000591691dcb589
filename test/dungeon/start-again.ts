/** Beside the app, an orchestrator that runs the activity `StartNewWorkflow` as a host does that was killed before it could note its end. */
import { startNewWorkflow } from '../../src/dungeon/activities.js';
import type { GameKey, Workflow } from '../../src/dungeon/model.js';
import { orchestrator } from '../../src/durable/index.js';

orchestrator('StartAgain', function* (context, input: GameKey & { workflow: Workflow }) {
  return yield* startNewWorkflow(context, input);
});
