/** Snapshots made wrong, to try the policies on. */
import type { POLICIES } from './policies.js';
import { ofType, type Resource, type Snapshot } from './snapshot.js';

export interface Edit {
  policy: keyof typeof POLICIES;
  what: string;
  edit: (snapshot: Snapshot) => void;
  /** A part of what the policy says. */
  finds: string;
}

/** Sets a property of the first resource of a type; `a.b.0` goes into objects and arrays. */
function set(type: string, property: string, value: unknown, of = 0): Edit['edit'] {
  return (snapshot) => {
    const keys = property.split('.');
    const last = keys.pop()!;
    const inner = keys.reduce<unknown>(
      (object, key) => (object as Record<string, unknown>)[key],
      ofType(snapshot, type)[of],
    );
    (inner as Record<string, unknown>)[last] = value;
  };
}

const STORAGE = 'Microsoft.Storage/storageAccounts';
const SITE = 'Microsoft.Web/sites';
const ROLE = 'Microsoft.Authorization/roleAssignments';
const ALERT = 'Microsoft.Insights/scheduledQueryRules';
const QUERY = 'properties.criteria.allOf.0.query';
const setting =
  (name: string): Edit['edit'] =>
  (snapshot) => {
    const [site] = ofType(snapshot, SITE) as [
      Resource & { properties: { siteConfig: { appSettings: unknown[] } } },
    ];
    site.properties.siteConfig.appSettings.push({ name, value: 'x' });
  };
const withoutSetting =
  (name: string): Edit['edit'] =>
  (snapshot) => {
    const [site] = ofType(snapshot, SITE) as [
      Resource & { properties: { siteConfig: { appSettings: { name: string }[] } } },
    ];
    const { siteConfig } = site.properties;
    siteConfig.appSettings = siteConfig.appSettings.filter((other) => other.name !== name);
  };

