/** Restate: its server from npm, and a service in this process. */
import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as restate from '@restatedev/restate-sdk';

const hello = (name) => `Hello, ${name}!`;
const days = (count) => ({ days: count });

const service = restate.service({
  name: 'bench',
  handlers: {
    chain: async (context) => {
      for (const city of ['Tokyo', 'Seattle', 'London']) await context.run(city, () => hello(city));
    },
    fanOut: async (context, width) => {
      await restate.RestatePromise.all(
        Array.from({ length: width }, (_, number) => context.run(`hello ${number}`, () => hello(number))),
      );
    },
    steps: async (context, count) => {
      for (let number = 0; number < count; number++)
        await context.run(`hello ${number}`, () => hello(number));
    },
    report: async (context, url) => {
      const call = async (phase) => {
        await (await fetch(`${url}/${phase}/${context.request().id}`, { method: 'POST' })).arrayBuffer();
        await sleep(100);
      };
      await context.run('begun', () => call('begun'));
      await context.run('hello', () => hello('Tokyo'));
      await context.run('done', () => call('done'));
    },
    wait: async (context) => {
      await context.sleep(days(1));
    },
  },
});

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export async function start() {
  const [ingress, admin, node, own] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  // The program itself: the package's script would be one more process.
  const program = createRequire(import.meta.url).resolve(
    `@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`,
  );
  const base = await mkdtemp(path.resolve('restate-'));
  const run = () =>
    spawn(program, [], {
      env: {
        ...process.env,
        DO_NOT_TRACK: '1',
        RESTATE_BASE_DIR: base,
        RESTATE_LISTEN_MODE: 'tcp',
        RESTATE_BIND_IP: '127.0.0.1',
        RESTATE_BIND_PORT: String(node),
        RESTATE_INGRESS__BIND_PORT: String(ingress),
        RESTATE_ADMIN__BIND_PORT: String(admin),
        RESTATE_DISABLE_TELEMETRY: 'true',
      },
      stdio: 'ignore',
    });
  let server = run();
  process.once('exit', () => server.kill());
  await restate.serve({ services: [service], port: own });
  for (;;) {
    if (server.exitCode !== null) throw new Error('The server of Restate ended.');
    const answer = await fetch(`http://127.0.0.1:${admin}/deployments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ uri: `http://127.0.0.1:${own}` }),
    }).catch(() => undefined);
    if (answer?.ok === true) break;
    await sleep(200);
  }
  const call = async (handler, input) => {
    const answer = await fetch(`http://127.0.0.1:${ingress}/bench/${handler}`, {
      method: 'POST',
      ...(input !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(input),
      }),
    });
    if (!answer.ok) throw new Error(`Restate answered ${answer.status}: ${await answer.text()}`);
    await answer.arrayBuffer();
  };
  return {
    chain: () => call('chain'),
    fanOut: (width) => call('fanOut', width),
    steps: (count) => call('steps', count),
    waiting: async (count) => {
      for (let left = count; left > 0; left -= 100)
        await Promise.all(Array.from({ length: Math.min(100, left) }, () => call('wait/send')));
    },
    report: async (count, url) => {
      await Promise.all(Array.from({ length: count }, () => call('report/send', url)));
    },
    // The service stays: it runs in this process.
    restart: async () => {
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
      server = run();
    },
    stop: async () => {
      const ended = once(server, 'exit');
      server.kill();
      await ended;
    },
  };
}
