/** The worker with the real @azure/functions: an app is loaded once, and each invocation has its hooks. */
import type {
  InvocationContext,
  LogHookContext,
  PostInvocationContext,
  PreInvocationContext,
} from '@azure/functions';
import { app } from '@azure/functions';
import * as df from 'durable-functions';
import { beforeEach, describe, expect, test } from 'vitest';
import { WallClock } from '../src/durable/clock.js';
import { Executor } from '../src/executor.js';
import { AppLoadError, loadApp, terminateApp } from '../src/worker/app-loader.js';
import type { InvocationOutcome } from '../src/worker/types.js';
import type { WorkerOptions } from '../src/worker/worker.js';
import { FunctionsWorker } from '../src/worker/worker.js';

/** The calls of the hooks and functions, in order. */
const seen: unknown[] = [];
/** The hooks of the running test; by default they do nothing. */
let hooks: {
  before?: (context: PreInvocationContext) => void;
  after?: (context: PostInvocationContext) => void;
  log?: (context: LogHookContext) => void;
} = {};
let twice: unknown;

/** The app under test. This process has no other registrations. */
async function load(): Promise<void> {
  app.hook.appStart((context) => {
    context.hookData['started'] = true;
  });
  app.hook.appTerminate((context) => {
    seen.push(['appTerminate', context.hookData['started']]);
  });
  app.hook.preInvocation((context) => {
    hooks.before?.(context);
    seen.push(['pre', context.invocationContext.functionName]);
  });
  app.hook.postInvocation((context) => {
    hooks.after?.(context);
    seen.push(['post', context.result, context.error]);
  });
  app.hook.log((context) => {
    hooks.log?.(context);
    seen.push(['log', context.category, context.invocationContext?.functionName]);
  });
  df.app.activity('Echo', {
    handler: (input: unknown, context: InvocationContext) => {
      context.warn('echoing', input);
      return input;
    },
  });
  df.app.activity('Fail', {
    handler: () => {
      throw new RangeError('too far');
    },
  });
  df.app.activity('FailOddly', {
    handler: () => {
      // oxlint-disable-next-line typescript/only-throw-error -- an app may do so
      throw 'a text';
    },
  });
  df.app.activity('FailSilently', {
    handler: () => {
      // oxlint-disable-next-line typescript/only-throw-error -- an app may do so
      throw undefined;
    },
  });
  df.app.activity('Speak', {
    handler: (_input: unknown, context: InvocationContext) => {
      for (const [index, say] of (['trace', 'debug', 'info', 'log', 'warn', 'error'] as const).entries())
        context[say]('said', index);
      return null;
    },
  });
  try {
    df.app.activity('echo', { handler: () => null });
    df.app.activity('Echo', { handler: () => null });
  } catch (error) {
    twice = error;
  }
}

const registrations = await loadApp({ app: load });
/** The registered hooks. Most tests run without them. */
const registered = new Map(registrations.hooks);
const logged: string[] = [];

function worker(options: Partial<WorkerOptions> = {}): FunctionsWorker {
  return new FunctionsWorker({
    registrations,
    log: (level, category, message) => {
      logged.push(`${level} ${category} ${message}`);
    },
    ...options,
  });
}

async function invoke(
  name: string,
  input: unknown,
  options: Partial<WorkerOptions> = {},
  extra: { triggerValue?: unknown } = {},
): Promise<InvocationOutcome> {
  const runner = worker(options);
  const { trigger } = runner.functions.get(name)!;
  return runner.invoke({
    functionName: name,
    inputData: { [trigger.name]: { string: JSON.stringify(input) } },
    ...extra,
  });
}

beforeEach(() => {
  hooks = {};
  seen.length = 0;
  logged.length = 0;
  for (const name of ['preInvocation', 'postInvocation', 'log'] as const) registrations.hooks.delete(name);
});

describe('an app', () => {
  test('is loaded once', async () => {
    expect(await loadApp({ app: load })).toBe(registrations);
  });

  test('is the only one of its process', async () => {
    await expect(loadApp({ directory: 'somewhere else' })).rejects.toThrow(AppLoadError);
    await expect(loadApp({ directory: 'somewhere else' })).rejects.toThrow(
      'This process has loaded another app already',
    );
  });

  test('cannot register a function twice, or later', () => {
    expect(twice).toMatchObject({
      message: 'A function with id "Echo" has already been registered.',
      isAzureFunctionsSystemError: true,
    });
    expect(() => {
      df.app.activity('Late', { handler: () => null });
    }).toThrow('A function can only be registered during app startup.');
  });

  test('shares data between its appStart and appTerminate hooks', async () => {
    await terminateApp(registrations);
    expect(seen).toEqual([['appTerminate', true]]);
  });

  test('gets an error for an unknown hook', () => {
    const core = process.getBuiltinModule('node:module').createRequire(import.meta.url)(
      '@azure/functions-core',
    ) as { registerHook(name: string, hook: () => void): unknown };
    expect(() => core.registerHook('noSuchHook', () => {})).toThrow('Unrecognized hook "noSuchHook"');
  });
});

