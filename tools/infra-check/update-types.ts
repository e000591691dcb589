/**
 * Writes types.json anew, for the resource types and API versions that infra/ names:
 *
 *     git clone --depth 1 https://github.com/Azure/bicep-types-az && node tools/infra-check/update-types.ts bicep-types-az
 */
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeProject, type Project, readTexts } from './project.ts';
import type { ObjectShape, Shape, Types } from './types.ts';

/** A published type, as far as it is read here. A reference is `#/` and an index into the file. */
interface Published {
  $type: string;
  name: string;
  value: string;
  body: Reference;
  elements: Reference[] | Record<string, Reference>;
  itemType: Reference;
  properties: Record<string, PublishedProperty>;
  additionalProperties?: Reference;
  discriminator: string;
  baseProperties: Record<string, PublishedProperty>;
}

interface Reference {
  $ref: string;
}

interface PublishedProperty {
  type: Reference;
  flags: number;
}

// https://github.com/Azure/bicep-types/blob/main/src/bicep-types/src/types.ts (ObjectTypePropertyFlags)
const REQUIRED = 1;
const READ_ONLY = 2;

const root = path.resolve(import.meta.dirname, '../..');
const checkout = process.argv[2];
if (checkout === undefined)
  throw new Error(
    'Usage: node tools/infra-check/update-types.ts FOLDER (a checkout of Azure/bicep-types-az)',
  );

const project = await makeProject(await readTexts(root));
const named = namesIn(project);
const types: Types = {
  commit: execFileSync('git', ['rev-parse', 'HEAD'], { cwd: checkout, encoding: 'utf8' }).trim(),
  resources: Object.fromEntries(resourceTypes(project).map((type) => [type, find(checkout, type)])),
};
const lines = Object.entries(types.resources).map(
  ([type, shape]) => `    ${JSON.stringify(type)}: ${JSON.stringify(shape)}`,
);
writeFileSync(
  path.join(import.meta.dirname, 'types.json'),
  `{\n  "commit": "${types.commit}",\n  "resources": {\n${lines.join(',\n')}\n  }\n}\n`,
);

function resourceTypes({ files }: Project): string[] {
  const all = [...files.values()].flatMap((file) =>
    [...file.resources.values()].map(({ type, version }) => `${type}@${version}`),
  );
  return [...new Set(all)].toSorted((a, b) => a.localeCompare(b));
}

/** Every name of a property that is written or read anywhere. */
function namesIn({ files }: Project): Set<string> {
  return new Set(
    [...files.values()].flatMap((file) =>
      file.root
        .descendantsOfType(['identifier', 'property_identifier', 'string_content'])
        .map((node) => node.text),
    ),
  );
}

function find(folder: string, type: string): Shape {
  const [name = '', version = ''] = type.split('@');
  const provider = name.split('/')[0]!.toLowerCase();
  for (const file of globSync(`generated/*/${provider}/${version}/types.json`, { cwd: folder })) {
    const published = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Published[];
    const found = published.find(
      (entry) => entry.$type === 'ResourceType' && entry.name.toLowerCase() === type.toLowerCase(),
    );
    if (found) return shapeOf(published, found.body);
  }
  throw new Error(`${type} is not published.`);
}

function shapeOf(all: Published[], { $ref }: Reference): Shape {
  const type = all[Number($ref.slice(2))]!;
  switch (type.$type) {
    case 'StringType':
      return 'string';
    case 'IntegerType':
      return 'int';
    case 'BooleanType':
      return 'bool';
    case 'StringLiteralType':
      return { oneOf: [type.value] };
    case 'UnionType':
      return union((type.elements as Reference[]).map((element) => shapeOf(all, element)));
    case 'ArrayType':
      return { items: shapeOf(all, type.itemType) };
    case 'ObjectType': {
      const others = type.additionalProperties && shapeOf(all, type.additionalProperties);
      return { ...objectOf(all, type.properties), ...(others !== undefined && { others }) };
    }
    case 'DiscriminatedObjectType': {
      const base = objectOf(all, type.baseProperties);
      const variants = Object.entries(type.elements as Record<string, Reference>).map(([value, element]) => {
        const own = shapeOf(all, element) as ObjectShape;
        return [
          value,
          {
            properties: { ...base.properties, ...own.properties },
            required: [...(base.required ?? []), ...(own.required ?? [])],
            readOnly: [...(base.readOnly ?? []), ...(own.readOnly ?? [])],
          },
        ] satisfies [string, ObjectShape];
      });
      return { by: type.discriminator, variants: Object.fromEntries(variants) };
    }
    default:
      return 'any';
  }
}

/** Some are published as "one of these, or any text", for what may come: Bicep warns of other texts there too. */
function union(elements: Shape[]): Shape {
  const texts = elements.flatMap((element) =>
    typeof element === 'object' && 'oneOf' in element ? element.oneOf : [],
  );
  return texts.length > 0 &&
    elements.every((element) => element === 'string' || (typeof element === 'object' && 'oneOf' in element))
    ? { oneOf: texts }
    : 'any';
}

function objectOf(all: Published[], properties: Record<string, PublishedProperty>): ObjectShape {
  const names = (flag: number): string[] =>
    Object.entries(properties)
      .filter(([, { flags }]) => (flags & flag) !== 0)
      .map(([name]) => name);
  const [required, readOnly] = [names(REQUIRED), names(READ_ONLY)];
  return {
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, { type }]) => [
        name,
        named.has(name) ? shapeOf(all, type) : 'cut',
      ]),
    ),
    ...(required.length > 0 && { required }),
    ...(readOnly.length > 0 && { readOnly }),
  };
}
