// The app on Flex Consumption.
// Properties as in https://learn.microsoft.com/azure/azure-functions/functions-infrastructure-as-code?pivots=flex-consumption-plan
param name string
param planName string
param location string
param tags object
param identityName string
param identityClientId string
@description('The account of the host and of the task hub.')
param hostStorageName string
param hostServices ('blob' | 'queue' | 'table')[]
@description('The account of the app.')
param dataStorageName string
param dataServices ('blob' | 'queue' | 'table')[]
param packageContainer string
param applicationInsightsName string
@description('False: orchestrations live in the storage of the host.')
param withScheduler bool
param schedulerEndpoint string
@description('Empty: no virtual network.')
param networkName string
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReadyInstances int
@description('Web origins whose pages may call.')
param allowedOrigins string[]
@description('What the app alone reads. An empty value is not set.')
param appSettings { *: string }
param vaultName string
@description('Settings whose values are secrets in the vault.')
param fromVault string[]

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

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

// What the host and the app read. There is no secret among them: every connection is an address and an identity.
// Flex Consumption takes neither FUNCTIONS_WORKER_RUNTIME nor FUNCTIONS_EXTENSION_VERSION: functionAppConfig says it.
var storageSuffix = environment().suffixes.storage
// https://learn.microsoft.com/azure/azure-functions/functions-reference#common-properties-for-identity-based-connections
var connections = concat(
  map(hostServices, service => {
    name: 'AzureWebJobsStorage__${service}ServiceUri'
    value: 'https://${hostStorageName}.${service}.${storageSuffix}'
  }),
  map(dataServices, service => {
    name: 'AppStorage__${service}ServiceUri'
    value: 'https://${dataStorageName}.${service}.${storageSuffix}'
  })
)
var ownSettings = map(filter(items(appSettings), setting => !empty(setting.value)), setting => {
  name: setting.key
  value: setting.value
})

// modules/secrets.bicep names the secrets like the settings, in the letters that a vault takes.
var references = map(fromVault, setting => {
  name: setting
  value: '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=${replace(toLower(setting), '_', '-')})'
})

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  // azd deploys to the one resource that has the tag of the service in azure.yaml.
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identity.id
    virtualNetworkSubnetId: empty(networkName)
      ? null
      : resourceId('Microsoft.Network/virtualNetworks/subnets', networkName, 'app')
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: 'https://${hostStorageName}.blob.${storageSuffix}/${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
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
        alwaysReady: alwaysReadyInstances == 0
          ? []
          : [
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
        connections,
        ownSettings,
        references,
        [
          { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
          { name: 'AzureWebJobsStorage__clientId', value: identityClientId }
          { name: 'AppStorage__credential', value: 'managedidentity' }
          { name: 'AppStorage__clientId', value: identityClientId }
          // The app serves the root itself.
          { name: 'AzureWebJobsDisableHomepage', value: 'true' }
          {
            name: 'APPLICATIONINSIGHTS_CONNECTION_STRING'
            value: applicationInsights.properties.ConnectionString
          }
          // https://learn.microsoft.com/azure/azure-functions/functions-app-settings#applicationinsights_authentication_string
          {
            name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
            value: 'ClientId=${identityClientId};Authorization=AAD'
          }
        ],
        // host.json of the package names this one: https://learn.microsoft.com/azure/durable-task/scheduler/durable-task-scheduler-identity
        withScheduler
          ? [
              {
                name: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
                value: 'Endpoint=${schedulerEndpoint};Authentication=ManagedIdentity;ClientID=${identityClientId}'
              }
            ]
          : []
      )
    }
  }
}

// Deployment needs an identity too: no user name and password, neither by FTP nor by the deployment service.
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
