/**
 * The calls of an app that does odd things on purpose, as a real host with the extension 3.19.0 answered
 * them: what activities and orchestrators may return and throw, and what the management API says to bad
 * requests. They are compared except for ids, times, addresses, keys and stack traces.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAnswer } from '../src/durable/protocol/sdk-actions.js';
import { TestApp } from '../src/testing.js';
import { comparable } from './support/comparable.js';

interface Answered {
  status: number;
  json: unknown;
}

const fixtures = path.join(import.meta.dirname, 'fixtures');
const answers = JSON.parse(readFileSync(path.join(fixtures, 'probed/answers.json'), 'utf8')) as Record<
  string,
  Answered & { json: { name: string; input: unknown; instanceId: string } }
>;
const RUNTIME = '/runtime/webhooks/durabletask';

const lines: string[] = [];
let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({
    directory: path.join(fixtures, 'probe-app'),
    // As in production.
    strict: false,
    verifyReplay: false,
    log: (level, _category, message) => {
      if (level === 'error' || level === 'warning') lines.push(message);
    },
  });
});
afterAll(() => app.stop());

async function answered(response: Promise<Response>): Promise<Answered> {
  const { status, body, ...rest } = await response.then(async (got) => ({
    status: got.status,
    body: await got.text(),
  }));
  return { ...rest, status, json: body === '' ? undefined : (JSON.parse(body) as unknown) };
}

async function statusOf(id: string): Promise<Answered> {
  return answered(
    app.get(`${RUNTIME}/instances/${id}?showHistory=true&showHistoryOutput=true&showInput=true`),
  );
}

/** Starts the orchestrator of a recorded status, and lets it run. */
async function repeat(name: string, input: unknown): Promise<Answered> {
  const { json } = answers[name]!;
  await app.start(json.name, input, json.instanceId);
  await app.skip({ seconds: 20 });
  return statusOf(json.instanceId);
}

function asRecorded(name: string): unknown {
  return comparable(answers[name]);
}

const names = (group: string): string[] =>
  Object.keys(answers).flatMap((name) => (name.startsWith(`${group}.`) ? [name] : []));

describe('An orchestration ends as on a real host', () => {
  test.for([
    ...names('activity-returns'),
    ...names('activity-throws'),
    ...names('activity-throws-uncaught'),
    ...names('activity-info'),
    ...names('orch-returns'),
    ...names('orch-throws'),
    'timers.invalid',
    'http.badMethod',
    'locks.basic',
    'locks.leak-end',
  ])('%s', async (name) => {
    expect(comparable(await repeat(name, answers[name]!.json.input))).toEqual(asRecorded(name));
  });

  test('locks.leak-can', async () => {
    // The status has the input of the last execution, here and below.
    const input = { key: 'lk5-can', how: 'can' };
    expect(comparable(await repeat('locks.leak-can', input))).toEqual(asRecorded('locks.leak-can'));
  });

  test.for(names('can'))('%s', async (name) => {
    const key = name.slice('can.'.length);
    expect(comparable(await repeat(name, key.startsWith('can') ? undefined : { first: key }))).toEqual(
      asRecorded(name),
    );
  });

  test('sub-terminated: a parent whose child was terminated', async () => {
    await app.start('subTerm', undefined, 'st');
    await app.quiet();
    await app.terminate('st-child', 'child ends');
    expect(comparable(await statusOf('st'))).toEqual(asRecorded('sub-terminated.parent'));
  });

  test('parent-terminated: a child goes on after its parent', async () => {
    await app.start('subTerm', undefined, 'pt');
    await app.quiet();
    await app.terminate('pt', 'parent ends');
    await app.raise('pt-child', 'Ev', 1);
    expect(comparable(await statusOf('pt-child'))).toEqual(asRecorded('parent-terminated.child'));
  });
});

describe('An orchestration that uses odd values ends as on a real host', () => {
  test('activities get what JSON makes of an object; a text that it becomes is not encoded', async () => {
    const id = await app.start('typedInputs');
    expect((await app.finished(id)).output).toEqual({
      date: ['1970-01-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z'],
      url: ['http://x/y', 'http://x/y'],
      text: ['x', '"x"'],
      true: ['True', true],
      type: [{ a: { $type: 'y' } }, { a: { $type: 'y' } }],
    });
    const { historyEvents } = (await statusOf(id)).json as { historyEvents: { Input?: string }[] };
    expect(historyEvents.flatMap(({ Input }) => Input ?? []).slice(1)).toEqual([
      '["1970-01-01T00:00:00.000Z"]',
      '["http://x/y"]',
      '["\\"x\\""]',
      '[true]',
      '[{"a":{"$type":"y"}}]',
    ]);
  });

  test.each(['0000-01-01T00:00:00.000Z', '+010000-01-01T00:00:00.000Z'])('a timer for %s', async (time) => {
    const { output } = await app.finished(await app.start('yearTimer', time));
    expect(output).toBe(
      `Orchestrator function 'yearTimer' failed: Could not convert string to DateTime: ${time}. Path 'actions[0][0].fireAt'.`,
    );
  });

  test('a child that throws no error: its parent gets the details of the framework', async () => {
    const { output } = await app.finished(await app.start('subThrows', 'str'));
    const text = 'Non-Deterministic workflow detected: A previous execution of this orchestration scheduled';
    expect(output).toMatch(
      new RegExp(
        `^Orchestrator function 'subThrows' failed: ${text} .*\n ` +
          `Unhandled exception while executing orchestration: DurableTask\\.Core\\.Exceptions\\.NonDeterministicOrchestrationException: ${text} `,
      ),
    );
  });
});

