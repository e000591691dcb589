// What one principal may do with the two storage accounts. Each assignment names one resource: nothing is granted on the group or the subscription.
param principalId string
@allowed(['ServicePrincipal', 'User', 'Group'])
param principalType string
param hostStorageName string
param dataStorageName string

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var storageBlobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
var storageQueueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var storageTableDataContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'

// The host needs ownership of its blobs (leases, keys, the package); the task hub is queues, tables and blobs of the same account.
// https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
// https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-configure-managed-identity
var hostStorageRoles = [storageBlobDataOwner, storageQueueDataContributor, storageTableDataContributor]
var dataStorageRoles = [storageBlobDataContributor, storageQueueDataContributor, storageTableDataContributor]

resource hostStorage 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: hostStorageName
}

resource dataStorage 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: dataStorageName
}

resource onHostStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in hostStorageRoles: {
  name: guid(hostStorage.id, principalId, role)
  scope: hostStorage
  properties: {
    principalId: principalId
    principalType: principalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]

resource onDataStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in dataStorageRoles: {
  name: guid(dataStorage.id, principalId, role)
  scope: dataStorage
  properties: {
    principalId: principalId
    principalType: principalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}]
