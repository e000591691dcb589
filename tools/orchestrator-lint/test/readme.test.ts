import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

const plugin = path.join(import.meta.dirname, '..');

interface Problem {
  code: string;
  filename: string;
  message: string;
}

test('a project that copies the folder and the configuration of the README has the rules', async () => {
  const project = await mkdtemp(path.join(tmpdir(), 'orchestrator-lint-'));
  onTestFinished(() => rm(project, { recursive: true, force: true }));
  const readme = await readFile(path.join(plugin, 'README.md'), 'utf8');
  await cp(plugin, path.join(project, 'tools/orchestrator-lint'), {
    recursive: true,
    filter: (source) => path.basename(source) !== 'test',
  });
  await writeFile(path.join(project, '.oxlintrc.json'), /```json\n(.*?)\n *```/s.exec(readme)![1]!);
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

  const oxlint = path.join(
    path.dirname(createRequire(import.meta.url).resolve('oxlint/package.json')),
    'bin/oxlint',
  );
  // It exits with 1 where it finds something.
  const { stdout } = await promisify(execFile)(process.execPath, [oxlint, '--format', 'json', 'src'], {
    cwd: project,
  }).catch((error: unknown) => error as { stdout: string });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: Problem[] };
  const found = diagnostics
    .filter(({ code }) => code.startsWith('orchestrators'))
    .map(({ code, filename }) => `${filename.replaceAll('\\', '/')} ${code}`);
  expect(found.toSorted()).toEqual([
    'src/functions.js orchestrators(cancel-timers)',
    'src/functions.js orchestrators(deterministic)',
    'src/functions.js orchestrators(log-once)',
    'src/functions.js orchestrators(no-await)',
    'src/functions.js orchestrators(no-lost-task)',
    'src/functions.js orchestrators(no-shared-state)',
    'src/orders/orchestrators.ts orchestrators(deterministic)',
  ]);
});
