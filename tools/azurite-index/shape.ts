/** The files of Azurite and LokiJS that the patch knows. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** The SHA-256 of each file on which the patch rests. */
const KNOWN = {
  'table/persistence/LokiTableMetadataStore.js':
    '4e3d2ff7b583c278276541578a18017876223fe1883891bed2709b37a9abb81e',
  'table/persistence/LokiTableStoreQueryGenerator.js':
    'f4b154c91acbb21806b5fce29b15521201c050ac1fa0e8b701f3327e257353b6',
  'table/persistence/QueryInterpreter/QueryParser.js':
    'a2e2782b145166d34a14d29db305218702961821556ca261a7d835d6f7147c50',
  lokijs: 'ad6a63f3f5e4aa66864a17130aff0bab6975ec3615810ff1a32f85fc5d8354da',
};
export type KnownFile = keyof typeof KNOWN;

const azurite = createRequire(createRequire(import.meta.url).resolve('azurite/package.json'));

function pathOf(file: KnownFile): string {
  return azurite.resolve(file === 'lokijs' ? file : `./dist/src/${file}`);
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