test('a timer without a time ends the orchestration, also when its state comes as JSON from another process', () => {
  const result: unknown = { isDone: false, actions: [[{ actionType: 5, fireAt: null }]] };
  expect(readAnswer({ ok: true, result, returnValue: undefined, outputData: {} })).toMatchObject({
    unreadable: "Error converting value {null} to type 'System.DateTime'. Path 'actions[0][0].fireAt'.",
  });
});

test('a history in which the host has released the locks is followed by the code that returned with them', async () => {
  const shown = (await statusOf('lk5-end')).json as { historyEvents: { Name?: string }[] };
  const older = {
    ...shown,
    historyEvents: shown.historyEvents.filter(({ Name }) => Name !== 'release'),
  };
  for (const history of [await app.history('lk5-end'), shown, older])
    await expect(app.replay(history as Parameters<TestApp['replay']>[0])).resolves.toBeUndefined();
});

describe('The management API answers as a real host', () => {
  test.for([
    ['webhook-start.bad', `${RUNTIME}/orchestrators/childEcho/wh3`, '{'],
    ['raise.badJson', `${RUNTIME}/instances/open/raiseEvent/E`, '{'],
    ['restart.unknown', `${RUNTIME}/instances/rs-none/restart`, ''],
  ] as const)('%s', async ([name, url, body]) => {
    await app.start('waiter', undefined, 'open').catch(() => {});
    const got = await answered(app.post(url, body, { 'content-type': 'application/json' }));
    expect(comparable({ ...got, json: { ...(got.json as object), StackTrace: '' } })).toEqual(
      comparable({ ...answers[name], json: { ...answers[name]!.json, StackTrace: '' } }),
    );
  });

  test.for([
    ['events.plus', 'plus+', 'plus '],
    ['events.percent', 'a%41', 'aA'],
  ] as const)('%s: paths are decoded twice, and the log says so', async ([name, event, read]) => {
    const { instanceId } = answers[name]!.json;
    await app.start('eventNamed', event, instanceId);
    await app.quiet();
    lines.splice(0);
    const url = `${RUNTIME}/instances/${instanceId}/raiseEvent/${encodeURIComponent(event)}`;
    expect((await app.post(url, '"got"', { 'content-type': 'application/json' })).status).toBe(202);
    await app.quiet();
    expect(comparable(await statusOf(instanceId))).toEqual(asRecorded(name));
    expect(lines).toEqual([expect.stringContaining(`/raiseEvent/${read}: the host decodes`)]);
  });

  test('A form starts an instance, and its text is the input', async () => {
    const url = `${RUNTIME}/orchestrators/childEcho/form`;
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await app.request('POST', url, { body: 'a=b', headers: form })).status).toBe(202);
    expect(await app.finished('form')).toMatchObject({ output: 'a=b' });
  });

  test('a continuation token that is none leads to an empty page', async () => {
    const token = { 'x-ms-continuation-token': 'garbage' };
    const page = await app.get(`${RUNTIME}/instances?top=4`, token);
    expect([page.status, await page.json()]).toEqual([200, []]);
  });
});

test('an entity without a state does not exist', async () => {
  for (const [key, operation] of [
    ['read', 'get'],
    ['unset', 'setUndef'],
    ['gone', 'add'],
  ] as const)
    await app.signal({ name: 'counter', key }, operation, 1);
  await app.signal({ name: 'counter', key: 'gone' }, 'del');
  await app.signal({ name: 'counter', key: 'null' }, 'setNull');
  for (const [key, expected] of [
    ['read', 404],
    ['unset', 404],
    ['gone', 404],
    ['null', 200],
  ] as const)
    expect([key, (await app.get(`${RUNTIME}/entities/counter/${key}`)).status]).toEqual([key, expected]);
  expect(await app.entity({ name: 'counter', key: 'unset' })).toBeUndefined();
  const listed = async (query: string): Promise<string[]> => {
    const page = await app.get(`${RUNTIME}/entities/counter${query}`);
    const list = (await page.json()) as { entityId: { key: string } }[];
    return list.map(({ entityId }) => entityId.key).filter((key) => !key.startsWith('lk'));
  };
  expect(await listed('?fetchState=true')).toEqual(['null']);
  // Without states, the list has every entity that was called and is not deleted; `return` undoes a deletion.
  expect(await listed('')).toEqual(['gone', 'null', 'read', 'unset']);
});
