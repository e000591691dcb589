/** Settings that no source of ours reads, or that Azure leaves unset: each with its reason. */

export interface HostSetting {
  name: RegExp;
  /** Who reads it. */
  reason: string;
}

/** Read by the Functions host, from its own documentation. */
export const READ_BY_THE_HOST: HostSetting[] = [
  {
    name: /^AzureWebJobsStorage__(?:blobServiceUri|queueServiceUri|tableServiceUri|credential|clientId)$/,
    reason: 'https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity',
  },
  { name: /^AzureWebJobsDisableHomepage$/, reason: 'https://learn.microsoft.com/azure/azure-functions/functions-app-settings#azurewebjobsdisablehomepage' },
  { name: /^APPLICATIONINSIGHTS_CONNECTION_STRING$/, reason: 'https://learn.microsoft.com/azure/azure-functions/functions-app-settings#applicationinsights_connection_string' },
  {
    name: /^APPLICATIONINSIGHTS_AUTHENTICATION_STRING$/,
    reason: 'https://learn.microsoft.com/azure/azure-functions/functions-app-settings#applicationinsights_authentication_string',
  },
  { name: /^AzureFunctionsJobHost__extensions__/, reason: 'https://learn.microsoft.com/azure/azure-functions/functions-host-json#override-hostjson-values' },
];

/** What the host cannot do without, whatever the app reads. */
export const NEEDED_BY_THE_HOST = [
  'AzureWebJobsStorage__blobServiceUri', 'AzureWebJobsStorage__queueServiceUri', 'AzureWebJobsStorage__tableServiceUri',
  'AzureWebJobsStorage__credential', 'AzureWebJobsStorage__clientId',
  'APPLICATIONINSIGHTS_CONNECTION_STRING', 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
];

/** Read by the app, and left unset in Azure on purpose. */
export const UNSET_IN_AZURE = new Map([
  ['AppStorage', 'A connection string holds a key. It is for the storage of a developer\'s machine; Azure gets addresses and an identity.'],
]);
