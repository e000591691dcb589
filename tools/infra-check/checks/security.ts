/** Who gets in, and to what. */
import type { Node } from 'web-tree-sitter';
import { type Bicep, calls, children, get, literal, type Resource } from '../bicep.ts';
import type { Check, Report } from '../check.ts';
import { origins } from '../origins.ts';
import type { Project } from '../project.ts';

/** What has to stand, literally, in every resource of a type: a condition would let it be otherwise. */
const SETTLED: Record<string, Record<string, string>> = {
  'Microsoft.Storage/storageAccounts': {
    'properties.allowSharedKeyAccess': 'false',
    'properties.allowBlobPublicAccess': 'false',
    'properties.minimumTlsVersion': "'TLS1_2'",
    'properties.supportsHttpsTrafficOnly': 'true',
    'properties.allowCrossTenantReplication': 'false',
  },
  'Microsoft.Storage/storageAccounts/blobServices/containers': { 'properties.publicAccess': "'None'" },
  'Microsoft.Insights/components': { 'properties.DisableLocalAuth': 'true' },
  'Microsoft.OperationalInsights/workspaces': { 'properties.features.disableLocalAuth': 'true' },
  'Microsoft.Web/sites': {
    'properties.httpsOnly': 'true',
    'properties.siteConfig.minTlsVersion': "'1.2'",
    'properties.siteConfig.scmMinTlsVersion': "'1.2'",
    'properties.siteConfig.ftpsState': "'Disabled'",
    'identity.type': "'UserAssigned'",
    'properties.functionAppConfig.deployment.storage.authentication.type': "'UserAssignedIdentity'",
  },
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': { 'properties.allow': 'false' },
};

/** https://learn.microsoft.com/azure/role-based-access-control/built-in-roles */
const ROLES: Record<string, { name: string; on: string }> = {
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': {
    name: 'Storage Blob Data Owner',
    on: 'Microsoft.Storage/storageAccounts',
  },
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': {
    name: 'Storage Blob Data Contributor',
    on: 'Microsoft.Storage/storageAccounts',
  },
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': {
    name: 'Storage Queue Data Contributor',
    on: 'Microsoft.Storage/storageAccounts',
  },
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': {
    name: 'Storage Table Data Contributor',
    on: 'Microsoft.Storage/storageAccounts',
  },
  '3913510d-42f4-4e42-8a64-420c390055eb': {
    name: 'Monitoring Metrics Publisher',
    on: 'Microsoft.Insights/components',
  },
  '0ad04412-c4d5-4796-b79c-f76d14c8d402': {
    name: 'Durable Task Data Contributor',
    on: 'Microsoft.DurableTask/schedulers/taskHubs',
  },
};

/** Whom a role may be given to. */
const PRINCIPALS = {
  resource: 'Microsoft.ManagedIdentity/userAssignedIdentities',
  parameter: 'operatorPrincipalId',
};

const SECRET_NAME = /secret|password|passwd|apikey|accountkey|sharedkey|accesskey|sastoken|connectionstring/i;
const SECRET_TEXT = /AccountKey=|SharedAccess(?:Key|Signature)=|[?&]sig=|-----BEGIN|InstrumentationKey=/;
const ANYWHERE = /^(?:\*|0\.0\.0\.0(?:\/0)?|::\/0|Internet|Any)$/;

function* resources({ files }: Project): Generator<{ file: Bicep; resource: Resource }> {
  for (const file of files.values())
    for (const resource of file.resources.values()) if (!resource.existing) yield { file, resource };
}

export const keysOff: Check = {
  title:
    'Keys, passwords, public blobs and old TLS are off, without a condition: storage, telemetry, the app and its deployment',
  run: (project, report) => {
    let looked = 0;
    const published = new Set<string>();
    for (const { file, resource } of resources(project)) {
      for (const [path, wanted] of Object.entries(SETTLED[resource.type] ?? {})) {
        looked += 1;
        const value = get(resource.body, path);
        if (value?.text !== wanted) report(file.path, value ?? resource.node, `${path} has to be ${wanted}`);
      }
      if (resource.type.endsWith('/basicPublishingCredentialsPolicies'))
        published.add(literal(get(resource.body, 'name')) ?? '');
      if (resource.type === 'Microsoft.Web/sites') {
        for (const name of ['ftp', 'scm']) {
          looked += 1;
          const there = [...file.resources.values()].some(
            (other) =>
              other.type.endsWith('/basicPublishingCredentialsPolicies') &&
              literal(get(other.body, 'name')) === name,
          );
          if (!there) report(file.path, resource.node, `passwords of ${name} are not switched off`);
        }
      }
    }
    return `${looked} properties`;
  },
};

export const noSecrets: Check = {
  title: 'No secret in a text, an output or a parameter that is not secure; keys are never listed',
  run: ({ files }, report) => {
    let looked = 0;
    for (const [path, { root, parameters, outputs }] of files) {
      for (const { name, node, secure } of [...parameters.values(), ...outputs.values()]) {
        looked += 1;
        if (SECRET_NAME.test(name) && !secure)
          report(path, node, `${name} is called like a secret, and is not @secure`);
      }
      for (const { name, node, value } of outputs.values()) {
        const shown = /\.(?:ConnectionString|InstrumentationKey|primaryKey|keys)\b/i.exec(value.text)?.[0];
        if (shown !== undefined) report(path, node, `${name} shows ${shown}`);
      }
      for (const { name, node, default: value, secure } of parameters.values()) {
        if (secure && value && literal(value) !== '')
          report(path, node, `${name} is secret, and has a default`);
      }
      for (const { name, node } of calls(root)) {
        looked += 1;
        if (/^list[A-Z]/.test(name) || name === 'getSecret')
          report(path, node, `${name} gives a key: identities need none`);
      }
      for (const text of root.descendantsOfType('string_content')) {
        looked += 1;
        if (SECRET_TEXT.test(text.text)) report(path, text, 'looks like a secret');
      }
    }
    return `${looked} texts, names and calls`;
  },
};

