/** `infra/` is held by the compiler of Bicep, and by policies on what it deploys. `npm run infra:check` runs this. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { findBicep, HOW_TO_GET_IT } from '../../tools/bicep.js';
import { EDITS } from './edits.js';
import { type Compiler, copyOfInfra, type Option, OPTIONS, startCompiler } from './compiler.js';
import { FOUND_BY_POLICIES, FOUND_BY_THE_COMPILER, type Mistake } from './mistakes.js';
import { findingsOf, POLICIES } from './policies.js';
import { ofType, type Snapshot } from './snapshot.js';

const there = findBicep() !== undefined;
/** Set by "npm run infra:check" and by .ci/run: the compiler has to be there, and every mistake is tried. */
const whole = process.env['INFRA_CHECK'] !== undefined;
if (!there) process.stderr.write(`infra/ is not checked. ${HOW_TO_GET_IT}\n`);

// The first compilation takes seconds, and many of them on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let compiler: Compiler;
const snapshots = {} as Record<Option, Snapshot>;

beforeAll(async () => {
  if (!there) return;
  compiler = await startCompiler();
  for (const option of Object.keys(OPTIONS) as Option[]) snapshots[option] = await compiler.snapshot(option);
});
afterAll(() => {
  compiler?.stop();
});

test.runIf(whole)('The compiler of infra/ is there', () => {
  expect(there, HOW_TO_GET_IT).toBe(true);
});

describe.runIf(there)('infra/', () => {
  test.each(Object.keys(OPTIONS) as Option[])(
    'compiles without a word, and keeps the policies: %s',
    async (option) => {
      expect(await compiler.diagnostics(option)).toEqual([]);
      expect(findingsOf(snapshots[option])).toEqual([]);
    },
  );

  test('is laid out by the formatter, and has no file that nothing uses', async () => {
    expect(await compiler.layout()).toEqual([]);
  });

  /** What is deployed, by kind and name; a role by what it is on. */
  const names = (option: Option): string[] => {
    const { predictedResources } = snapshots[option];
    const token = ofType(snapshots[option], 'Microsoft.Web/serverfarms')[0]!.name.replace('plan-', '');
    return predictedResources.map(({ type, name, id }) => {
      const shown =
        type === 'Microsoft.Authorization/roleAssignments'
          ? `role on ${id.split('/providers/').at(-2)!.split('/').slice(1).join('/')}`
          : `${type.split('/').at(-1)!} ${name.replace(/^\[format\('privatelink\.\{0\}\.\{1\}', '(\w+)'.*/, '$1')}`;
      return shown.replaceAll(token, '*');
    });
  };
  /** What an option adds to the defaults, and takes away. */
  const changes = (option: Option): { more: string[]; less: string[] } => {
    const [before, after] = [names('default'), names(option)];
    const without = (all: string[], taken: string[]): string[] => {
      const left = [...taken];
      return all.filter((name) => !left.includes(name) || left.splice(left.indexOf(name), 1).length === 0);
    };
    return { more: without(after, before), less: without(before, after) };
  };

  test('with a private network has an endpoint for each service of both accounts, and closes them', () => {
    const { more, less } = changes('private-network');
    expect(less).toEqual([]);
    expect(
      more.filter((name) => /^(?:privateEndpoints|privateDnsZones|virtualNetworks) /.test(name)),
    ).toEqual([
      'virtualNetworks vnet-*',
      ...['blob', 'queue', 'table'].map((zone) => `privateDnsZones ${zone}`),
      ...['host', 'data'].flatMap((of) =>
        ['blob', 'queue', 'table'].map((service) => `privateEndpoints pe-${of}-${service}`),
      ),
    ]);
    for (const { properties } of ofType(snapshots['private-network'], 'Microsoft.Storage/storageAccounts'))
      expect(properties).toMatchObject({
        publicNetworkAccess: 'Disabled',
        networkAcls: { defaultAction: 'Deny' },
      });
  });

  test('with the scheduler has it behind a private endpoint, and no role on the queues and tables of the host', () => {
    const { more, less } = changes('scheduler');
    expect(less).toEqual(['role on storageAccounts/sthost*', 'role on storageAccounts/sthost*']);
    expect(more.filter((name) => !/Links|Groups/.test(name))).toEqual([
      'schedulers dts-*',
      'taskHubs dts-*/DurableWorkflows',
      'role on schedulers/dts-*/taskHubs/DurableWorkflows',
      'virtualNetworks vnet-*',
      'privateDnsZones privatelink.durabletask.io',
      'privateEndpoints pe-scheduler',
    ]);
  });

  test('gives the operator roles on the data and on the hub of the scheduler, and none on keys and code', () => {
    const operator = ofType(snapshots.everything, 'Microsoft.Authorization/roleAssignments').filter(
      ({ properties }) => JSON.stringify(properties).includes('11111111'),
    );
    expect(operator.map(({ id }) => /\/(stdata|sthost|taskHubs)/.exec(id)?.[1])).toEqual([
      'stdata',
      'stdata',
      'stdata',
      'taskHubs',
    ]);
  });

  test('locks the data, unless somebody chooses not to', () => {
    const locks = (option: Option): string[] =>
      ofType(snapshots[option], 'Microsoft.Authorization/locks').map(({ id }) => id);
    expect(locks('default')).toEqual([
      expect.stringMatching(/\/storageAccounts\/stdata\w+\/providers\/Microsoft.Authorization\/locks\/data$/),
    ]);
    expect(locks('everything')).toEqual([]);
  });
});

