/** The plugin as a package: in a project that installs it as README.md says, under each linter. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { npm, pack } from '../../../emulator/test/support/npm.js';

const plugin = path.join(import.meta.dirname, '..');

const RULES = ['cancel-timers', 'deterministic', 'log-once', 'no-await', 'no-lost-task', 'no-shared-state'];

let project: string;
let files: string[];

beforeAll(async () => {
  project = await mkdtemp(path.join(tmpdir(), 'orchestrator-lint-'));
  await promisify(execFile)(process.execPath, [programOf('typescript', 'tsc'), '-p', plugin]);
  const packed = await pack(plugin, project);
  files = packed.files;
  await writeFile(path.join(project, 'package.json'), '{ "type": "module" }');
  await npm(project, 'install', '--offline', '--legacy-peer-deps', '--no-audit', '--no-fund', packed.tarball);
  const readme = await readFile(
    path.join(project, 'node_modules/oxlint-plugin-orchestrators/README.md'),
    'utf8',
  );
  await writeFile(path.join(project, '.oxlintrc.json'), /```json\n(.*?)\n```/s.exec(readme)![1]!);
  await writeFile(path.join(project, 'eslint.config.js'), /```js\n(.*?)\n```/s.exec(readme)![1]!);
  await mkdir(path.join(project, 'src/orders'), { recursive: true });
  await writeFile(
    path.join(project, 'src/orders/orchestrators.ts'),
    'export const late = (due: Date): boolean => due < new Date();\n',
  );
  await writeFile(
    path.join(project, 'src/functions.js'),
    [
      "import * as df from 'durable-functions';",
      'let count = 0;',
      "df.app.orchestration('Order', async function* (context) {",
      '  count += 1;',
      '  context.log(count);',
      "  context.df.callActivity('Pay', Math.random());",
      "  yield context.df.Task.any([context.df.createTimer(new Date(0)), context.df.waitForExternalEvent('Paid')]);",
      '});',
      'export const startedAt = Date.now();',
    ].join('\n'),
  );
});
afterAll(() => rm(project, { recursive: true, force: true }));

function programOf(module: string, file: string): string {
  return path.join(
    path.dirname(createRequire(import.meta.url).resolve(`${module}/package.json`)),
    'bin',
    file,
  );
}

/** What a linter prints as JSON. It exits with 1 where it finds something. */
async function lint(program: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--format', 'json', 'src'], {
    cwd: project,
  }).catch((error: unknown) => error as { stdout: string });
  return JSON.parse(stdout);
}

test('oxlint has the rules, also in files that only have orchestrator code', async () => {
  const { diagnostics } = (await lint(programOf('oxlint', 'oxlint'))) as {
    diagnostics: { code: string; filename: string }[];
  };
  const found = diagnostics
    .filter(({ code }) => code.startsWith('orchestrators'))
    .map(({ code, filename }) => `${filename.replaceAll('\\', '/')} ${code}`);
  expect(found.toSorted()).toEqual([
    ...RULES.map((rule) => `src/functions.js orchestrators(${rule})`),
    'src/orders/orchestrators.ts orchestrators(deterministic)',
  ]);
});

test('ESLint 9 has the rules', async () => {
  const [result] = (await lint(programOf('eslint', 'eslint.js'))) as {
    messages: { ruleId: string; message: string }[];
  }[];
  expect(result!.messages.map(({ ruleId }) => ruleId).toSorted()).toEqual(
    RULES.map((rule) => `orchestrators/${rule}`),
  );
  expect(result!.messages.find(({ ruleId }) => ruleId.endsWith('deterministic'))!.message).toContain(
    'Math.random',
  );
});

test('has the rules, their types and its README, and nothing else', () => {
  expect(files.filter((file) => !/^dist\/(rules\/)?[\w-]+\.(d\.ts|js)$/.test(file)).toSorted()).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'package.json',
  ]);
  expect(files).toContain('dist/index.js');
});