test('a function is found by its name in any case', () => {
  expect(worker().find('FAIL')).toMatchObject({
    name: 'Fail',
    trigger: { type: 'activityTrigger', direction: 'in' },
  });
  expect(worker().find('nope')).toBeUndefined();
});

test('the result of a function comes back converted, and as the object itself', async () => {
  expect(await invoke('Echo', { a: [1] })).toMatchObject({
    ok: true,
    result: { a: [1] },
    returnValue: { json: '{"a":[1]}' },
    outputData: {},
  });
  expect(await invoke('Echo', 'text')).toMatchObject({ returnValue: { string: 'text' } });
  expect(await invoke('Echo', 5)).toMatchObject({ returnValue: { int: 5 } });
});

test('a function can get a value in place of the decoded input, without a copy', async () => {
  const value = { large: true };
  const outcome = await invoke('Echo', null, {}, { triggerValue: value });
  expect(outcome.ok && outcome.result).toBe(value);
});

test('a log record of a function has its name', async () => {
  await invoke('Echo', 7);
  expect(logged).toContain('warning Function.Echo.User echoing 7');
});

test('each method of logging has its level', async () => {
  await invoke('Speak', null);
  expect(logged).toEqual(
    ['trace', 'debug', 'information', 'information', 'warning', 'error'].map(
      (level, index) => `${level} Function.Speak.User said ${index}`,
    ),
  );
});

test('the error of a function comes back unchanged', async () => {
  const outcome = await invoke('Fail', null);
  expect(outcome).toMatchObject({
    ok: false,
    error: new RangeError('too far'),
    message: 'too far',
    stackTrace: expect.stringMatching(/^RangeError: too far\n\s+at /) as unknown,
  });
  expect(await invoke('FailOddly', null)).toMatchObject({
    ok: false,
    error: 'a text',
    message: 'a text',
    stackTrace: expect.stringMatching(/^Error: a text\n\s+at /) as unknown,
  });
});

test('a function that throws undefined succeeds without a result, as on the real worker', async () => {
  expect(await invoke('FailSilently', null)).toMatchObject({ ok: true, result: null });
});

test('an environment can run each invocation in its own surroundings, and replace a function', async () => {
  const around: string[] = [];
  const functions = worker({
    replace: (name) => (name === 'Echo' ? (input) => [input, 'replaced'] : undefined),
  });
  const executor = new Executor({
    worker: functions,
    functions: [...functions.functions.values()],
    log: () => {},
    clock: new WallClock(),
    functionTimeout: Infinity,
    input: () => ({}),
    output: async () => {},
    around: async ({ functionName: name }, run) => {
      around.push(`before ${name}`);
      const result = await run();
      around.push(`after ${name}`);
      return result;
    },
  });
  const { trigger } = executor.functions.get('Echo')!;
  const outcome = await executor.invoke({
    functionName: 'Echo',
    inputData: { [trigger.name]: { string: '1' } },
  });
  expect(around).toEqual(['before Echo', 'after Echo']);
  expect(outcome).toMatchObject({ result: [1, 'replaced'] });
});

describe('hooks', () => {
  beforeEach(() => {
    for (const [name, some] of registered) registrations.hooks.set(name, some);
  });

  test('run before and after an invocation, in order, and share data', async () => {
    hooks.before = ({ hookData }) => {
      hookData['from'] = 'pre';
    };
    hooks.after = ({ hookData }) => {
      seen.push(hookData['from']);
    };
    await invoke('Echo', 1);
    expect(seen).toEqual([['pre', 'Echo'], ['log', 'user', 'Echo'], 'pre', ['post', 1, null]]);
  });

  test('may replace the inputs and the function', async () => {
    hooks.before = (context) => {
      context.inputs = ['other'];
      context.functionHandler = (input: unknown) => `${String(input)} function`;
    };
    expect(await invoke('Echo', 1)).toMatchObject({ result: 'other function' });
  });

  test('may replace the result, drop an error, or add one', async () => {
    hooks.after = (context) => {
      context.result = 'exchanged';
    };
    expect(await invoke('Echo', 1)).toMatchObject({ ok: true, returnValue: { string: 'exchanged' } });
    hooks.after = (context) => {
      context.error = null;
    };
    expect(await invoke('Fail', 1)).toMatchObject({ ok: true, returnValue: null });
    hooks.after = (context) => {
      context.error = new Error('made by a hook');
    };
    expect(await invoke('Echo', 1)).toMatchObject({ ok: false, message: 'made by a hook' });
  });

  test('fail the invocation when they throw before it', async () => {
    hooks.before = () => {
      throw new Error('not today');
    };
    expect(await invoke('Echo', 1)).toMatchObject({ ok: false, message: 'not today' });
    expect(seen).toEqual([]);
  });

  test('may change log records', async () => {
    hooks.log = (context) => {
      context.message = context.message.toUpperCase();
      context.level = 'error';
    };
    await invoke('Echo', 1);
    expect(logged).toContain('error Function.Echo.User ECHOING 1');
  });
});
