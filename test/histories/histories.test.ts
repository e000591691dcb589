/**
 * Instances that began under older code must continue under today's code: recorded histories are replayed on
 * it.
 */
import path from 'node:path';
import { expect, test } from 'vitest';
import { HistoryMismatchError } from '../../emulator/src/testing.js';
import { startApp, theAppAlone } from '../support/app.js';
import { readRecording, recordings } from './recordings.js';

const all = recordings();

test.for(all)('today’s code follows the history $name', async ({ history }) => {
  const { app } = await startApp({ app: theAppAlone });
  await expect(app.replay(history)).resolves.toBeUndefined();
});

test('every orchestrator of the app has a recorded history', async () => {
  const { app } = await startApp({ app: theAppAlone });
  const functions = (await (await app.get('/admin/functions')).json()) as {
    name: string;
    config: { bindings: { type: string }[] };
  }[];
  const orchestrators = functions
    .filter(({ config }) => config.bindings.some(({ type }) => type === 'orchestrationTrigger'))
    .map(({ name }) => name);
  const recorded = new Set(
    all.flatMap(({ history }) =>
      history.flatMap((event) => (event.EventType === 'ExecutionStarted' ? [event.Name] : [])),
    ),
  );
  expect(
    orchestrators.filter((name) => !recorded.has(name)),
    'add a scenario, and run npm run record-histories',
  ).toEqual([]);
});

test('a history that today’s code does not follow fails, and the error names the step', async () => {
  const { app } = await startApp({ app: theAppAlone });
  // The code that recorded it carried out the decision before it read the record.
  const history = readRecording(path.join(import.meta.dirname, 'broken/approval-approved.json'));
  const replayed = app.replay(history);
  await expect(replayed).rejects.toBeInstanceOf(HistoryMismatchError);
  await expect(replayed).rejects.toThrow(
    /does not follow the history of '.*'\. .*an activity task with sequence number 2 named 'Approval'.* an activity task .*named 'ReadStanding'/,
  );
});
