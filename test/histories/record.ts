/** `npm run record-histories`. Not a test: only that command runs it. */
import { expect, test } from 'vitest';
import { startApp, theAppAlone } from '../support/app.js';
import { keep } from './recordings.js';
import { scenarios, versions } from './scenarios.js';

test.for(Object.entries(scenarios))('%s', async ([scenario, live]) => {
  const version = versions[scenario];
  const { app, storage } = await startApp({
    app: theAppAlone,
    time: '2030-01-01T00:00:00Z',
    dispatchQueue: true,
    dispatchPoison: true,
    ...(version !== undefined && {
      settings: { AzureFunctionsJobHost__extensions__durableTask__defaultVersion: version },
    }),
  });
  await live(app, storage);
  // An entity is an instance without an orchestrator.
  const instances = (await app.instances()).filter(({ instanceId }) => !instanceId.startsWith('@'));
  expect(instances).not.toEqual([]);
  const seen = new Map<string, number>();
  for (const { name, instanceId } of instances) {
    const number = (seen.get(name) ?? 0) + 1;
    seen.set(name, number);
    const recording = `${scenario}/${name}${number === 1 ? '' : `-${number}`}`;
    const isNew = keep({ name: recording, history: [...(await app.history(instanceId))] });
    process.stdout.write(
      isNew
        ? `${recording}: recorded\n`
        : `${recording}: kept as it was. To record it again, delete the file first; do so only when no instance like it runs any more.\n`,
    );
  }
});
