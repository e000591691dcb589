// The Durable Task Scheduler, which only the virtual network reaches.
param name string
param location string
param tags object
@allowed(['Consumption', 'Dedicated'])
param sku string
param taskHubName string
param appPrincipalId string
@description('Names the identity, in the name of its role assignment: its id is not known beforehand.')
param appIdentityName string
param operatorPrincipalId string
@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorPrincipalType string

// Durable Task Data Contributor: the narrower Worker role cannot start instances, and the app does.
// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var durableTaskDataContributor = '0ad04412-c4d5-4796-b79c-f76d14c8d402'

// Consumption has no capacity to set.
var skuWithCapacity = sku == 'Dedicated' ? { name: sku, capacity: 1 } : { name: sku }

resource scheduler 'Microsoft.DurableTask/schedulers@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    sku: skuWithCapacity
    // No public address is admitted. The private endpoint does not ask this list (network.bicep).
    ipAllowlist: []
    publicNetworkAccess: 'Disabled'
  }
}

resource taskHub 'Microsoft.DurableTask/schedulers/taskHubs@2026-02-01' = {
  parent: scheduler
  name: taskHubName
  properties: {}
}

resource appRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(taskHub.id, appIdentityName, durableTaskDataContributor)
  scope: taskHub
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      durableTaskDataContributor
    )
  }
}

resource operatorRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorPrincipalId)) {
  name: guid(taskHub.id, operatorPrincipalId, durableTaskDataContributor)
  scope: taskHub
  properties: {
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      durableTaskDataContributor
    )
  }
}

output endpoint string = scheduler.properties.endpoint
