/** A history as the files of a regression test. */
import type { HistoryEvent } from '../durable/history.js';
import type { InstanceRecord } from '../durable/task-hub.js';

/** The name of a file for an instance, without its ending: letters, digits, `-` and `_`. */
export function fileName(instanceId: string): string {
  return instanceId.replaceAll(/[^\w-]+/g, '-').slice(0, 80);
}

/** The fixture that `TestApp.replay` takes: an array, an event a line. */
export function fixtureText(history: readonly HistoryEvent[]): string {
  return `[\n${history.map((event) => `  ${JSON.stringify(event)}`).join(',\n')}\n]\n`;
}

/** A test that replays the fixture on the app's code of that day. */
export function testText({ instanceId, name, runtimeStatus, lastUpdatedTime }: InstanceRecord): string {
  return `import { readFile } from 'node:fs/promises';
import { test } from 'vitest';
import { TestApp } from 'durable-functions-emulator/testing';

// The history of ${oneLine(instanceId)}, which was ${runtimeStatus} on ${lastUpdatedTime.slice(0, 10)}. \`directory\` is the folder of host.json.
test(${JSON.stringify(`${name} follows the history of ${instanceId}`)}, async () => {
  await using app = await TestApp.start({ directory: '.' });
  const history = await readFile(new URL('./${fileName(instanceId)}.json', import.meta.url), 'utf8');
  await app.replay(JSON.parse(history));
});
`;
}

function oneLine(text: string): string {
  return JSON.stringify(text);
}
