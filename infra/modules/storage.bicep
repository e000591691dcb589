// A storage account without keys: it answers identities only, and has no connection string that could leak.
@minLength(3)
@maxLength(24)
param name string
param location string
param tags object
param sku string
@description('Blob containers to make in it.')
param containers array
@description('False: only private endpoints reach it.')
param publicAccess bool
@description('True: neither the account nor its group can be deleted until somebody deletes the lock. Rows and blobs can.')
param lock bool

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
    networkAcls: {
      bypass: 'None'
      // Flex Consumption calls from addresses that nobody can list: without a network, roles alone decide.
      defaultAction: publicAccess ? 'Allow' : 'Deny'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource blobContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = [
  for container in containers: {
    parent: blobs
    name: container
    properties: {
      publicAccess: 'None'
    }
  }
]

resource accountLock 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  name: 'data'
  scope: account
  properties: {
    level: 'CanNotDelete'
    notes: 'The data of the app. infra/README.md says what this protects from.'
  }
}
