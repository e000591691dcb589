/** Mistakes that people make in Bicep: one of each kind, each found by the compiler, its linter or a policy. */

export interface Mistake {
  what: string;
  file: string;
  /** A text that is in the file, and what stands in its place. */
  from: string;
  to: string;
  /** A part of what is reported: the code of a diagnostic, or words of a policy. */
  finds: string;
}

const MAIN = 'infra/main.bicep';
const PARAMETERS = 'infra/main.bicepparam';
const STORAGE = 'infra/modules/storage.bicep';
const ROLES = 'infra/modules/storage-roles.bicep';
const APP = 'infra/modules/function-app.bicep';
const MONITORING = 'infra/modules/monitoring.bicep';
const ALERTS = 'infra/modules/alerts.bicep';
const NETWORK = 'infra/modules/network.bicep';

/** What the compiler and its linter find. */
export const FOUND_BY_THE_COMPILER: Mistake[] = [
  {
    what: 'a misspelt property',
    file: STORAGE,
    from: 'minimumTlsVersion',
    to: 'minimalTlsVersion',
    finds: 'BCP089',
  },
  {
    what: 'a wrong enum text',
    file: STORAGE,
    from: "accessTier: 'Hot'",
    to: "accessTier: 'Hott'",
    finds: 'BCP036',
  },
  {
    what: 'a wrong kind of value',
    file: MONITORING,
    from: 'retentionInDays: retentionDays',
    to: "retentionInDays: '30'",
    finds: 'BCP036',
  },
  {
    what: 'a property that is required',
    file: STORAGE,
    from: "  kind: 'StorageV2'\n",
    to: '',
    finds: 'BCP035',
  },
  {
    what: 'a property that is read-only',
    file: STORAGE,
    from: "accessTier: 'Hot'",
    to: "accessTier: 'Hot'\n    creationTime: ''",
    finds: 'BCP073',
  },
  {
    what: 'a property of another resource',
    file: APP,
    from: 'properties.ConnectionString',
    to: 'properties.Connection',
    finds: 'BCP053',
  },
  {
    what: 'a type that there is not',
    file: STORAGE,
    from: 'storageAccounts@2024-01-01',
    to: 'storageAccount@2024-01-01',
    finds: 'BCP081',
  },
  {
    what: 'an API version that there is not',
    file: MONITORING,
    from: 'workspaces@2025-02-01',
    to: 'workspaces@2025-02-31',
    finds: 'BCP081',
  },
  {
    what: 'a name that is declared nowhere',
    file: MAIN,
    from: 'sku: storageSku',
    to: 'sku: storageKind',
    finds: 'BCP057',
  },
  {
    what: 'a parameter that nothing uses',
    file: ALERTS,
    from: 'param token string',
    to: 'param token string\nparam other string',
    finds: 'BCP035',
  },
  {
    what: 'a variable that nothing uses',
    file: MAIN,
    from: 'var packageContainer',
    to: 'var other = 1\nvar packageContainer',
    finds: 'no-unused-vars',
  },
  {
    what: 'a parameter that a module does not have',
    file: MAIN,
    from: 'email: alertEmail',
    to: 'mail: alertEmail',
    finds: 'BCP089',
  },
  {
    what: 'a parameter that a module needs',
    file: MAIN,
    from: '    email: alertEmail\n',
    to: '',
    finds: 'BCP035',
  },
  {
    what: 'a parameter of a wrong type',
    file: MAIN,
    from: 'dailyCapGB: logDailyCapGB',
    to: 'dailyCapGB: location',
    finds: 'BCP036',
  },
  {
    what: 'a value that a parameter does not allow',
    file: MAIN,
    from: "principalType: 'ServicePrincipal'",
    to: "principalType: 'App'",
    finds: 'BCP036',
  },
  {
    what: 'an absent module scope',
    file: MAIN,
    from: "  name: 'identity'\n  scope: group\n",
    to: "  name: 'identity'\n",
    finds: 'BCP134',
  },
  {
    what: 'a module file that there is not',
    file: MAIN,
    from: 'modules/identity.bicep',
    to: 'modules/identities.bicep',
    finds: 'BCP091',
  },
  {
    what: 'an output that a module does not have',
    file: MAIN,
    from: 'identity.outputs.clientId',
    to: 'identity.outputs.client',
    finds: 'BCP083',
  },
  {
    what: 'a module that may be absent, read without a mark',
    file: MAIN,
    from: 'scheduler!.outputs',
    to: 'scheduler.outputs',
    finds: 'BCP318',
  },
  {
    what: 'a cycle',
    file: MAIN,
    from: 'dependsOn: [hostStorage, dataStorage, scheduler]',
    to: 'dependsOn: [app]',
    finds: 'BCP080',
  },
  {
    what: 'a function that there is not',
    file: NETWORK,
    from: 'cidrSubnet(addressPrefix, 26, 0)',
    to: 'subnet(addressPrefix, 26, 0)',
    finds: 'BCP057',
  },
  {
    what: 'a name that the preview cannot know',
    file: MAIN,
    from: '    assignee: identityName',
    to: '    assignee: identity.outputs.principalId',
    finds: 'what-if-short-circuiting',
  },
  {
    what: 'a key in an output',
    file: STORAGE,
    from: 'resource blobs',
    to: 'output key string = account.listKeys().keys[0].value\n\nresource blobs',
    finds: 'outputs-should-not-contain-secrets',
  },
  {
    what: 'a parameter of main.bicep without a value',
    file: PARAMETERS,
    from: "param alertEmail = readEnvironmentVariable('ALERT_EMAIL', '')\n",
    to: '',
    finds: 'BCP258',
  },
  {
    what: 'a value that main.bicep does not allow',
    file: PARAMETERS,
    from: "'Standard_LRS'",
    to: "'Standard'",
    finds: 'BCP033',
  },
  {
    what: 'a parameter that main.bicep does not have',
    file: PARAMETERS,
    from: 'param alertEmail',
    to: 'param alertMail',
    finds: 'BCP259',
  },
];

