/** What surrounds `infra/`: the hook of azd, and the workflows of GitHub. */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { deployedApp } from '../../tools/check-deployed.js';
import { missing, needsNetwork } from '../../tools/preprovision.js';

describe('Before azd provisions', () => {
  /** A server that answers as Azure Resource Manager does. */
  const answering = async (status: number, registrationState: string): Promise<string | undefined> => {
    const server = createServer((request, response) => {
      expect(request.url).toBe('/subscriptions/0/providers/Microsoft.App?api-version=2021-04-01');
      expect(request.headers.authorization).toBe('Bearer secret');
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify({ namespace: 'Microsoft.App', registrationState }));
    }).listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.close();
    });
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    return missing({ url: `http://127.0.0.1:${port}/subscriptions/0`, token: () => 'secret' });
  };

  test('a registered provider needs nothing', async () => {
    expect(await answering(200, 'Registered')).toBeUndefined();
  });

  test('one that is not, or not yet, stops it with the command that registers it', async () => {
    expect(await answering(200, 'NotRegistered')).toContain('az provider register --namespace Microsoft.App');
    expect(await answering(200, 'Registering')).toContain('It is Registering.');
  });

  test('an answer that says nothing stops it, too', async () => {
    await expect(answering(403, '')).rejects.toThrow('Azure answers 403');
  });

  test('only a virtual network needs it', () => {
    expect(needsNetwork({ DURABLE_BACKEND: 'storage', PRIVATE_NETWORK: 'false' })).toBe(false);
    expect(needsNetwork({ DURABLE_BACKEND: 'scheduler' })).toBe(true);
    expect(needsNetwork({ PRIVATE_NETWORK: 'true' })).toBe(true);
  });
});

describe('The app whose live instances are checked before a deployment', () => {
  const group = '/subscriptions/0/resourceGroups/rg-dev';
  const site = `${group}/providers/Microsoft.Web/sites/func-dev`;
  const sites = `GET ${group}/providers/Microsoft.Web/sites?api-version=2024-04-01`;
  const keys = `POST ${site}/host/default/listkeys?api-version=2024-04-01`;
  const listed = {
    value: [
      { id: `${group}/providers/Microsoft.Web/sites/other`, properties: { defaultHostName: 'other' } },
      { id: site, tags: { 'azd-service-name': 'app' }, properties: { defaultHostName: 'func-dev.example' } },
    ],
  };
  /** A server that answers as Azure Resource Manager does. */
  const found = async (answers: Record<string, [number, object]>): ReturnType<typeof deployedApp> => {
    const server = createServer((request, response) => {
      expect(request.headers.authorization).toBe('Bearer secret');
      const [status, body] = answers[`${request.method} ${request.url}`]!;
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    }).listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.close();
    });
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    return deployedApp({ azure: `http://127.0.0.1:${port}`, id: group, token: 'secret' });
  };

  test('is found by its tag, with the key of its management API', async () => {
    const systemKeys = { other: 'o', durabletask_extension: 'k' };
    expect(await found({ [sites]: [200, listed], [keys]: [200, { systemKeys }] })).toEqual({
      url: 'https://func-dev.example',
      key: 'k',
    });
  });

  test.each<[string, Record<string, [number, object]>]>([
    ['group', { [sites]: [404, {}] }],
    ['app', { [sites]: [200, { value: [] }] }],
    ['code in the app', { [sites]: [200, listed], [keys]: [200, { systemKeys: {} }] }],
  ])('is not there before there is a %s', async (_, answers) => {
    expect(await found(answers)).toBeUndefined();
  });

  test('is unknown when Azure refuses: that is no reason to deploy', async () => {
    await expect(found({ [sites]: [200, listed], [keys]: [403, {}] })).rejects.toThrow('Azure answers 403');
  });
});

describe('The workflows', () => {
  const folder = path.resolve(import.meta.dirname, '../../.github');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yml'))
    .map((name) => [name, readFileSync(path.join(folder, name), 'utf8')] as const);

  test.each(files)('name actions by commit, and leave no credentials behind: %s', (_, text) => {
    for (const [use] of text.matchAll(/uses: .*/g))
      expect(use).toMatch(/^uses: (?:\.\/\.github\/|[\w-]+\/[\w-]+@[\da-f]{40} # v\d)/);
    const checkouts = text.match(/uses: actions\/checkout@/g) ?? [];
    expect(text.match(/persist-credentials: false/g) ?? []).toHaveLength(checkouts.length);
  });

  const jobsOf = (file: string): Map<string, string> =>
    new Map(
      [
        ...readFileSync(path.join(folder, 'workflows', file), 'utf8').matchAll(
          /^ {2}(\w+):\n((?: {4}.*\n|\n)+)/gm,
        ),
      ].map(([, name, text]) => [name!, text!]),
    );

  test('deploy after a preview, with an approval, what was built without a right to deploy', () => {
    const jobs = jobsOf('azure-dev.yml');
    expect(jobs.get('build')).not.toContain('id-token');
    expect(jobs.get('verify')).not.toContain('id-token');
    expect(jobs.get('preview')).toContain('azd provision --preview');
    expect(jobs.get('deploy')).toMatch(
      /needs: \[build, preview\][^]*environment: production[^]*check-deployed[^]*azd provision[^]*--from-package/,
    );
    expect(jobs.get('deploy')).not.toContain('npm ci');
  });

  test('publish a package with an approval and with provenance, packed without a right to publish', () => {
    const jobs = jobsOf('publish.yml');
    expect(jobs.get('pack')).not.toContain('id-token');
    expect(jobs.get('publish')).toMatch(/needs: pack[^]*environment: npm[^]*npm publish .* --provenance/);
    expect(jobs.get('publish')).not.toMatch(/npm ci|checkout/);
  });
});
