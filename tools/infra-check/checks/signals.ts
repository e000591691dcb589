/** What the alerts and the workbook ask for. */
import type { Check } from '../check.ts';

/** `Name == 'app.uptime'`, `Name startswith 'workflow.'`, `Name in ('a', 'b')`, `Properties['faas.name']` */
const ASKED =
  /\b(?:Name|Message|OuterMessage) (?:==|startswith) '([^']+)'|\bName in \(([^)]+)\)|\bProperties\['([^']+)'\]/g;

export const signalsAreSent: Check = {
  title:
    'The alerts and the workbook ask for what the app sends: its messages, metrics and attributes, by their names',
  run: (project, report) => {
    const sources = [...project.sources.values()];
    const names = new Set<string>();
    for (const file of ['infra/modules/alerts.bicep', 'infra/workbook.json']) {
      const asked = [...(project.text(file) ?? '').matchAll(ASKED)].flatMap(([, one, list, attribute]) =>
        list === undefined ? [one ?? attribute!] : [...list.matchAll(/'([^']+)'/g)].map(([, name]) => name!),
      );
      if (asked.length === 0) report(file, undefined, 'asks for nothing');
      for (const name of new Set(asked)) {
        names.add(name);
        if (!sources.some((source) => source.includes(`'${name}${name.endsWith('.') ? '' : "'"}`)))
          report(file, undefined, `nothing in src/ sends ${name}`);
      }
    }
    return `${names.size} names`;
  },
};