export const roles: Check = {
  title:
    "Each role is a known one, on one resource of the kind it is for, given to the app's identity or to the operator that is asked for",
  run: (project, report) => {
    let given = 0;
    for (const { file, resource } of resources(project)) {
      if (resource.type !== 'Microsoft.Authorization/roleAssignments') continue;
      const say = (node: Node | undefined, message: string): void => {
        report(file.path, node ?? resource.node, message);
      };
      const principal = get(resource.body, 'properties.principalId');
      for (const origin of principal ? origins(project, file, principal) : []) {
        if (
          origin.kind === 'resource'
            ? origin.resource.type !== PRINCIPALS.resource || origin.path !== 'properties.principalId'
            : origin.kind !== 'parameter' || origin.parameter.name !== PRINCIPALS.parameter
        )
          say(principal, 'is given to somebody who is neither the app nor the operator');
      }
      if (!get(resource.body, 'properties.principalType'))
        say(undefined, 'principalType is not said: a new identity would not be found yet');

      const scope = get(resource.body, 'scope');
      const on = scope
        ? origins(project, file, scope).map((origin) =>
            origin.kind === 'resource' && origin.path === '' ? origin.resource.type : '',
          )
        : [''];
      const definition = get(resource.body, 'properties.roleDefinitionId');
      const { name, args } =
        definition?.type === 'call_expression' ? calls(definition)[0]! : { name: '', args: [] };
      const role = args[1];
      if (
        name !== 'subscriptionResourceId' ||
        literal(args[0]) !== 'Microsoft.Authorization/roleDefinitions' ||
        !role
      ) {
        say(definition, "is not subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)");
        continue;
      }
      for (const origin of origins(project, file, role)) {
        given += 1;
        const known = origin.kind === 'literal' ? ROLES[origin.value] : undefined;
        if (!known)
          say(
            role,
            `${origin.kind === 'literal' ? origin.value : role.text} is not a role that is given here`,
          );
        else if (on.some((type) => type !== known.on))
          say(scope, `${known.name} is given on ${on.join(', ') || 'everything'} and not on one ${known.on}`);
      }
      checkName(resource, [`${scope?.text}.id`, principal?.text ?? '', role.text], say);
    }
    return `${given} roles in assignments`;
  },
};

/** Assignments are told apart by their names alone. */
function checkName(
  resource: Resource,
  parts: string[],
  say: (node: Node | undefined, message: string) => void,
): void {
  const name = get(resource.body, 'name');
  const call = name?.type === 'call_expression' ? calls(name)[0] : undefined;
  const has = call?.name === 'guid' ? call.args.map((argument) => argument.text) : [];
  for (const part of parts)
    if (!has.includes(part))
      say(name, `name is not guid(...) of ${part} too: another assignment could get the same`);
}

/** Where a text lets callers in: firewalls, CORS, security rules. */
const DOORS =
  /^(?:ipAllowlist|ipRules|ipSecurityRestrictions|scmIpSecurityRestrictions|allowedOrigins|sourceAddressPrefix|sourceAddressPrefixes|value|ipAddress|startIpAddress|endIpAddress)$/;

export const noWildcards: Check = {
  title:
    'No firewall, CORS or network rule lets everybody in; what is open to the public network closes with privateNetwork',
  run: (project, report) => {
    let looked = 0;
    for (const { file, resource } of resources(project)) {
      for (const property of resource.body.descendantsOfType('object_property')) {
        const [key, value] = children(property);
        if (!key || !value || !DOORS.test(key.text)) continue;
        looked += 1;
        for (const origin of origins(project, file, value)) {
          const text =
            origin.kind === 'literal'
              ? origin.value
              : origin.kind === 'parameter'
                ? literal(origin.parameter.default)
                : undefined;
          if (text !== undefined && ANYWHERE.test(text))
            report(file.path, value, `${key.text} '${text}' is everybody`);
        }
      }
      looked += closes(project, file, resource, 'properties.publicNetworkAccess', 'Disabled', report);
      looked += closes(project, file, resource, 'properties.networkAcls.defaultAction', 'Deny', report);
    }
    for (const { file, resource } of resources(project)) {
      if (resource.type !== 'Microsoft.Storage/storageAccounts') continue;
      for (const path of ['properties.publicNetworkAccess', 'properties.networkAcls.defaultAction']) {
        if (!get(resource.body, path)) report(file.path, resource.node, `${path} is not said`);
      }
    }
    return `${looked} rules`;
  },
};

/** A door has to be one that can be shut. */
function closes(
  project: Project,
  file: Bicep,
  resource: Resource,
  path: string,
  shut: string,
  report: Report,
): number {
  const value = get(resource.body, path);
  if (!value) return 0;
  const can = origins(project, file, value).some(
    (origin) => origin.kind === 'literal' && origin.value === shut,
  );
  if (!can) report(file.path, value, `${path} is never '${shut}'`);
  return 1;
}
