/** What policies read: a snapshot of what is deployed, and the files of the app. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** What `bicep snapshot` prints; what is known only in Azure stays an expression in brackets. */
export interface Snapshot {
  predictedResources: Resource[];
  diagnostics: string[];
  outputs: Record<string, unknown>;
}

export interface Resource {
  id: string;
  type: string;
  name: string;
  tags?: Record<string, string>;
  properties?: unknown;
  [other: string]: unknown;
}

/** @returns what is wrong, each line with the resource that it is about */
export type Policy = (snapshot: Snapshot) => string[];

const root = path.resolve(import.meta.dirname, '../..');
export const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
export const sources = new Map(
  readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [`src/${file.split(path.sep).join('/')}`, read(`src/${file}`)]),
);

export const called = ({ type, name }: Resource): string => `${type} ${name}`;
export const ofType = ({ predictedResources }: Snapshot, type: string): Resource[] =>
  predictedResources.filter((resource) => resource.type === type);
export function at(value: unknown, dotted: string): unknown {
  return dotted
    .split('.')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);
}
/** Every text in it, with the key that it has or that its array has. */
export function* texts(value: unknown, key = ''): Generator<{ key: string; text: string }> {
  if (typeof value === 'string') yield { key, text: value };
  else if (Array.isArray(value)) for (const item of value) yield* texts(item, key);
  else if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value)) yield* texts(inner, name);
}
