import { app } from '@azure/functions';
import * as df from 'durable-functions';

df.app.activity('sayHello', { handler: (name) => `Hello, ${name}!` });

df.app.orchestration('chain', function* (context) {
  const greetings = [];
  for (const name of ['Tokyo', 'Seattle', 'London'])
    greetings.push(yield context.df.callActivity('sayHello', name));
  return greetings;
});

df.app.orchestration('longChain', function* (context) {
  let greeting;
  for (let number = 0; number < context.df.getInput(); number++)
    greeting = yield context.df.callActivity('sayHello', number);
  return greeting;
});

df.app.orchestration('fanOut', function* (context) {
  const tasks = [];
  for (let number = 0; number < context.df.getInput(); number++)
    tasks.push(context.df.callActivity('sayHello', number));
  return (yield context.df.Task.all(tasks)).length;
});

/** Ten reminders in 45 days. */
df.app.orchestration('reminders', function* (context) {
  for (let number = 0; number < 10; number++) {
    yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 4.5 * 86_400_000));
    yield context.df.callActivity('sayHello', number);
  }
});

df.app.orchestration('waiter', function* (context) {
  return yield context.df.waitForExternalEvent('Go');
});

/** Waits until a time, in milliseconds since the epoch. */
df.app.orchestration('sleeper', function* (context) {
  yield context.df.createTimer(new Date(context.df.getInput()));
});

app.http('start', {
  route: 'orchestrators/{name}',
  methods: ['POST'],
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const client = df.getClient(context);
    const text = await request.text();
    const id = await client.startNew(request.params.name, text === '' ? {} : { input: JSON.parse(text) });
    return client.createCheckStatusResponse(request, id);
  },
});

df.app.entity('counter', (context) => {
  const { df: entity } = context;
  const value = entity.getState(() => 0) + (entity.getInput() ?? 0);
  entity.setState(value);
  entity.return(value);
});

/** Requests a URL, and then takes a tenth of a second. */
df.app.activity('call', {
  handler: async (url) => {
    await (await fetch(url, { method: 'POST' })).arrayBuffer();
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  },
});

/** Calls its URL when it has begun, and when it has done two steps. */
df.app.orchestration('reporter', function* (context) {
  const url = context.df.getInput();
  yield context.df.callActivity('call', `${url}/begun/${context.df.instanceId}`);
  yield context.df.callActivity('sayHello', 'Tokyo');
  yield context.df.callActivity('call', `${url}/done/${context.df.instanceId}`);
});

/** Calls so many entities at once. */
df.app.orchestration('callAll', function* (context) {
  const calls = Array.from({ length: context.df.getInput() }, (_, number) =>
    context.df.callEntity(new df.EntityId('counter', `a${number}`), 'add', 1),
  );
  return (yield context.df.Task.all(calls)).length;
});

/** Signals or calls entities, in turn, so many times. */
df.app.orchestration('entities', function* (context) {
  const { times, entities, call } = context.df.getInput();
  for (let number = 0; number < times; number++) {
    const id = new df.EntityId('counter', `c${number % entities}`);
    if (call) yield context.df.callEntity(id, 'add', 1);
    else context.df.signalEntity(id, 'add', 1);
  }
});
