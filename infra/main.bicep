// Everything the app needs in Azure, in one resource group. main.bicepparam says what each parameter means and its
// default; README.md gives the reasons.
targetScope = 'subscription'

@minLength(1)
@maxLength(40)
param environmentName string

@minLength(1)
@metadata({ azd: { type: 'location' } })
param location string

param appSettings { *: string }

@secure()
param linkKey string

@secure()
param previousLinkKey string

@secure()
param notificationWebhookUrl string

param vaultSettings { *: bool }

@allowed(['storage', 'scheduler'])
param durableBackend string

@allowed(['Consumption', 'Dedicated'])
param schedulerSku string

@allowed([512, 2048, 4096])
param instanceMemoryMB int

@minValue(1)
@maxValue(1000)
param maximumInstanceCount int

@minValue(0)
@maxValue(10)
param alwaysReadyInstances int

param allowedOrigins string

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string

param lockData bool

param privateNetwork bool

param networkAddressPrefix string

@minValue(30)
@maxValue(730)
param logRetentionDays int

@minValue(1)
param logDailyCapGB int

param alertEmail string

param operatorPrincipalId string

@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorPrincipalType string

// Names, ids and conditions are all computed here, from what is known before anything is deployed. A preview skips a
// resource whose name or condition waits for the output of another one.
var token = toLower(uniqueString(subscription().id, environmentName, location))
var groupName = 'rg-${environmentName}'
var identityName = 'id-${token}'
var hostStorageName = 'sthost${token}'
var dataStorageName = 'stdata${token}'
var workspaceName = 'log-${token}'
var applicationInsightsName = 'appi-${token}'
var schedulerName = 'dts-${token}'
var vaultName = 'kv-${token}'
var networkName = 'vnet-${token}'
var packageContainer = 'app-package'

// azd finds its environment by this tag.
var tags = { 'azd-env-name': environmentName }

var withScheduler = durableBackend == 'scheduler'
// Without a private endpoint, the scheduler's firewall would have to admit every address that Flex Consumption calls from.
var withNetwork = privateNetwork || withScheduler
var fromVault = map(filter(items(vaultSettings), secret => secret.value), secret => secret.key)
var withOperator = !empty(operatorPrincipalId)

// The host keeps leases, keys and the package in blobs; the task hub of the storage backend needs all three.
var hostServices = withScheduler ? ['blob'] : ['blob', 'queue', 'table']
var dataServices = ['blob', 'queue', 'table']

var storageEndpoints = concat(
  map(hostServices, service => { name: 'host-${service}', account: hostStorageName, service: service }),
  map(dataServices, service => { name: 'data-${service}', account: dataStorageName, service: service })
)
var privateEndpoints = concat(
  privateNetwork
    ? map(storageEndpoints, endpoint => {
        name: endpoint.name
        targetType: 'Microsoft.Storage/storageAccounts'
        targetName: endpoint.account
        service: endpoint.service
      })
    : [],
  withScheduler
    ? [
        {
          name: 'scheduler'
          targetType: 'Microsoft.DurableTask/schedulers'
          targetName: schedulerName
          service: 'scheduler'
        }
      ]
    : []
)

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: groupName
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: identityName
    location: location
    tags: tags
  }
}

module hostStorage 'modules/storage.bicep' = {
  name: 'host-storage'
  scope: group
  params: {
    name: hostStorageName
    location: location
    tags: tags
    sku: storageSku
    containers: [packageContainer]
    publicAccess: !privateNetwork
    lock: false
  }
}

module dataStorage 'modules/storage.bicep' = {
  name: 'data-storage'
  scope: group
  params: {
    name: dataStorageName
    location: location
    tags: tags
    sku: storageSku
    containers: []
    publicAccess: !privateNetwork
    lock: lockData
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: workspaceName
    applicationInsightsName: applicationInsightsName
    location: location
    tags: tags
    retentionDays: logRetentionDays
    dailyCapGB: logDailyCapGB
    appPrincipalId: identity.outputs.principalId
    appIdentityName: identityName
  }
}