describe.runIf(there)('A policy finds', () => {
  test.each(EDITS.map((edit) => [edit.what, edit] as const))('%s', (_, { policy, edit, finds }) => {
    const snapshot = structuredClone(snapshots.everything);
    edit(snapshot);
    expect(POLICIES[policy](snapshot)).toContainEqual(expect.stringContaining(finds));
  });

  test('something, each of them', () => {
    expect(new Set(EDITS.map(({ policy }) => policy))).toEqual(new Set(Object.keys(POLICIES)));
    expect(findingsOf(snapshots.everything)).toEqual([]);
  });
});

describe.runIf(there)('A mistake is found', () => {
  const make = (mistakes: Mistake[]): { folder: string; remove: () => void } => {
    const copy = copyOfInfra();
    for (const { file, from, to } of mistakes) {
      const target = path.join(copy.folder, file);
      const text = readFileSync(target, 'utf8');
      expect(text).toContain(from);
      writeFileSync(target, text.replace(from, to));
    }
    return copy;
  };
  const named = (mistakes: Mistake[]): [string, Mistake][] =>
    mistakes.map((mistake) => [mistake.what, mistake]);

  test.runIf(whole).each(named(FOUND_BY_THE_COMPILER))('by the compiler: %s', async (_, mistake) => {
    const { folder, remove } = make([mistake]);
    onTestFinished(remove);
    expect(await compiler.diagnostics('default', folder)).toContainEqual(
      expect.stringContaining(mistake.finds),
    );
  });

  /** All of those made at once: a snapshot of each would take minutes. */
  let byPolicies: string[] = [];
  beforeAll(async () => {
    if (!there) return;
    const { folder, remove } = make(FOUND_BY_POLICIES);
    byPolicies = [
      ...(await compiler.diagnostics('default', folder)).map((text) => `the compiler: ${text}`),
      ...findingsOf(await compiler.snapshot('default', folder)),
    ];
    remove();
  });
  test.each(named(FOUND_BY_POLICIES))('by a policy, where the compiler is silent: %s', (_, { finds }) => {
    expect(byPolicies.filter((text) => text.startsWith('the compiler'))).toEqual([]);
    expect(byPolicies).toContainEqual(expect.stringContaining(finds));
  });
});
