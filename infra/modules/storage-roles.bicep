// What one principal may do with one storage account. Nothing is granted on the group or the subscription.
param storageName string
@description('Names the principal, in the names of the assignments: the id of a new identity is not known beforehand.')
param assignee string
param principalId string
@allowed(['ServicePrincipal', 'User', 'Group'])
param principalType string
param roles ('blobOwner' | 'blob' | 'queue' | 'table')[]

// Storage Blob Data Owner, then Storage Blob, Queue and Table Data Contributor:
// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var roleIds = {
  blobOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  blob: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  queue: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  table: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: storageName
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in roles: {
    name: guid(account.id, assignee, roleIds[role])
    scope: account
    properties: {
      principalId: principalId
      principalType: principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds[role])
    }
  }
]
