/** The files of Azurite and LokiJS that the patch knows. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** The SHA-256 of each file on which the patch rests. A name without a folder is that of a package. */
const KNOWN = {
  'common/utils/utils.js': '09a32b7b6e9942fd24402d150ea735726391814e6d0a9a877e8685158cd9d47b',
  'table/persistence/LokiTableMetadataStore.js':
    '4e3d2ff7b583c278276541578a18017876223fe1883891bed2709b37a9abb81e',
  'table/persistence/LokiTableStoreQueryGenerator.js':
    'f4b154c91acbb21806b5fce29b15521201c050ac1fa0e8b701f3327e257353b6',
  'table/persistence/QueryInterpreter/QueryParser.js':
    'a2e2782b145166d34a14d29db305218702961821556ca261a7d835d6f7147c50',
  'queue/persistence/LokiQueueMetadataStore.js':
    '8bd35d5f032c56a974ebf0f5f08e08f2d01318c907f8ddca44171fbf4752bb66',
  'uri-templates': 'ac855e32b9bdda00408b2b24be330ce61821d258a0e8a4ccdfd5371c6d28f20e',
  lokijs: 'ad6a63f3f5e4aa66864a17130aff0bab6975ec3615810ff1a32f85fc5d8354da',
};
export type KnownFile = keyof typeof KNOWN;

const azurite = createRequire(createRequire(import.meta.url).resolve('azurite/package.json'));

function pathOf(file: KnownFile): string {
  return azurite.resolve(file.includes('/') ? `./dist/src/${file}` : file);
}

/** The names of the files that are not as the patch knows them. */
export function changedFiles(known: Readonly<Record<KnownFile, string>> = KNOWN): string[] {
  return Object.entries(known)
    .map(([file, hash]) => ({ path: pathOf(file as KnownFile), hash }))
    .filter(({ path: file, hash }) => createHash('sha256').update(readFileSync(file)).digest('hex') !== hash)
    .map(({ path: file }) => path.basename(file));
}

/** Loads the module of a file, as Azurite does. */
export function load<Module>(file: KnownFile): Module {
  return azurite(pathOf(file)) as Module;
}

/** Gives every module of Azurite that loads this file later other exports. */
export function replace<Module>(file: KnownFile, exports: (before: Module) => Module): void {
  const before = load<Module>(file);
  azurite.cache[pathOf(file)]!.exports = exports(before);
}
