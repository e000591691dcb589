import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { container, isUnavailable, queue, table } from '../../src/storage/index.js';
import { account } from '../support/azurite.js';

function settings(values: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(values)) {
    vi.stubEnv(name, value);
  }
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
}

describe("the app's storage", () => {
  it('is where AppStorage says at the time of the call', async () => {
    const [first, second] = [await account(), await account()];
    settings({ AppStorage: first });
    const one = await table('Things');
    expect(await table('Things')).toBe(one);

    settings({ AppStorage: second });
    const other = await table('Things');
    expect(other.url).not.toBe(one.url);

    settings({ AppStorage: first });
    expect(await table('Things')).toBe(one);
  });

  it('makes a queue at its first use, for everybody who asks at once', async () => {
    settings({ AppStorage: await account() });
    const [one, two] = await Promise.all([queue('things'), queue('things')]);
    expect(one).toBe(two);
    await one.sendMessage('hello');
  });

  it('is asked again after it could not be reached', async () => {
    const connectionString = await account();
    settings({ AppStorage: connectionString.replace(/AccountKey=[^;]*/, 'AccountKey=d3Jvbmc=') });
    await expect(queue('things')).rejects.toMatchObject({ statusCode: 403 });
    await expect(queue('things')).rejects.toMatchObject({ statusCode: 403 });
    settings({ AppStorage: connectionString });
    await expect(queue('things')).resolves.toBeDefined();
  });

  it.each([
    ['a table', 'Table', () => table('Things')],
    ['a queue', 'Queue', () => queue('things')],
    ['a container', 'Blob', () => container('things')],
  ] as const)('fails in bounded time when %s does not answer', async (_, service, open) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => {
      silent.closeAllConnections();
      silent.close();
    });
    const { port } = silent.address() as AddressInfo;
    settings({
      AppStorage: `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=dGVzdA==;${service}Endpoint=http://127.0.0.1:${port}/a`,
    });
    const asked = once(silent, 'request');
    const failure = open().then(
      () => undefined,
      (error: unknown) => error,
    );
    await asked;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(isUnavailable(await failure)).toBe(true);
  });

  it('says which settings are missing', async () => {
    settings({ AppStorage: undefined });
    await expect(async () => table('Things')).rejects.toThrow(
      'set AppStorage to a connection string, or AppStorage__tableServiceUri',
    );
  });

  it('is reached with the identity that the client id names, when there are addresses', async () => {
    // Where App Service lets an app ask for tokens.
    const asked = Promise.withResolvers<URL>();
    const identity = createServer((request, response) => {
      asked.resolve(new URL(request.url!, 'http://identity'));
      response.writeHead(403).end();
    }).listen(0, '127.0.0.1');
    await once(identity, 'listening');
    onTestFinished(() => {
      identity.close();
    });
    settings({
      IDENTITY_ENDPOINT: `http://127.0.0.1:${(identity.address() as AddressInfo).port}/token`,
      IDENTITY_HEADER: 'secret',
      AppStorage: undefined,
      AppStorage__queueServiceUri: 'https://127.0.0.1:1/account',
      AppStorage__clientId: 'the-client',
    });

    await expect(queue('things')).rejects.toThrow(/403|ManagedIdentityCredential/);
    expect((await asked.promise).searchParams.get('client_id')).toBe('the-client');
  });
});
