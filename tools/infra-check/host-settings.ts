/** Settings that no source of ours reads, or that Azure leaves unset: each with its reason. */

export interface Exception {
  name: RegExp;
  /** Or the page that says so. */
  reason: string;
}

/** Read by the Functions host, from its own documentation. */
export const READ_BY_THE_HOST: Exception[] = [
  {
    name: /^AzureWebJobsStorage__(?:blobServiceUri|queueServiceUri|tableServiceUri|credential|clientId)$/,
    reason:
      'https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity',
  },
  {
    name: /^AzureWebJobsDisableHomepage$/,
    reason:
      'https://learn.microsoft.com/azure/azure-functions/functions-app-settings#azurewebjobsdisablehomepage',
  },
  {
    name: /^APPLICATIONINSIGHTS_CONNECTION_STRING$/,
    reason:
      'https://learn.microsoft.com/azure/azure-functions/functions-app-settings#applicationinsights_connection_string',
  },
  {
    name: /^APPLICATIONINSIGHTS_AUTHENTICATION_STRING$/,
    reason:
      'https://learn.microsoft.com/azure/azure-functions/functions-app-settings#applicationinsights_authentication_string',
  },
  {
    name: /^AzureFunctionsJobHost__extensions__/,
    reason: 'https://learn.microsoft.com/azure/azure-functions/functions-host-json#override-hostjson-values',
  },
];

/** What the host cannot do without, whatever the app reads. */
export const NEEDED_BY_THE_HOST = [
  'AzureWebJobsStorage__blobServiceUri',
  'AzureWebJobsStorage__queueServiceUri',
  'AzureWebJobsStorage__tableServiceUri',
  'AzureWebJobsStorage__credential',
  'AzureWebJobsStorage__clientId',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
];

/** Read by the app, and not set by infra/, on purpose. */
export const UNSET_IN_AZURE: Exception[] = [
  {
    name: /^AppStorage$/,
    reason:
      "a connection string holds a key: it is for a developer's machine, and Azure gets addresses and an identity",
  },
  { name: /^OTEL_/, reason: 'these name other receivers than Application Insights' },
  {
    name: /^WEBSITE_/,
    reason:
      'the platform sets these itself: https://learn.microsoft.com/azure/app-service/reference-app-settings',
  },
];
