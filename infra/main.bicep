// Everything the app needs in Azure, in one resource group. Why each choice was made: README.md beside this file.
targetScope = 'subscription'

@description('Names the environment: the resource group is rg-<name>, and the names of what is in it are derived from it.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of everything. It has to offer Flex Consumption: az functionapp list-flexconsumption-locations.')
@minLength(1)
@metadata({ azd: { type: 'location' } })
param location string

@description('Where orchestrations live: Azure Storage, or the Durable Task Scheduler for those who outgrow it.')
@allowed(['storage', 'scheduler'])
param durableBackend string = 'storage'

@description('Consumption is paid by the action, up to 500 of them a second; Dedicated by the month, 2,000 a second a unit.')
@allowed(['Consumption', 'Dedicated'])
param schedulerSku string = 'Consumption'

@description('Memory of each instance, in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('How far the app may scale out, which is also how much it can cost.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Instances that are always there for orchestrations. With none, the first timer after a rest is late by a cold start, and nothing tells of a dead app.')
@minValue(0)
@maxValue(10)
param alwaysReadyInstances int = 1

@description('Web origins, separated by commas, from which pages of others may call the app. Its own pages need none.')
param allowedOrigins string = ''

@description('Redundancy of both storage accounts. Zone redundancy is not to be had in every region.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Puts both storage accounts behind private endpoints and closes them to the public network.')
param privateNetwork bool = false

@description('Address space of the virtual network, if there is one: two subnets of /26 are cut from it.')
param networkAddressPrefix string = '10.60.0.0/24'

@description('How long logs are kept. Up to 31 days cost nothing extra.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Who is told of alerts. Empty: alerts are raised and shown in the portal, and nobody is told.')
param alertEmail string = ''

@description('Object id of a person or group that may read and change the data of the app. Empty: nobody but the app.')
param operatorPrincipalId string = ''

@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorPrincipalType string = 'User'

@description('Warns when the resource group costs more than this in a month, in the currency of the subscription. 0: no budget.')
@minValue(0)
param monthlyBudget int = 0

@description('First day of the month in which the budget begins: yyyy-MM-01. Azure takes the current month at first, and no other afterwards.')
param budgetStart string = ''

var token = toLower(uniqueString(subscription().id, environmentName, location))
// azd finds its environment again by this tag, and the app by azd-service-name.
var tags = { 'azd-env-name': environmentName }
// The app's own word, so that the scheduler's hub and the app cannot disagree.
var taskHubName = loadJsonContent('../host.json', 'extensions.durableTask.hubName')
var packageContainer = 'app-package'
var withScheduler = durableBackend == 'scheduler'
// The scheduler's firewall would have to admit every address that Flex Consumption might call from: it gets a private endpoint instead.
var withNetwork = privateNetwork || withScheduler
var withOperator = !empty(operatorPrincipalId)

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-${token}'
    location: location
    tags: tags
  }
}

module hostStorage 'modules/storage.bicep' = {
  name: 'host-storage'
  scope: group
  params: {
    name: 'sthost${token}'
    location: location
    tags: tags
    sku: storageSku
    containers: [packageContainer]
    publicAccess: !privateNetwork
  }
}

module dataStorage 'modules/storage.bicep' = {
  name: 'data-storage'
  scope: group
  params: {
    name: 'stdata${token}'
    location: location
    tags: tags
    sku: storageSku
    containers: []
    publicAccess: !privateNetwork
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: 'log-${token}'
    applicationInsightsName: 'appi-${token}'
    location: location
    tags: tags
    retentionDays: logRetentionDays
    appPrincipalId: identity.outputs.principalId
  }
}

module appStorageRoles 'modules/storage-roles.bicep' = {
  name: 'app-storage-roles'
  scope: group
  params: {
    principalId: identity.outputs.principalId
    principalType: 'ServicePrincipal'
    hostStorageName: hostStorage.outputs.name
    dataStorageName: dataStorage.outputs.name
  }
}

module operatorStorageRoles 'modules/storage-roles.bicep' = if (withOperator) {
  name: 'operator-storage-roles'
  scope: group
  params: {
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
    hostStorageName: hostStorage.outputs.name
    dataStorageName: dataStorage.outputs.name
  }
}

module scheduler 'modules/scheduler.bicep' = if (withScheduler) {
  name: 'scheduler'
  scope: group
  params: {
    name: 'dts-${token}'
    location: location
    tags: tags
    sku: schedulerSku
    taskHubName: taskHubName
    appPrincipalId: identity.outputs.principalId
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
  }
}

module network 'modules/network.bicep' = if (withNetwork) {
  name: 'network'
  scope: group
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
    addressPrefix: networkAddressPrefix
    hostStorageId: privateNetwork ? hostStorage.outputs.id : ''
    dataStorageId: privateNetwork ? dataStorage.outputs.id : ''
    schedulerId: withScheduler ? scheduler!.outputs.id : ''
  }
}

module app 'modules/function-app.bicep' = {
  name: 'app'
  scope: group
  // The app reads its storage as soon as it is there.
  dependsOn: [appStorageRoles]
  params: {
    name: 'func-${token}'
    planName: 'plan-${token}'
    location: location
    tags: union(tags, { 'azd-service-name': 'app' })
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostStorage: hostStorage.outputs.endpoints
    dataStorage: dataStorage.outputs.endpoints
    packageContainer: packageContainer
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    schedulerEndpoint: withScheduler ? scheduler!.outputs.endpoint : ''
    subnetId: withNetwork ? network!.outputs.appSubnetId : ''
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    allowedOrigins: empty(allowedOrigins) ? [] : split(allowedOrigins, ',')
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
    // Without an instance that is always there, silence is what a healthy app at rest sounds like.
    expectHeartbeat: alwaysReadyInstances > 0
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0) {
  name: 'budget'
  scope: group
  params: {
    amount: monthlyBudget
    startDate: budgetStart
    actionGroupId: alerts.outputs.actionGroupId
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output SERVICE_APP_NAME string = app.outputs.name
output SERVICE_APP_URI string = app.outputs.uri