export const EDITS: Edit[] = [
  {
    policy: 'previewed',
    what: 'a module that a preview cannot see into',
    edit: ({ diagnostics }) => diagnostics.push('Warning NestedDeploymentShortCircuited: network'),
    finds: 'NestedDeploymentShortCircuited',
  },
  {
    policy: 'keysOff',
    what: 'keys of storage',
    edit: set(STORAGE, 'properties.allowSharedKeyAccess', true),
    finds: 'allowSharedKeyAccess is not false',
  },
  {
    policy: 'keysOff',
    what: 'old TLS',
    edit: set(STORAGE, 'properties.minimumTlsVersion', 'TLS1_0', 1),
    finds: 'minimumTlsVersion is not TLS1_2',
  },
  {
    policy: 'keysOff',
    what: 'public blobs',
    edit: set(STORAGE, 'properties.allowBlobPublicAccess', undefined),
    finds: 'allowBlobPublicAccess is not false',
  },
  {
    policy: 'keysOff',
    what: 'passwords of FTP',
    edit: set('Microsoft.Web/sites/basicPublishingCredentialsPolicies', 'name', 'func/other'),
    finds: 'passwords of ftp are not switched off',
  },
  {
    policy: 'roles',
    what: 'a role on the whole group',
    edit: set(ROLE, 'id', `/subscriptions/0/resourceGroups/rg-test/providers/${ROLE}/1`),
    finds: 'Monitoring Metrics Publisher is given on /subscriptions/0/resourceGroups/rg-test',
  },
  {
    policy: 'roles',
    what: 'a role that this app has no use for',
    edit: set(ROLE, 'properties.roleDefinitionId', '/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635'),
    finds: 'An unknown role',
  },
  {
    policy: 'roles',
    what: 'a role of somebody whom nobody named',
    edit: set(ROLE, 'properties.principalId', '[deployer().objectId]'),
    finds: 'is given to [deployer().objectId]',
  },
  {
    policy: 'roles',
    what: 'an operator who can read the keys of the app',
    edit: set(ROLE, 'properties.principalId', '11111111-1111-1111-1111-111111111111', 2),
    finds: 'Storage Blob Data Owner is given to 11111111',
  },
  {
    policy: 'settings',
    what: 'a setting that the code reads and nobody sets',
    edit: withoutSetting('AppStorage__tableServiceUri'),
    finds: 'AppStorage__tableServiceUri is read by src/storage/clients.ts, and not set',
  },
  {
    policy: 'settings',
    what: 'the setting that host.json of the scheduler names, where it is not set',
    edit: withoutSetting('DURABLE_TASK_SCHEDULER_CONNECTION_STRING'),
    finds: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING is read by host.json, and not set',
  },
  {
    policy: 'settings',
    what: 'a setting that nothing reads',
    edit: setting('FAR_AWAY'),
    finds: 'FAR_AWAY is set, and nothing reads it',
  },
  {
    policy: 'settings',
    what: 'a connection string in place of an identity',
    edit: setting('AppStorage'),
    finds: 'AppStorage is set',
  },
  {
    policy: 'noWildcards',
    what: 'pages from everywhere',
    edit: set(SITE, 'properties.siteConfig.cors.allowedOrigins.0', '*'),
    finds: 'allowedOrigins * lets',
  },
  {
    policy: 'noWildcards',
    what: 'a firewall for everybody',
    edit: set('Microsoft.DurableTask/schedulers', 'properties.ipAllowlist', ['0.0.0.0/0']),
    finds: 'ipAllowlist 0.0.0.0/0 lets everybody in',
  },
  {
    policy: 'noWildcards',
    what: 'an account that is private and public',
    edit: set(STORAGE, 'properties.publicNetworkAccess', 'Enabled'),
    finds: 'has a private endpoint, and is open to the public network',
  },
  {
    policy: 'noSecrets',
    what: 'a key in an output',
    edit: ({ outputs }) => {
      outputs['KEY'] = "[listKeys('/subscriptions/0/account', '2024-01-01').keys[0].value]";
    },
    finds: 'output KEY shows a secret',
  },
  {
    policy: 'noSecrets',
    what: 'a connection string in an output',
    edit: ({ outputs }) => {
      outputs['TELEMETRY'] = "[reference('/subscriptions/0/appi', '2020-02-02').ConnectionString]";
    },
    finds: 'output TELEMETRY shows a secret',
  },
  {
    policy: 'noSecrets',
    what: 'a key in a text',
    edit: set(SITE, 'properties.siteConfig.appSettings.0.value', 'AccountName=a;AccountKey=b'),
    finds: 'value holds a secret',
  },
  {
    policy: 'signals',
    what: 'a table that there is not',
    edit: set(ALERT, QUERY, "AppTrace | where Message == 'workflow.failed'"),
    finds: 'AppTrace',
  },
  {
    policy: 'signals',
    what: 'a column that there is not',
    edit: set(ALERT, QUERY, "AppTraces | where Text == 'workflow.failed'"),
    finds: "'Text'",
  },
  {
    policy: 'signals',
    what: 'an alert on what nothing sends',
    edit: set(ALERT, QUERY, "AppTraces | where Message == 'workflow.broken'"),
    finds: 'nothing in src/ sends workflow.broken',
  },
  {
    policy: 'bounded',
    what: 'an app that scales without a limit',
    edit: set(SITE, 'properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount', undefined),
    finds: 'scales out without a limit',
  },
  {
    policy: 'bounded',
    what: 'logs without a cap',
    edit: set('Microsoft.OperationalInsights/workspaces', 'properties.workspaceCapping', undefined),
    finds: 'has no daily cap',
  },
  {
    policy: 'azdFinds',
    what: 'two resources for one service',
    edit: set('Microsoft.Web/serverfarms', 'tags', { 'azd-service-name': 'app' }),
    finds: '2 resources are tagged azd-service-name: app',
  },
];
