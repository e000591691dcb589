/** The app's settings: what infra/ sets and what the code reads. */
import type { Node } from 'web-tree-sitter';
import { get, literal, properties } from '../bicep.ts';
import type { Check } from '../check.ts';
import { NEEDED_BY_THE_HOST, READ_BY_THE_HOST, UNSET_IN_AZURE } from '../host-settings.ts';
import { origins } from '../origins.ts';
import type { Project } from '../project.ts';
import { settingsRead } from '../settings-read.ts';

interface Setting {
  file: string;
  node: Node;
  value: Node | undefined;
}

export const settingsAgree: Check = {
  title: 'Each app setting that the code or the host reads is set, and each one that is set is read',
  run: (project, report) => {
    const set = settingsSet(project, (file, node) => {
      report(file, node, 'cannot be told to be app settings');
    });
    const read = new Map<string, string>(NEEDED_BY_THE_HOST.map((name) => [name, 'the host']));
    const sources = [...project.sources].map(([file, source]) => ({ file, ...settingsRead(source) }));
    const followed = new Set(sources.flatMap(({ takeAll }) => [...takeAll]));
    for (const { file, names, connections, givenAll, unclear } of sources) {
      for (const name of givenAll)
        if (!followed.has(name))
          report(
            file,
            undefined,
            `what ${name} reads of the environment cannot be told: give its parameter the type Environment`,
          );
      for (const line of unclear)
        report(
          `${file}:${line}`,
          undefined,
          'which settings this reads cannot be told: name them, or give the name a type that lists them',
        );
      for (const name of names) read.set(name, file);
      for (const [connection, use] of connections) {
        for (const part of [`${use}ServiceUri`, 'credential', 'clientId'])
          read.set(`${connection}__${part}`, file);
      }
    }

    const [first] = set.values();
    for (const [name, by] of read) {
      const unset = UNSET_IN_AZURE.find((setting) => setting.name.test(name));
      if (!set.has(name) && !unset)
        report(first?.file ?? 'infra', undefined, `${name} is read by ${by}, and not set`);
      if (set.has(name) && unset)
        report(first!.file, set.get(name)!.node, `${name} is set, although: ${unset.reason}`);
    }
    // A setting can name another one, as connectionStringName does.
    const named = new Set([...set.values()].map(({ value }) => literal(value)));
    for (const [name, { file, node }] of set) {
      const isRead =
        read.has(name) || named.has(name) || READ_BY_THE_HOST.some((setting) => setting.name.test(name));
      if (!isRead) report(file, node, `${name} is set, and read by nobody`);
    }
    return `${set.size} set, ${read.size} read`;
  },
};

function settingsSet(project: Project, unclear: (file: string, node: Node) => void): Map<string, Setting> {
  const set = new Map<string, Setting>();
  for (const [path, file] of project.files) {
    for (const { type, body, existing, node } of file.resources.values()) {
      if (type === 'Microsoft.Web/sites/config') unclear(path, node);
      const list =
        type === 'Microsoft.Web/sites' && !existing
          ? get(body, 'properties.siteConfig.appSettings')
          : undefined;
      for (const origin of list ? origins(project, file, list) : []) {
        const pair = origin.kind === 'object' ? properties(origin.node) : undefined;
        const name = literal(pair?.get('name'));
        if (origin.kind !== 'object' || name === undefined) unclear(path, list!);
        else set.set(name, { file: origin.file.path, node: origin.node, value: pair?.get('value') });
      }
    }
  }
  return set;
}
