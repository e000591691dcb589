/**
 * Finds the Bicep compiler. `npm run infra:compiler` prints its path, and gets it where there is none; with `-- --version`
 * it prints the version that this project is held to.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

/** The one place that says which compiler checks infra/: its findings and its layout differ between versions. */
export const BICEP_VERSION = '0.49.2';

export const HOW_TO_GET_IT =
  `There is no Bicep compiler ${BICEP_VERSION} here. Get it by "az bicep install --version v${BICEP_VERSION}", ` +
  'or, with the .NET SDK 10, by "npm run infra:compiler".';

const program = process.platform === 'win32' ? 'bicep.exe' : 'bicep';
/** Of NuGet, by name: https://www.nuget.org/packages/Azure.Bicep.CommandLine.linux-x64 */
const system = { linux: 'linux', darwin: 'osx', win32: 'win' }[process.platform as string];
const nuget = `Azure.Bicep.CommandLine.${system}-${process.arch}`;
const cache = path.join(homedir(), '.cache', 'bicep');

/**
 * The compiler of that version: `$BICEP`, on PATH, the one that `az` or `azd` brought, or the one that
 * `npm run infra:compiler` got.
 *
 * @returns its path, or undefined
 */
export function findBicep(): string | undefined {
  return [
    process.env['BICEP'],
    ...(process.env['PATH'] ?? '').split(path.delimiter).map((folder) => path.join(folder, program)),
    path.join(homedir(), '.azure', 'bin', program),
    path.join(homedir(), '.azd', 'bin', program),
    path.join(cache, nuget.toLowerCase(), BICEP_VERSION, 'tools', program),
  ].find((file) => file && existsSync(file) && isThatVersion(file));
}

function isThatVersion(file: string): boolean {
  try {
    return execFileSync(file, ['--version'], { encoding: 'utf8' }).includes(` ${BICEP_VERSION} `);
  } catch {
    return false;
  }
}

/**
 * Gets the compiler from NuGet, by the .NET SDK.
 *
 * @throws Error when there is no SDK, or the package cannot be had
 */
function getBicep(): string {
  // What dotnet prints goes to stderr: stdout has the path alone.
  execFileSync('dotnet', ['package', 'download', `${nuget}@${BICEP_VERSION}`, '--output', cache], {
    stdio: ['ignore', 2, 2],
  });
  const file = path.join(cache, nuget.toLowerCase(), BICEP_VERSION, 'tools', program);
  chmodSync(file, 0o755);
  return file;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { version: { type: 'boolean' } } });
  if (values.version) process.stdout.write(`${BICEP_VERSION}\n`);
  else {
    try {
      process.stdout.write(`${findBicep() ?? getBicep()}\n`);
    } catch {
      process.stderr.write(`${HOW_TO_GET_IT}\n`);
      process.exitCode = 1;
    }
  }
}
