/** What has to hold of the resources that `infra/` deploys, and what the compiler cannot know. */
import { errorsOf } from './queries.js';
import { settings } from './settings.js';
import { at, called, ofType, type Policy, read, type Snapshot, sources, texts } from './snapshot.js';

/** A preview shows all of it: nothing waits for what is known only during the deployment. */
const previewed: Policy = ({ diagnostics }) => diagnostics;

/** Has to be so in every resource of a type. */
const SETTLED: Record<string, Record<string, unknown>> = {
  'Microsoft.Storage/storageAccounts': {
    'properties.allowSharedKeyAccess': false,
    'properties.allowBlobPublicAccess': false,
    'properties.minimumTlsVersion': 'TLS1_2',
    'properties.supportsHttpsTrafficOnly': true,
    'properties.allowCrossTenantReplication': false,
  },
  'Microsoft.Storage/storageAccounts/blobServices/containers': { 'properties.publicAccess': 'None' },
  'Microsoft.Insights/components': { 'properties.DisableLocalAuth': true },
  'Microsoft.OperationalInsights/workspaces': { 'properties.features.disableLocalAuth': true },
  'Microsoft.DurableTask/schedulers': { 'properties.publicNetworkAccess': 'Disabled' },
  'Microsoft.KeyVault/vaults': {
    'properties.enableRbacAuthorization': true,
    'properties.enableSoftDelete': true,
  },
  'Microsoft.Web/sites': {
    'properties.httpsOnly': true,
    'properties.siteConfig.minTlsVersion': '1.2',
    'properties.siteConfig.scmMinTlsVersion': '1.2',
    'properties.siteConfig.ftpsState': 'Disabled',
    'identity.type': 'UserAssigned',
    'properties.functionAppConfig.deployment.storage.authentication.type': 'UserAssignedIdentity',
  },
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': { 'properties.allow': false },
};

const keysOff: Policy = (snapshot) => {
  const passwords = ofType(snapshot, 'Microsoft.Web/sites/basicPublishingCredentialsPolicies');
  return [
    ...snapshot.predictedResources.flatMap((resource) =>
      Object.entries(SETTLED[resource.type] ?? {})
        .filter(([property, wanted]) => at(resource, property) !== wanted)
        .map(([property, wanted]) => `${called(resource)}: ${property} is not ${String(wanted)}`),
    ),
    ...['ftp', 'scm']
      .filter((name) => !passwords.some((resource) => resource.name.endsWith(`/${name}`)))
      .map((name) => `passwords of ${name} are not switched off`),
  ];
};

/** https://learn.microsoft.com/azure/role-based-access-control/built-in-roles */
const ROLES: Record<string, { role: string; on: RegExp; operator?: true }> = {
  'b7e6dc6d-f1e8-4753-8033-0f276bb0955b': {
    role: 'Storage Blob Data Owner',
    on: /\/storageAccounts\/sthost\w+$/,
  },
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe': {
    role: 'Storage Blob Data Contributor',
    on: /\/storageAccounts\/stdata\w+$/,
    operator: true,
  },
  '974c5e8b-45b9-4653-ba55-5f855dd0fb88': {
    role: 'Storage Queue Data Contributor',
    on: /\/storageAccounts\/st(?:host|data)\w+$/,
    operator: true,
  },
  '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3': {
    role: 'Storage Table Data Contributor',
    on: /\/storageAccounts\/st(?:host|data)\w+$/,
    operator: true,
  },
  '4633458b-17de-408a-b874-0445c86b69e6': {
    role: 'Key Vault Secrets User',
    on: /\/vaults\/kv-\w+$/,
  },
  '3913510d-42f4-4e42-8a64-420c390055eb': {
    role: 'Monitoring Metrics Publisher',
    on: /\/components\/[\w-]+$/,
  },
  '0ad04412-c4d5-4796-b79c-f76d14c8d402': {
    role: 'Durable Task Data Contributor',
    on: /\/schedulers\/[\w-]+\/taskHubs\/\w+$/,
    operator: true,
  },
};

/** Each role is a known one, on one resource that it is for, and the operator has none on the account of keys and code. */
const roles: Policy = (snapshot) =>
  ofType(snapshot, 'Microsoft.Authorization/roleAssignments').flatMap(({ id, properties }) => {
    const scope = id.split('/providers/Microsoft.Authorization/')[0]!;
    const principal = String(at(properties, 'principalId'));
    const given = ROLES[String(at(properties, 'roleDefinitionId')).split('/').at(-1)!];
    const isApp = /^\[reference\('[^']*\/userAssignedIdentities\/[\w-]+', '[\d-]+'\)\.principalId\]$/.test(
      principal,
    );
    const isOperator = /^[\da-f-]{36}$/.test(principal);
    const name = given?.role ?? 'An unknown role';
    return [
      ...(given && given.on.test(scope) ? [] : [`${name} is given on ${scope}`]),
      ...(isApp || (isOperator && given?.operator && !/\/sthost\w+$/.test(scope))
        ? []
        : [`${name} is given to ${principal}`]),
      ...(isApp && at(properties, 'principalType') !== 'ServicePrincipal'
        ? [`${name}: without the type of its principal, Azure may not find a new identity yet`]
        : []),
    ];
  });

const DOORS =
  /^(?:ipAllowlist|ipRules|ipSecurityRestrictions|scmIpSecurityRestrictions|allowedOrigins|(?:source|destination)AddressPrefix(?:es)?|ipAddress|startIpAddress|endIpAddress|value)$/;
