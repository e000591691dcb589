/** `npm run infra:check`: reads infra/ as a compiler would begin to, and holds it to rules of our own. */
import path from 'node:path';
import { runChecks } from './check.ts';
import { CHECKS } from './checks/index.ts';
import { makeProject, readTexts } from './project.ts';

const results = runChecks(
  await makeProject(await readTexts(path.resolve(import.meta.dirname, '../..'))),
  CHECKS,
);
for (const { title, lookedAt, findings } of results) {
  process.stdout.write(`${findings.length === 0 ? 'ok  ' : 'FAIL'} ${title} (${lookedAt})\n`);
  for (const { file, line, message } of findings)
    process.stdout.write(`       ${file}${line === undefined ? '' : `:${line}`} ${message}\n`);
}
const failed = results.filter(({ findings }) => findings.length > 0).length;
process.stdout.write(`
${failed === 0 ? `All ${results.length} checks hold.` : `${failed} of ${results.length} checks fail.`} They read the files and no more: that Bicep compiles them is the word of "az bicep build",
and that Azure takes them that of "azd provision --preview". The deploy workflow asks both before it deploys.
`);
process.exitCode = failed === 0 ? 0 : 1;
