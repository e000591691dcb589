/** What is checked: the Bicep under infra/, and what it has to agree with. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Bicep, type Module, parseBicep } from './bicep.ts';
import type { Types } from './types.ts';

export const ENTRY = 'infra/main.bicep';

export interface Project {
  /** By path from the root, with slashes. */
  files: Map<string, Bicep>;
  /** Any text of the project, by path from the root. */
  text: (file: string) => string | undefined;
  /** The app's sources, by path. */
  sources: Map<string, string>;
  types: Types;
}

const TYPES = 'tools/infra-check/types.json';

/** The texts that a project is made of, by path from the root. */
export async function readTexts(root: string): Promise<Map<string, string>> {
  const files = [
    'host.json',
    'package.json',
    'azure.yaml',
    '.github/workflows/azure-dev.yml',
    TYPES,
    ...(await under(root, 'infra')),
    ...(await under(root, 'src')),
  ];
  return new Map(
    await Promise.all(
      files.map(async (file) => [file, await readFile(path.join(root, file), 'utf8')] as const),
    ),
  );
}

export async function makeProject(texts: ReadonlyMap<string, string>): Promise<Project> {
  const files = new Map<string, Bicep>();
  for (const [file, text] of texts)
    if (file.endsWith('.bicep')) files.set(file, await parseBicep(file, text));
  return {
    files,
    text: (file) => texts.get(file),
    sources: new Map([...texts].filter(([file]) => file.startsWith('src/') && file.endsWith('.ts'))),
    types: JSON.parse(texts.get(TYPES)!) as Types,
  };
}

async function under(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(path.join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'));
}

/** The path from the root of what a file names relative to itself. */
export function resolvePath(from: string, relative: string): string {
  return path.posix.join(path.posix.dirname(from), relative);
}

export function moduleFile(project: Project, module: Module): Bicep | undefined {
  return project.files.get(resolvePath(module.file, module.path));
}

/** The modules that deploy this file, with the files they stand in. */
export function callers(project: Project, file: string): { from: Bicep; module: Module }[] {
  return [...project.files.values()].flatMap((from) =>
    [...from.modules.values()]
      .filter((module) => resolvePath(from.path, module.path) === file)
      .map((module) => ({ from, module })),
  );
}
