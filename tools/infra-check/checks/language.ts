/** What holds of any Bicep. */
import type { Node } from 'web-tree-sitter';
import { children, literal, properties } from '../bicep.ts';
import type { Check } from '../check.ts';
import { isLocal, kindOf, placeOf } from '../names.ts';
import { moduleFile, resolvePath } from '../project.ts';

const KNOWN_STATEMENTS = new Set([
  'comment',
  'decorators',
  'target_scope_assignment',
  'parameter_declaration',
  'variable_declaration',
  'resource_declaration',
  'module_declaration',
  'output_declaration',
]);

const OF_MODULE = new Set(['name', 'scope', 'dependsOn', 'params']);

/** https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions: those in use. */
const FUNCTIONS = new Set([
  'cidrSubnet',
  'concat',
  'contains',
  'empty',
  'environment',
  'filter',
  'guid',
  'json',
  'length',
  'loadJsonContent',
  'loadTextContent',
  'map',
  'replace',
  'resourceGroup',
  'resourceId',
  'split',
  'subscription',
  'subscriptionResourceId',
  'take',
  'toLower',
  'trim',
  'union',
  'uniqueString',
]);

export const parses: Check = {
  title: 'Every file is read without an error, and has no statement that the other checks know nothing of',
  run: ({ files }, report) => {
    for (const [path, { root }] of files) {
      for (const node of root.descendantsOfType('ERROR')) report(path, node, 'is not understood here');
      for (const node of everyNode(root)) if (node.isMissing) report(path, node, `${node.type} is missing`);
      for (const node of root.namedChildren) {
        if (!KNOWN_STATEMENTS.has(node.type) && node.type !== 'ERROR')
          report(path, node, `${node.type}: no check looks at these`);
      }
    }
    return `${files.size} files`;
  },
};

export const namesResolve: Check = {
  title: 'Every name stands for something, and everything that has a name is used',
  run: ({ files }, report) => {
    let names = 0;
    for (const [path, file] of files) {
      const declared = new Map<string, Node>();
      for (const group of [file.parameters, file.variables, file.resources, file.modules]) {
        for (const { name, node } of group.values()) {
          if (declared.has(name)) report(path, node, `${name} is declared twice`);
          declared.set(name, node);
        }
      }
      const used = new Set<string>();
      for (const node of file.root.descendantsOfType('identifier')) {
        const place = placeOf(node);
        if (place === 'declares') continue;
        names += 1;
        if (place === 'calls') {
          if (!FUNCTIONS.has(node.text)) report(path, node, `${node.text} is not a function known here`);
        } else if (!isLocal(node)) {
          used.add(node.text);
          if (!declared.has(node.text)) report(path, node, `${node.text} stands for nothing`);
        }
      }
      for (const { name, node } of [...file.parameters.values(), ...file.variables.values()]) {
        if (!used.has(name)) report(path, node, `${name} is not used`);
      }
      for (const { name, node, existing } of file.resources.values())
        if (existing && !used.has(name)) report(path, node, `${name} is not used`);
    }
    return `${names} uses of names`;
  },
};

export const modulesFit: Check = {
  title:
    'Every module is there, gets the parameters it has and no others, of their types, and gives the outputs that are asked of it',
  run: (project, report) => {
    let passed = 0;
    const asked = new Set<string>();
    for (const [path, file] of project.files) {
      for (const module of file.modules.values()) {
        const target = moduleFile(project, module);
        if (!target) {
          report(path, module.node, `there is no file ${resolvePath(path, module.path)}`);
          continue;
        }
        for (const name of properties(module.body).keys())
          if (!OF_MODULE.has(name)) report(path, module.node, `a module takes no ${name}`);
        for (const [name, value] of module.params) {
          passed += 1;
          const parameter = target.parameters.get(name);
          const kind = kindOf(file, value);
          if (!parameter) report(path, value, `${module.path} has no parameter ${name}`);
          else if (kind !== undefined && kind !== parameter.type)
            report(path, value, `${name} of ${module.path} is ${parameter.type}, and gets ${kind}`);
        }
        for (const { name, required } of target.parameters.values()) {
          if (required && !module.params.has(name))
            report(path, module.node, `${module.path} is not given ${name}`);
        }
      }
      for (const node of file.root.descendantsOfType('member_expression')) {
        const [name = '', outputs, output] = node.text.replaceAll('!', '').split('.');
        const module = file.modules.get(name);
        const target = module && moduleFile(project, module);
        if (!target) continue;
        if (outputs !== 'outputs' || output === undefined) {
          // `network.outputs` is a part of `network.outputs.appSubnetId`.
          if (node.parent?.type !== 'member_expression')
            report(path, node, `of a module its outputs can be read, and not ${outputs}`);
          continue;
        }
        asked.add(`${target.path} ${output}`);
        if (!target.outputs.has(output)) report(path, node, `${module.path} has no output ${output}`);
        const mayBeAbsent = module.conditional && !node.text.includes('!');
        if (mayBeAbsent) report(path, node, `${name} is not always deployed: say ${name}! where it is`);
      }
    }
    for (const [path, { outputs, modules }] of project.files) {
      if (modules.size > 0 && path === 'infra/main.bicep') continue; // azd reads these
      for (const { name, node } of outputs.values())
        if (!asked.has(`${path} ${name}`)) report(path, node, `nobody asks for ${name}`);
    }
    const unused = [...project.files.keys()].filter(
      (path) =>
        path !== 'infra/main.bicep' &&
        ![...project.files.values()].some((file) =>
          [...file.modules.values()].some((module) => resolvePath(file.path, module.path) === path),
        ),
    );
    for (const path of unused) report(path, undefined, 'is deployed by no other file');
    return `${passed} parameters passed`;
  },
};

export const filesLoad: Check = {
  title:
    'Every file that Bicep loads is there, and JSON where JSON is asked for, with the value that is taken from it',
  run: (project, report) => {
    let loaded = 0;
    for (const [path, { root }] of project.files) {
      for (const call of root.descendantsOfType('call_expression')) {
        const name = call.childForFieldName('function')?.text ?? '';
        if (!/^load(?:Json|Text)Content$/.test(name)) continue;
        loaded += 1;
        const [file, query] = children(call.childForFieldName('arguments')!).map(literal);
        const text = file === undefined ? undefined : project.text(resolvePath(path, file));
        if (text === undefined) {
          report(path, call, `there is no file ${file ?? '(not a plain text)'}`);
        } else if (name === 'loadJsonContent' || file!.endsWith('.json')) {
          const value = parseJson(text);
          if (value === undefined) report(path, call, `${file} is not JSON`);
          else if (query !== undefined && at(value, query) === undefined)
            report(path, call, `${file} has no ${query}`);
        }
      }
    }
    return `${loaded} files`;
  },
};

function* everyNode(node: Node): Generator<Node> {
  yield node;
  for (const child of node.children) yield* everyNode(child);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function at(value: unknown, query: string): unknown {
  return query
    .split('.')
    .reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], value);
}