module secrets 'modules/secrets.bicep' = {
  name: 'secrets'
  scope: group
  params: {
    vaultName: vaultName
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
    appIdentityName: identityName
    fromVault: fromVault
    linkKey: linkKey
    previousLinkKey: previousLinkKey
    notificationWebhookUrl: notificationWebhookUrl
  }
}

// The host needs ownership of its blobs for leases, keys and the package:
// https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
// https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-configure-managed-identity
module appOnHostStorage 'modules/storage-roles.bicep' = {
  name: 'app-on-host-storage'
  scope: group
  dependsOn: [hostStorage]
  params: {
    storageName: hostStorageName
    assignee: identityName
    principalId: identity.outputs.principalId
    principalType: 'ServicePrincipal'
    roles: map(hostServices, service => service == 'blob' ? 'blobOwner' : service)
  }
}

module appOnDataStorage 'modules/storage-roles.bicep' = {
  name: 'app-on-data-storage'
  scope: group
  dependsOn: [dataStorage]
  params: {
    storageName: dataStorageName
    assignee: identityName
    principalId: identity.outputs.principalId
    principalType: 'ServicePrincipal'
    roles: dataServices
  }
}

// Not on the host's account: its blobs are the keys of the app and its code.
module operatorOnDataStorage 'modules/storage-roles.bicep' = if (withOperator) {
  name: 'operator-on-data-storage'
  scope: group
  dependsOn: [dataStorage]
  params: {
    storageName: dataStorageName
    assignee: operatorPrincipalId
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
    roles: dataServices
  }
}

module scheduler 'modules/scheduler.bicep' = if (withScheduler) {
  name: 'scheduler'
  scope: group
  params: {
    name: schedulerName
    location: location
    tags: tags
    sku: schedulerSku
    // The app's own word, so that the hub and the app cannot disagree.
    taskHubName: loadJsonContent('../host.json', 'extensions.durableTask.hubName')
    appPrincipalId: identity.outputs.principalId
    appIdentityName: identityName
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
  }
}

module network 'modules/network.bicep' = if (withNetwork) {
  name: 'network'
  scope: group
  dependsOn: [hostStorage, dataStorage, scheduler]
  params: {
    name: networkName
    location: location
    tags: tags
    addressPrefix: networkAddressPrefix
    endpoints: privateEndpoints
  }
}

module app 'modules/function-app.bicep' = {
  name: 'app'
  scope: group
  // The app reads its storage as soon as it is there, and by the names that the network gives.
  dependsOn: [appOnHostStorage, appOnDataStorage, monitoring, network, secrets]
  params: {
    name: 'func-${token}'
    planName: 'plan-${token}'
    location: location
    tags: tags
    identityName: identityName
    identityClientId: identity.outputs.clientId
    hostStorageName: hostStorageName
    hostServices: hostServices
    dataStorageName: dataStorageName
    dataServices: dataServices
    packageContainer: packageContainer
    applicationInsightsName: applicationInsightsName
    withScheduler: withScheduler
    schedulerEndpoint: withScheduler ? scheduler!.outputs.endpoint : ''
    networkName: withNetwork ? networkName : ''
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    allowedOrigins: empty(allowedOrigins) ? [] : split(allowedOrigins, ',')
    appSettings: appSettings
    vaultName: vaultName
    fromVault: fromVault
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  dependsOn: [monitoring]
  params: {
    token: token
    location: location
    tags: tags
    workspaceName: workspaceName
    email: alertEmail
    // Without an instance that is always there, a healthy app at rest is silent.
    expectHeartbeat: alwaysReadyInstances > 0
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  dependsOn: [monitoring]
  params: {
    location: location
    tags: tags
    workspaceName: workspaceName
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output SERVICE_APP_NAME string = app.outputs.name
output SERVICE_APP_URI string = app.outputs.uri
