// The app on Flex Consumption.
// Properties as in https://learn.microsoft.com/azure/azure-functions/functions-infrastructure-as-code?pivots=flex-consumption-plan
param name string
param planName string
param location string
param tags object
param identityId string
param identityClientId string
@description('The addresses of the account of the host and of the task hub.')
param hostStorage object
@description('The addresses of the account of the app.')
param dataStorage object
param packageContainer string
param applicationInsightsName string
@description('Empty: orchestrations live in the storage of the host.')
param schedulerEndpoint string
@description('Empty: no virtual network.')
param subnetId string
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReadyInstances int
@description('Web origins whose pages may call.')
param allowedOrigins array

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

// What the host and the app read. There is no secret among them: every connection is an address and an identity.
// Flex Consumption takes neither FUNCTIONS_WORKER_RUNTIME nor FUNCTIONS_EXTENSION_VERSION: functionAppConfig says it.
var settings = [
  // https://learn.microsoft.com/azure/azure-functions/functions-reference#common-properties-for-identity-based-connections
  { name: 'AzureWebJobsStorage__blobServiceUri', value: hostStorage.blob }
  { name: 'AzureWebJobsStorage__queueServiceUri', value: hostStorage.queue }
  { name: 'AzureWebJobsStorage__tableServiceUri', value: hostStorage.table }
  { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
  { name: 'AzureWebJobsStorage__clientId', value: identityClientId }
  { name: 'AppStorage__tableServiceUri', value: dataStorage.table }
  { name: 'AppStorage__queueServiceUri', value: dataStorage.queue }
  { name: 'AppStorage__clientId', value: identityClientId }
  // The app serves the root itself.
  { name: 'AzureWebJobsDisableHomepage', value: 'true' }
  // https://learn.microsoft.com/azure/azure-functions/functions-app-settings#applicationinsights_authentication_string
  { name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING', value: 'ClientId=${identityClientId};Authorization=AAD' }
]

// Over host.json, which stays that of the storage backend.
// https://learn.microsoft.com/azure/azure-functions/functions-host-json#override-hostjson-values
// https://learn.microsoft.com/azure/durable-task/scheduler/durable-task-scheduler-identity
var schedulerSettings = [
  { name: 'AzureFunctionsJobHost__extensions__durableTask__storageProvider__type', value: 'azureManaged' }
  { name: 'AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName', value: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING' }
  { name: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING', value: 'Endpoint=${schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${identityClientId}' }
]

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostStorage.blob}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'node'
        version: '24'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        // https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-azure-storage-provider#flex-consumption-plan
        alwaysReady: alwaysReadyInstances == 0 ? [] : [
          {
            name: 'durable'
            instanceCount: alwaysReadyInstances
          }
        ]
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      cors: {
        allowedOrigins: allowedOrigins
      }
      appSettings: concat(
        settings,
        [{ name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: applicationInsights.properties.ConnectionString }],
        empty(schedulerEndpoint) ? [] : schedulerSettings
      )
    }
  }
}

// Deploying asks for an identity too: no user name and password, neither by FTP nor by the deployment service.
resource ftpPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scmPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

output name string = app.name
output uri string = 'https://${app.properties.defaultHostName}'