/** What compiles, and a policy finds. All of them can be made at once. */
export const FOUND_BY_POLICIES: Mistake[] = [
  {
    what: 'a line for a setting that nothing reads',
    file: PARAMETERS,
    from: 'param appSettings = {',
    to: "param appSettings = {\n  FAR_AWAY: 'x'",
    finds: 'FAR_AWAY is set, and nothing reads it',
  },
  {
    what: 'a role on the whole group',
    file: ROLES,
    from: '    scope: account\n',
    to: '',
    finds: 'is given on /subscriptions/',
  },
  {
    what: 'a role on the wrong resource',
    file: MONITORING,
    from: 'scope: applicationInsights',
    to: 'scope: workspace',
    finds: 'Monitoring Metrics Publisher is given on',
  },
  {
    what: 'keys that are on',
    file: STORAGE,
    from: 'allowSharedKeyAccess: false',
    to: 'allowSharedKeyAccess: true',
    finds: 'allowSharedKeyAccess is not false',
  },
  {
    what: 'a KQL column that is not there',
    file: ALERTS,
    from: '| where SeverityLevel >= 3',
    to: '| where Severity >= 3',
    finds: "'Severity'",
  },
  {
    what: 'a KQL function that is not there',
    file: ALERTS,
    from: 'Items = count()',
    to: 'Items = counts()',
    finds: "'counts'",
  },
  {
    what: 'a query that is cut off',
    file: ALERTS,
    from: "AppTraces\n| where Message == 'workflow.failed'",
    to: "AppTraces\n| where (Message == 'workflow.failed'",
    finds: 'scheduledQueryRules failed-orchestrations',
  },
  {
    what: 'a setting of the app that nothing reads',
    file: APP,
    from: "'AzureWebJobsDisableHomepage'",
    to: "'DisableHomepage'",
    finds: 'DisableHomepage is set, and nothing reads it',
  },
  {
    what: 'the tag of the service on the plan, too',
    file: APP,
    from: "  location: location\n  tags: tags\n  kind: 'functionapp'\n",
    to: "  location: location\n  tags: union(tags, { 'azd-service-name': 'app' })\n  kind: 'functionapp'\n",
    finds: '2 resources are tagged',
  },
  {
    what: 'a loop that the preview cannot unroll',
    file: MAIN,
    from: 'roles: dataServices',
    to: 'roles: empty(identity.outputs.clientId) ? [] : dataServices',
    finds: 'ShortCircuited',
  },
];
