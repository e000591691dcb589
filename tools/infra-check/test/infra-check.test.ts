/** Each check holds on infra/ as it is, and fails on infra/ made wrong on purpose. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runChecks, type Check } from '../check.ts';
import { readsPublished, typesPublished } from '../checks/azure-types.ts';
import { CHECKS } from '../checks/index.ts';
import { filesLoad, modulesFit, namesResolve, parses } from '../checks/language.ts';
import { azdFinds, parametersFit, workflowPasses } from '../checks/parameters.ts';
import { keysOff, noSecrets, noWildcards, roles } from '../checks/security.ts';
import { settingsAgree } from '../checks/settings.ts';
import { signalsAreSent } from '../checks/signals.ts';
import { makeProject, readTexts } from '../project.ts';

const root = path.resolve(import.meta.dirname, '../../..');

const MAIN = 'infra/main.bicep';
const PARAMETERS = 'infra/main.parameters.json';
const ALERTS = 'infra/modules/alerts.bicep';
const APP = 'infra/modules/function-app.bicep';
const IDENTITY = 'infra/modules/identity.bicep';
const MONITORING = 'infra/modules/monitoring.bicep';
const ROLES = 'infra/modules/storage-roles.bicep';
const SCHEDULER = 'infra/modules/scheduler.bicep';
const STORAGE = 'infra/modules/storage.bicep';

type Change = readonly [file: string, from: string, to: string];

const texts = await readTexts(root);

/** The file with its first `from` made `to`; `from` empty puts `to` at the end. */
function changed(file: string, from: string, to: string): string {
  const text = texts.get(file);
  expect(text, `${file} has no ${from}`).toContain(from);
  return from === '' ? `${text}\n${to}\n` : text!.replace(from, () => to);
}

async function findings(check: Check, file?: string, text = ''): Promise<string[]> {
  const project = await makeProject(file === undefined ? texts : new Map([...texts, [file, text]]));
  return runChecks(project, [check])[0]!.findings.map((finding) => `${finding.file} ${finding.message}`);
}

