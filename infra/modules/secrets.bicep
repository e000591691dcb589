// The secrets of the app. Its settings hold references to them, which the platform resolves with the app's identity:
// https://learn.microsoft.com/azure/app-service/app-service-key-vault-references
@minLength(3)
@maxLength(24)
param vaultName string
param location string
param tags object
param appPrincipalId string
param appIdentityName string
@description('Which of the secrets there are.')
param fromVault string[]
@secure()
param linkKey string
@secure()
param previousLinkKey string
@secure()
param notificationWebhookUrl string

// Key Vault Secrets User: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: vaultName
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    // Roles alone decide, and no access policies.
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
    // Flex Consumption calls from addresses that nobody can list.
    publicNetworkAccess: 'Enabled'
  }
}

resource linkKeySecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (contains(fromVault, 'LINK_KEY')) {
  parent: vault
  name: 'link-key'
  properties: {
    value: linkKey
  }
}

resource previousLinkKeySecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (contains(
  fromVault,
  'LINK_KEY_PREVIOUS'
)) {
  parent: vault
  name: 'link-key-previous'
  properties: {
    value: previousLinkKey
  }
}

resource webhookSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (contains(
  fromVault,
  'NOTIFICATION_WEBHOOK_URL'
)) {
  parent: vault
  name: 'notification-webhook-url'
  properties: {
    value: notificationWebhookUrl
  }
}

resource appReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, appIdentityName, secretsUser)
  scope: vault
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}