const ANYWHERE = /^(?:https?:\/\/)?(?:\*|0\.0\.0\.0(?:\/0)?|::\/0|Internet|Any)$/;

/** No firewall or CORS rule lets everybody in, and what has a private endpoint has no public one. */
const noWildcards: Policy = (snapshot) => {
  const reached = new Set(
    ofType(snapshot, 'Microsoft.Network/privateEndpoints').flatMap(({ properties }) =>
      (at(properties, 'privateLinkServiceConnections') as unknown[]).map((link) =>
        at(link, 'properties.privateLinkServiceId'),
      ),
    ),
  );
  return snapshot.predictedResources.flatMap((resource) => [
    ...[...texts(resource)]
      .filter(({ key, text }) => DOORS.test(key) && ANYWHERE.test(text))
      .map(({ key, text }) => `${called(resource)}: ${key} ${text} lets everybody in`),
    ...(reached.has(resource.id) && at(resource, 'properties.publicNetworkAccess') !== 'Disabled'
      ? [`${called(resource)} has a private endpoint, and is open to the public network`]
      : []),
  ]);
};

const SECRET =
  /\blist(?:Keys|Secrets|AccountSas|ServiceSas|Credentials)\(|AccountKey=|SharedAccess(?:Key|Signature)=|[?&]sig=|-----BEGIN|InstrumentationKey=/i;

/** No secret in a text, and none in an output. */
const noSecrets: Policy = ({ predictedResources, outputs }) => [
  ...predictedResources.flatMap((resource) =>
    [...texts(resource)]
      .filter(({ text }) => SECRET.test(text))
      .map(({ key }) => `${called(resource)}: ${key} holds a secret`),
  ),
  ...[...texts(outputs)]
    .filter(({ text }) => SECRET.test(text) || /\.(?:ConnectionString|InstrumentationKey)\b/.test(text))
    .map(({ key }) => `output ${key} shows a secret`),
];

const asked =
  /\b(?:Name|Message|OuterMessage) (?:==|startswith) '([^']+)'|\bName in \(([^)]+)\)|\bProperties\['([^']+)'\]/g;

/** Alerts and workbook ask for what the app sends, of tables and columns that there are. */
const signals: Policy = (snapshot) => {
  const queries = [
    ...ofType(snapshot, 'Microsoft.Insights/scheduledQueryRules').flatMap((resource) =>
      [...texts(resource.properties)]
        .filter(({ key }) => key === 'query')
        .map(({ text }) => ({ of: called(resource), text })),
    ),
    ...ofType(snapshot, 'Microsoft.Insights/workbooks').flatMap((resource) =>
      [...texts(JSON.parse(String(at(resource, 'properties.serializedData'))))]
        .filter(({ key }) => key === 'query')
        .map(({ text }) => ({ of: called(resource), text })),
    ),
  ];
  const sent = (name: string): boolean =>
    [...sources.values()].some((source) => source.includes(`'${name}${name.endsWith('.') ? '' : "'"}`));
  return queries.flatMap(({ of, text }) => {
    const names = [...text.matchAll(asked)].flatMap(([, one, list, attribute]) =>
      list === undefined ? [one ?? attribute!] : [...list.matchAll(/'([^']+)'/g)].map(([, name]) => name!),
    );
    return [
      ...errorsOf(text).map((error) => `${of}: ${error}`),
      ...(names.length === 0 ? [`${of} asks for nothing that the app sends`] : []),
      ...names.filter((name) => !sent(name)).map((name) => `${of}: nothing in src/ sends ${name}`),
    ];
  });
};

/** What an anonymous caller can make it cost has a bound: instances and logs. */
const bounded: Policy = (snapshot) => [
  ...ofType(snapshot, 'Microsoft.Web/sites')
    .filter(
      (site) =>
        typeof at(site, 'properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount') !== 'number',
    )
    .map((site) => `${called(site)} scales out without a limit`),
  ...ofType(snapshot, 'Microsoft.OperationalInsights/workspaces')
    .filter((workspace) => !(Number(at(workspace, 'properties.workspaceCapping.dailyQuotaGb')) > 0))
    .map((workspace) => `${called(workspace)} has no daily cap`),
];

/** azd finds the environment by the group, and the one resource that each service of azure.yaml is deployed to. */
const azdFinds: Policy = (snapshot) => {
  const services = [
    ...(/^services:\n((?:[ #].*\n)*)/m.exec(read('azure.yaml'))?.[1] ?? '').matchAll(/^ {2}([\w-]+):$/gm),
  ].map(([, name]) => name!);
  const tagged = snapshot.predictedResources.flatMap(({ tags }) => tags?.['azd-service-name'] ?? []);
  return [
    ...[...new Set([...services, ...tagged])]
      .filter(
        (service) => tagged.filter((tag) => tag === service).length !== 1 || !services.includes(service),
      )
      .map(
        (service) =>
          `${tagged.filter((tag) => tag === service).length} resources are tagged azd-service-name: ${service}`,
      ),
    ...ofType(snapshot, 'Microsoft.Resources/resourceGroups')
      .filter(({ tags }) => !tags?.['azd-env-name'])
      .map((group) => `${called(group)} has no tag azd-env-name`),
  ];
};

export const POLICIES = {
  previewed,
  keysOff,
  roles,
  settings,
  noWildcards,
  noSecrets,
  signals,
  bounded,
  azdFinds,
};

export function findingsOf(snapshot: Snapshot): string[] {
  return Object.values(POLICIES).flatMap((policy) => policy(snapshot));
}
