import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where {@link account} asks; provided by `azurite.global-setup.ts`. */
    azurite: string;
  }
}

/** A running Azurite that keeps everything in memory. */
export interface Azurite {
  /** The connection string of a storage account that nobody was given before. */
  account(): string;
  stop(): Promise<void>;
}

/** As many as fit, at ten characters each, in what Windows allows an environment variable. */
const ACCOUNTS = 3000;
/** Every account's key: a test must be able to use one, and nobody is kept out by it. */
const KEY = 'dGVzdA==';
const SERVICES = ['Blob', 'Queue', 'Table'] as const;

/** Ends an Azurite whose parent was killed, since it would otherwise serve for ever. */
const END_WITH_PARENT = 'data:text/javascript,process.on("disconnect",()=>process.exit())';

/** Gives Azurite the indices that it lacks. */
const INDEX = new URL('../../../tools/azurite-index/preload.ts', import.meta.url).href;

/**
 * Starts an Azurite of its own, on free ports. Tests want {@link account} instead; this is for what measures
 * storage, or has to stop it.
 */
export async function startAzurite(): Promise<Azurite> {
  const names = Array.from({ length: ACCOUNTS }, (_, index) => `a${index.toString(36).padStart(3, '0')}`);
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/azurite.js');
  const child = fork(
    program,
    [
      '--silent',
      '--skipApiVersionCheck',
      '--disableTelemetry',
      '--inMemoryPersistence',
      ...SERVICES.flatMap((service) => [`--${service.toLowerCase()}Port`, '0']),
    ],
    {
      env: { ...process.env, AZURITE_ACCOUNTS: names.map((name) => `${name}:${KEY}`).join(';') },
      execArgv: ['--import', END_WITH_PARENT, '--import', INDEX],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  const exit = once(child, 'exit');
  let output = '';

  const endpoints = await new Promise<Map<string, string>>((resolve, reject) => {
    const found = new Map<string, string>();
    const read = (chunk: string): void => {
      output += chunk;
      for (const [, service, url] of output.matchAll(
        /Azurite (\w+) service is successfully listening at (\S+)/g,
      )) {
        found.set(service!, url!);
      }
      if (found.size === SERVICES.length) resolve(found);
    };
    child.stdout!.setEncoding('utf8').on('data', read);
    child.stderr!.setEncoding('utf8').on('data', read);
    child.once('exit', () => {
      reject(new Error(`Azurite ended before it served: ${output}`));
    });
  });
  // Tests that fail because it crashed do not say so.
  child.once('exit', (code, signal) => {
    if (signal !== 'SIGKILL') console.error(`Azurite ended with ${code ?? signal}: ${output}`);
  });

  return {
    account() {
      const name = names.pop();
      if (name === undefined) throw new Error(`All ${ACCOUNTS} accounts of this Azurite have been given out`);
      return [
        'DefaultEndpointsProtocol=http',
        `AccountName=${name}`,
        `AccountKey=${KEY}`,
        ...SERVICES.map((service) => `${service}Endpoint=${endpoints.get(service)}/${name}`),
      ].join(';');
    },
    async stop() {
      child.kill('SIGKILL'); // nothing of it is to be kept, and asked politely it waits for idle connections
      await exit;
    },
  };
}

/**
 * The connection string of an empty storage account, this caller's alone, on the one Azurite that serves the
 * whole test run. It starts when the first account is asked for. Needs `azurite.global-setup.ts` among
 * Vitest's `globalSetup`.
 */
export async function account(): Promise<string> {
  const response = await fetch(inject('azurite'));
  if (!response.ok) throw new Error(await response.text());
  return response.text();
}
