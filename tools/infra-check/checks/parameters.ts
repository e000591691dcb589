/** What azd passes in, and what it reads. */
import { children, literal } from '../bicep.ts';
import type { Check, Report } from '../check.ts';
import { ENTRY, type Project } from '../project.ts';

const FILE = 'infra/main.parameters.json';
const AZD = 'azure.yaml';
const WORKFLOW = '.github/workflows/azure-dev.yml';

export const parametersFit: Check = {
  title:
    'main.parameters.json gives main.bicep what it requires, nothing it does not have, and values that it allows',
  run: (project, report) => {
    const main = project.files.get(ENTRY);
    const given = parse(project, report);
    for (const [name, value] of Object.entries(given)) {
      const parameter = main?.parameters.get(name);
      if (!parameter) {
        report(FILE, undefined, `main.bicep has no parameter ${name}`);
        continue;
      }
      if (parameter.secure) report(FILE, undefined, `${name} is secret: it does not belong in a file`);
      const byDefault =
        typeof value === 'string'
          ? (/^\$\{\w+=(.*)\}$/.exec(value)?.[1] ?? (value.startsWith('${') ? undefined : value))
          : String(value);
      if (byDefault === undefined) continue;
      if (parameter.allowed && !parameter.allowed.includes(byDefault))
        report(FILE, undefined, `${name} is '${byDefault}', which main.bicep does not allow`);
      const inBicep = parameter.default && (literal(parameter.default) ?? parameter.default.text);
      if (inBicep !== undefined && byDefault !== inBicep)
        report(
          FILE,
          undefined,
          `${name} is '${byDefault}' here and ${parameter.default!.text} in main.bicep`,
        );
    }
    for (const { name, required, node } of main?.parameters.values() ?? []) {
      if (required && !(name in given)) report(ENTRY, node, `${name} is required, and not in ${FILE}`);
    }
    return `${Object.keys(given).length} parameters`;
  },
};

function parse(project: Project, report: Report): Record<string, unknown> {
  try {
    const { parameters } = JSON.parse(project.text(FILE) ?? '') as {
      parameters: Record<string, { value: unknown }>;
    };
    return Object.fromEntries(Object.entries(parameters).map(([name, { value }]) => [name, value]));
  } catch {
    report(FILE, undefined, 'is not a file of parameters');
    return {};
  }
}

export const workflowPasses: Check = {
  title: 'Whatever can be set by "azd env set" for main.parameters.json can be set for the deploy workflow',
  run: (project, report) => {
    const variables = [...(project.text(FILE) ?? '').matchAll(/"\$\{(\w+)/g)].map(([, name]) => name!);
    for (const name of variables) {
      // azd has variables of its own, and hands them on unasked.
      if (!name.startsWith('AZURE_') && !new RegExp(`^    - ${name}$`, 'm').test(project.text(AZD) ?? ''))
        report(AZD, undefined, `pipeline has no variable ${name}`);
      if (!project.text(WORKFLOW)?.includes(`${name}: \${{ vars.${name} }}`))
        report(WORKFLOW, undefined, `does not pass ${name} on`);
    }
    return `${variables.length} variables`;
  },
};

export const azdFinds: Check = {
  title: 'azd finds the app that it deploys to, and the scripts that it runs',
  run: (project, report) => {
    const yaml = project.text(AZD) ?? '';
    const services = [
      ...(/^services:\n((?:[ #].*\n)*)/m.exec(yaml)?.[1] ?? '').matchAll(/^ {2}([\w-]+):$/gm),
    ].map(([, name]) => name!);
    const tagged = [...project.files.values()]
      .flatMap(({ root }) => root.descendantsOfType('object_property'))
      .filter((property) => literal(children(property)[0]) === 'azd-service-name')
      .map((property) => literal(children(property)[1]) ?? '');
    for (const service of services)
      if (!tagged.includes(service))
        report(AZD, undefined, `nothing in infra/ is tagged azd-service-name: ${service}`);
    for (const tag of tagged) if (!services.includes(tag)) report(AZD, undefined, `has no service ${tag}`);
    const scripts =
      (JSON.parse(project.text('package.json') ?? '{}') as { scripts?: Record<string, string> }).scripts ??
      {};
    const run = [...yaml.matchAll(/run: npm run (\S+)/g)].map(([, name]) => name!);
    for (const name of new Set(run))
      if (!(name in scripts)) report(AZD, undefined, `package.json has no script ${name}`);
    if (services.length === 0) report(AZD, undefined, 'has no service');
    return `${services.length} service, ${new Set(run).size} script`;
  },
};
