/** The policy on app settings: what `infra/` sets and what the code reads. */
import { hostJson } from '../../tools/package.js';
import { settingsRead } from './settings-read.js';
import { at, ofType, type Policy, read, sources } from './snapshot.js';

/** Settings that the Functions host reads: https://learn.microsoft.com/azure/azure-functions/functions-app-settings */
const READ_BY_THE_HOST =
  /^(?:AzureWebJobsStorage__(?:(?:blob|queue|table)ServiceUri|credential|clientId)|AzureWebJobsDisableHomepage|APPLICATIONINSIGHTS_(?:CONNECTION|AUTHENTICATION)_STRING)$/;
const NEEDED_BY_THE_HOST = [
  'AzureWebJobsStorage__blobServiceUri',
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__clientId',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
];
/** The app's storage account is one connection: whatever the app and its triggers use of it, all of it is set. */
const OF_THE_CONNECTION = /^AppStorage__(?:(?:blob|queue|table)ServiceUri|credential|clientId)$/;
/** Read by the app and unset in Azure: a key for a developer's machine, what tests set, other receivers of telemetry, the platform's own. */
const UNSET_IN_AZURE = /^(?:AppStorage$|INGESTION_CHUNK_BYTES$|OTEL_|WEBSITE_)/;
/** Settings whose values are secrets: main.bicepparam lists their names, and one without a value is not in a snapshot. */
const SECRET = /(\w+): !empty\(/g;
/** The lines of main.bicepparam for settings of the app: one with an empty value is not in a snapshot. */
const declared = [
  ...read('infra/main.bicepparam').matchAll(SECRET),
  ...(/param appSettings = \{([^}]*)\}/.exec(read('infra/main.bicepparam'))?.[1] ?? '').matchAll(
    /^ *(\w+):/gm,
  ),
].map(([, name]) => name!);

const found = [...sources].map(([file, source]) => ({ file, ...settingsRead(source) }));
const followed = new Set(found.flatMap(({ takeAll }) => [...takeAll]));

/** Every setting that the code reads is set, and every one that is set is read. */
export const settings: Policy = (snapshot) => {
  const needed = new Map(NEEDED_BY_THE_HOST.map((name) => [name, 'the host']));
  for (const { file, names, connections } of found) {
    for (const name of names) needed.set(name, file);
    for (const [connection, use] of connections)
      for (const part of [`${use}ServiceUri`, 'credential', 'clientId'])
        needed.set(`${connection}__${part}`, file);
  }
  if (ofType(snapshot, 'Microsoft.DurableTask/schedulers').length > 0)
    needed.set(
      String(at(hostJson('scheduler'), 'extensions.durableTask.storageProvider.connectionStringName')),
      'host.json',
    );
  const [site] = ofType(snapshot, 'Microsoft.Web/sites');
  const given = at(site, 'properties.siteConfig.appSettings');
  if (!Array.isArray(given)) return ['the settings of the app are not known before the deployment'];
  const set = new Set((given as { name: string }[]).map(({ name }) => name));
  return [
    ...found.flatMap(({ file, givenAll, unclear }) => [
      ...[...givenAll]
        .filter((name) => !followed.has(name))
        .map((name) => `${file}: ${name} gets all settings; give its parameter the type Environment`),
      ...unclear.map((line) => `${file}:${line} reads a setting that has no constant name`),
    ]),
    ...[...needed]
      .filter(([name]) => !set.has(name) && !declared.includes(name) && !UNSET_IN_AZURE.test(name))
      .map(
        ([name, by]) =>
          `${name} is read by ${by}, and not set: add it to appSettings in infra/main.bicepparam`,
      ),
    ...[...set]
      .filter(
        (name) =>
          UNSET_IN_AZURE.test(name) ||
          !(needed.has(name) || READ_BY_THE_HOST.test(name) || OF_THE_CONNECTION.test(name)),
      )
      .map((name) => `${name} is set, and nothing reads it`),
    ...[...declared]
      .filter((name) => !needed.has(name))
      .map((name) => `${name} is in main.bicepparam, and nothing reads it`),
  ];
};