const WRONG: readonly (readonly [check: Check, wrong: string, change: Change, says: string])[] = [
  [
    parses,
    'a brace is missing',
    [IDENTITY, 'tags: tags\n}', 'tags: tags\n'],
    `${IDENTITY} is not understood here`,
  ],
  [
    parses,
    'a statement that no check reads',
    [IDENTITY, '', "import { a } from 'a.bicep'"],
    `${IDENTITY} import_functionality: no check looks at these`,
  ],
  [
    namesResolve,
    'a misspelt name',
    [IDENTITY, 'tags: tags', 'tags: tag'],
    `${IDENTITY} tag stands for nothing`,
  ],
  [
    namesResolve,
    'a parameter that nothing uses',
    [IDENTITY, '', 'param extra string'],
    `${IDENTITY} extra is not used`,
  ],
  [
    namesResolve,
    'a variable that nothing uses',
    [IDENTITY, '', "var extra = 'a'"],
    `${IDENTITY} extra is not used`,
  ],
  [
    namesResolve,
    'one name for two things',
    [IDENTITY, '', "var name = 'a'"],
    `${IDENTITY} name is declared twice`,
  ],
  [
    namesResolve,
    'a misspelt function',
    [MAIN, 'toLower(uniqueString', 'toLowerCase(uniqueString'],
    `${MAIN} toLowerCase is not a function known here`,
  ],
  [
    modulesFit,
    'a path to nowhere',
    [MAIN, "'modules/identity.bicep'", "'modules/identities.bicep'"],
    `${MAIN} there is no file infra/modules/identities.bicep`,
  ],
  [
    modulesFit,
    'a parameter that the module does not have',
    [IDENTITY, 'param name string', 'param names string'],
    `${MAIN} modules/identity.bicep has no parameter name`,
  ],
  [
    modulesFit,
    'a parameter that is not given',
    [IDENTITY, '', 'param extra string'],
    `${MAIN} modules/identity.bicep is not given extra`,
  ],
  [
    modulesFit,
    'a misspelt part of a module',
    [MAIN, 'dependsOn: [appStorageRoles]', 'dependson: [appStorageRoles]'],
    `${MAIN} a module takes no dependson`,
  ],
  [
    modulesFit,
    'a number for a text',
    [MAIN, "name: 'id-${token}'", 'name: 7'],
    `${MAIN} name of modules/identity.bicep is string, and gets int`,
  ],
  [
    modulesFit,
    'an output that is not there',
    [MAIN, 'identity.outputs.clientId', 'identity.outputs.client'],
    `${MAIN} modules/identity.bicep has no output client`,
  ],
  [
    modulesFit,
    'something else than an output',
    [MAIN, 'monitoring.outputs.workspaceId', 'monitoring.output.workspaceId'],
    `${MAIN} of a module its outputs can be read, and not output`,
  ],
  [
    modulesFit,
    'an output that nobody asks for',
    [IDENTITY, '', 'output extra string = name'],
    `${IDENTITY} nobody asks for extra`,
  ],
  [
    modulesFit,
    'an output of what may not be deployed',
    [MAIN, 'scheduler!.outputs.id', 'scheduler.outputs.id'],
    `${MAIN} scheduler is not always deployed: say scheduler! where it is`,
  ],
  [
    filesLoad,
    'a file that is not there',
    ['infra/modules/workbook.bicep', '../workbook.json', '../workbooks.json'],
    'infra/modules/workbook.bicep there is no file ../workbooks.json',
  ],
  [
    filesLoad,
    'a file that is not JSON',
    ['infra/workbook.json', '"version"', 'version'],
    'infra/modules/workbook.bicep ../workbook.json is not JSON',
  ],
  [
    filesLoad,
    'a value that the file does not have',
    ['host.json', '"hubName"', '"hub"'],
    `${MAIN} ../host.json has no extensions.durableTask.hubName`,
  ],
  [
    parametersFit,
    'a parameter that is not there',
    [PARAMETERS, '"storageSku"', '"sku"'],
    `${PARAMETERS} main.bicep has no parameter sku`,
  ],
  [
    parametersFit,
    'a required parameter that is not given',
    [PARAMETERS, '"location"', '"region"'],
    `${MAIN} location is required, and not in ${PARAMETERS}`,
  ],
  [
    parametersFit,
    'a value that is not allowed',
    [PARAMETERS, 'DURABLE_BACKEND=storage', 'DURABLE_BACKEND=netherite'],
    `${PARAMETERS} durableBackend is 'netherite', which main.bicep does not allow`,
  ],
  [
    parametersFit,
    'two defaults for one parameter',
    [PARAMETERS, 'MAXIMUM_INSTANCE_COUNT=40', 'MAXIMUM_INSTANCE_COUNT=400'],
    `${PARAMETERS} maximumInstanceCount is '400' here and 40 in main.bicep`,
  ],
  [
    workflowPasses,
    'a variable that azd does not hand on',
    ['azure.yaml', '    - ALERT_EMAIL\n', ''],
    'azure.yaml pipeline has no variable ALERT_EMAIL',
  ],
  [
    workflowPasses,
    'a variable that the workflow does not take',
    ['.github/workflows/azure-dev.yml', 'vars.ALERT_EMAIL', 'secrets.ALERT_EMAIL'],
    '.github/workflows/azure-dev.yml does not pass ALERT_EMAIL on',
  ],
  [
    azdFinds,
    'an app without the tag',
    [MAIN, "'azd-service-name': 'app'", "'azd-service-name': 'api'"],
    'azure.yaml nothing in infra/ is tagged azd-service-name: app',
  ],
  [
    azdFinds,
    'a script that is not there',
    ['azure.yaml', 'run: npm run package', 'run: npm run pack'],
    'azure.yaml package.json has no script pack',
  ],
  [
    typesPublished,
    'an API version that was never published',
    [IDENTITY, '@2024-11-30', '@2024-11-31'],
    `${IDENTITY} Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-31 is not in types.json: if it is published, update-types.ts adds it`,
  ],
  [
    typesPublished,
    'a misspelt property',
    [STORAGE, 'allowSharedKeyAccess', 'allowSharedKeysAccess'],
    `${STORAGE} there is no property properties.allowSharedKeysAccess`,
  ],
  [
    typesPublished,
    'a property in the wrong place',
    [APP, 'httpsOnly: true', 'alwaysReady: []'],
    `${APP} there is no property properties.alwaysReady`,
  ],
  [
    typesPublished,
    'a text for a number',
    [STORAGE, 'days: 7', "days: '7'"],
    `${STORAGE} properties.deleteRetentionPolicy.days takes int, and gets string`,
  ],
  [
    typesPublished,
    'a value that is not one of those',
    [STORAGE, "'StorageV2'", "'StorageV3'"],
    `${STORAGE} kind takes `,
  ],
  [
    typesPublished,
    'a value that a parameter allows and Azure does not',
    [MAIN, "'Standard_LRS', ", "'Standard_LSR', "],
    `${STORAGE} sku.name takes `,
  ],
  [
    typesPublished,
    'a required property left out',
    [STORAGE, "kind: 'StorageV2'", ''],
    `${STORAGE} kind is required`,
  ],
  [
    typesPublished,
    'a property that only Azure writes',
    [STORAGE, "kind: 'StorageV2'", "kind: 'StorageV2'\n  id: 'a'"],
    `${STORAGE} id cannot be written`,
  ],
  [
    typesPublished,
    'a mistake behind a variable, a loop and a condition',
    [
      ALERTS,
      'emailReceivers: empty(email) ? [] : [\n      {\n        name',
      'emailReceivers: empty(email) ? [] : [\n      {\n        names',
    ],
    `${ALERTS} there is no property properties.emailReceivers.names`,
  ],
  [
    typesPublished,
    'what exists already, without its name',
    [APP, '  name: applicationInsightsName\n', ''],
    `${APP} which one it is has to be said: name`,
  ],
  [
    readsPublished,
    'a property that the resource does not have',
    [IDENTITY, 'properties.principalId', 'properties.principal'],
    `${IDENTITY} there is no principal to be read`,
  ],
  [
    readsPublished,
    'an address that came through an output and a parameter',
    [APP, 'hostStorage.queue ', 'hostStorage.queues '],
    `${APP} there is no queues to be read`,
  ],
  [
    readsPublished,
    'a property that one item of a loop does not have',
    [ALERTS, "    window: 'PT30M'\n", ''],
    `${ALERTS} there is no window to be read`,
  ],
  [
    settingsAgree,
    'a setting that the app reads and nobody sets',
    [APP, "  { name: 'AppStorage__queueServiceUri', value: dataStorage.queue }\n", ''],
    `${APP} AppStorage__queueServiceUri is read by src/storage/clients.ts, and not set`,
  ],
  [
    settingsAgree,
    'a setting that the host needs and nobody sets',
    [APP, "  { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }\n", ''],
    `${APP} AzureWebJobsStorage__credential is read by the host, and not set`,
  ],
  [
    settingsAgree,
    'a setting that nobody reads',
    [APP, "'AzureWebJobsDisableHomepage'", "'DisableHomepage'"],
    `${APP} DisableHomepage is set, and read by nobody`,
  ],
  [
    settingsAgree,
    'a connection string in place of an identity',
    [APP, "'AppStorage__clientId'", "'AppStorage'"],
    `${APP} AppStorage is set, although: a connection string holds a key: it is for a developer's machine, and Azure gets addresses and an identity`,
  ],
  [
    settingsAgree,
    'a new setting in the code',
    ['src/index.ts', '', "export const far = process.env['FAR_AWAY'];"],
    `${APP} FAR_AWAY is read by src/index.ts, and not set`,
  ],
  [
    settingsAgree,
    'settings read all at once',
    ['src/storage/clients.ts', '', 'export const all = { ...process.env };'],
    'which settings this reads cannot be told: name them, or give the name a type that lists them',
  ],
  [
    settingsAgree,
    'settings given to a function that nobody can follow',
    ['src/storage/clients.ts', '', 'start(process.env);'],
    'src/storage/clients.ts what start reads of the environment cannot be told: give its parameter the type Environment',
  ],
  [
    settingsAgree,
    'a setting read by a function that gets them all',
    [
      'src/index.ts',
      '',
      'function start(environment: Environment) { return environment["FAR_AWAY"]; }\nstart(process.env);',
    ],
    `${APP} FAR_AWAY is read by src/index.ts, and not set`,
  ],
  [
    settingsAgree,
    'a binding to a connection that has no settings',
    ['src/index.ts', '', "output.storageQueue({ queueName: 'a', connection: 'Other' });"],
    `${APP} Other__queueServiceUri is read by src/index.ts, and not set`,
  ],
  [
    signalsAreSent,
    'an alert on what nobody sends',
    [ALERTS, "'workflow.failed'", "'workflow.broken'"],
    `${ALERTS} nothing in src/ sends workflow.broken`,
  ],
  [
    signalsAreSent,
    'a metric that was renamed in the code',
    ['src/telemetry/workflows.ts', "'app.uptime'", "'process.uptime'"],
    `${ALERTS} nothing in src/ sends app.uptime`,
  ],
  [
    signalsAreSent,
    'a chart of an attribute that nobody sends',
    ['infra/workbook.json', "['faas.name']", "['faas.function']"],
    'infra/workbook.json nothing in src/ sends faas.function',
  ],
  [
    keysOff,
    'keys of storage on',
    [STORAGE, 'allowSharedKeyAccess: false', 'allowSharedKeyAccess: true'],
    `${STORAGE} properties.allowSharedKeyAccess has to be false`,
  ],
  [
    keysOff,
    'keys of storage on where a parameter says so',
    [STORAGE, 'allowSharedKeyAccess: false', 'allowSharedKeyAccess: publicAccess'],
    `${STORAGE} properties.allowSharedKeyAccess has to be false`,
  ],
  [
    keysOff,
    'old TLS',
    [STORAGE, "'TLS1_2'", "'TLS1_0'"],
    `${STORAGE} properties.minimumTlsVersion has to be 'TLS1_2'`,
  ],
  [
    keysOff,
    'public blobs',
    [STORAGE, 'allowBlobPublicAccess: false', ''],
    `${STORAGE} properties.allowBlobPublicAccess has to be false`,
  ],
  [
    keysOff,
    'telemetry by key',
    [MONITORING, 'DisableLocalAuth: true', 'DisableLocalAuth: false'],
    `${MONITORING} properties.DisableLocalAuth has to be true`,
  ],
  [
    keysOff,
    'passwords of FTP',
    [APP, "name: 'ftp'", "name: 'other'"],
    `${APP} passwords of ftp are not switched off`,
  ],
  [
    noSecrets,
    'a key in an output',
    [STORAGE, '', 'output access string = account.listKeys().keys[0].value'],
    `${STORAGE} listKeys gives a key: identities need none`,
  ],
  [
    noSecrets,
    'a connection string in an output',
    [MONITORING, '', 'output telemetry string = applicationInsights.properties.ConnectionString'],
    `${MONITORING} telemetry shows .ConnectionString`,
  ],
  [
    noSecrets,
    'a secret in a plain parameter',
    [MAIN, '', 'param signingSecret string'],
    `${MAIN} signingSecret is called like a secret, and is not @secure`,
  ],
  [
    noSecrets,
    'a secret with a default',
    [MAIN, '', "@secure()\nparam signingSecret string = 'abc'"],
    `${MAIN} signingSecret is secret, and has a default`,
  ],
  [
    noSecrets,
    'a secret in a text',
    [APP, "value: 'true'", "value: 'AccountName=a;AccountKey=b'"],
    `${APP} looks like a secret`,
  ],
  [
    roles,
    'a role on the whole resource group',
    [ROLES, '  scope: hostStorage\n', ''],
    `${ROLES} Storage Blob Data Owner is given on everything and not on one Microsoft.Storage/storageAccounts`,
  ],
  [
    roles,
    'a role on the wrong resource',
    [MONITORING, '  scope: applicationInsights\n', '  scope: workspace\n'],
    `${MONITORING} Monitoring Metrics Publisher is given on Microsoft.OperationalInsights/workspaces and not on one Microsoft.Insights/components`,
  ],
  [
    roles,
    'a role that is not on the list',
    [ROLES, 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b', '8e3af657-a8ff-443c-a75c-2fe8c4bcb635'],
    `${ROLES} 8e3af657-a8ff-443c-a75c-2fe8c4bcb635 is not a role that is given here`,
  ],
  [
    roles,
    'somebody else',
    [MAIN, 'principalId: operatorPrincipalId', 'principalId: deployer().objectId'],
    `${ROLES} is given to somebody who is neither the app nor the operator`,
  ],
  [
    roles,
    'two assignments of one name',
    [ROLES, 'guid(hostStorage.id, principalId, role)', 'guid(hostStorage.id, principalId)'],
    `${ROLES} name is not guid(...) of role too: another assignment could get the same`,
  ],
  [
    roles,
    'a kind of principal left open',
    [ROLES, '    principalType: principalType\n', ''],
    `${ROLES} principalType is not said: a new identity would not be found yet`,
  ],
  [
    noWildcards,
    'a firewall for everybody',
    [SCHEDULER, 'ipAllowlist: []', "ipAllowlist: ['0.0.0.0/0']"],
    `${SCHEDULER} ipAllowlist '0.0.0.0/0' is everybody`,
  ],
  [
    noWildcards,
    'pages from everywhere',
    [MAIN, 'empty(allowedOrigins) ? [] :', "empty(allowedOrigins) ? ['*'] :"],
    `${APP} allowedOrigins '*' is everybody`,
  ],
  [
    noWildcards,
    'pages from everywhere by default',
    [MAIN, "param allowedOrigins string = ''", "param allowedOrigins string = '*'"],
    `${APP} allowedOrigins '*' is everybody`,
  ],
  [
    noWildcards,
    'storage that never closes',
    [STORAGE, "publicAccess ? 'Allow' : 'Deny'", "'Allow'"],
    `${STORAGE} properties.networkAcls.defaultAction is never 'Deny'`,
  ],
  [
    noWildcards,
    'storage that does not say',
    [STORAGE, "publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'", ''],
    `${STORAGE} properties.publicNetworkAccess is not said`,
  ],
  [
    noWildcards,
    'a scheduler that everybody reaches',
    [SCHEDULER, "publicNetworkAccess: 'Disabled'", "publicNetworkAccess: 'Enabled'"],
    `${SCHEDULER} properties.publicNetworkAccess is never 'Disabled'`,
  ],
];

describe('infra/ as it is', () => {
  test.each(CHECKS.map((check) => [check.title, check] as const))('%s', async (_, check) => {
    expect(await findings(check)).toEqual([]);
  });
});

describe('infra/ made wrong: a check finds', () => {
  test.each(WRONG.map(([check, wrong, change, says]) => [wrong, check, change, says] as const))(
    '%s',
    async (_, check, [file, from, to], says) => {
      expect(await findings(check, file, changed(file, from, to))).toContainEqual(
        expect.stringContaining(says),
      );
    },
  );

  test('a module that nobody deploys', async () => {
    expect(await findings(modulesFit, 'infra/modules/extra.bicep')).toEqual([
      'infra/modules/extra.bicep is deployed by no other file',
    ]);
  });

  test('with every one of the checks', () => {
    expect(CHECKS.filter((check) => !WRONG.some(([other]) => other === check))).toEqual([]);
  });
});

test('a finding names its line', async () => {
  const wrong = changed(STORAGE, 'allowSharedKeyAccess: false', 'allowSharedKeyAccess: true');
  const project = await makeProject(new Map([...texts, [STORAGE, wrong]]));
  const line = wrong.split('\n').findIndex((text) => text.includes('allowSharedKeyAccess')) + 1;
  expect(runChecks(project, [keysOff])[0]!.findings).toEqual([
    { file: STORAGE, line, message: 'properties.allowSharedKeyAccess has to be false' },
  ]);
});

test('the program says what it checked, how much, and what it does not prove', () => {
  const said = execFileSync(process.execPath, [path.join(import.meta.dirname, '../index.ts')], {
    encoding: 'utf8',
  });
  expect(said.match(/^ok .*\(.*\d.*\)$/gm)).toHaveLength(CHECKS.length);
  expect(said).toContain('az bicep build');
});
