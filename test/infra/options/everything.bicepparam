// Every option is on, and none has its default.
using '../../../infra/main.bicep'
extends '../../../infra/main.bicepparam'

param linkKey = 'a key of the tests, of 32 characters'
param previousLinkKey = 'another of the tests, of 32 characters'
param notificationWebhookUrl = 'https://example.com/hook'
param vaultSettings = { LINK_KEY: true, LINK_KEY_PREVIOUS: true, NOTIFICATION_WEBHOOK_URL: true }
param durableBackend = 'scheduler'
param schedulerSku = 'Dedicated'
param instanceMemoryMB = 4096
param maximumInstanceCount = 100
param alwaysReadyInstances = 0
param allowedOrigins = 'https://one.example.com,https://two.example.com'
param storageSku = 'Standard_ZRS'
param lockData = false
param privateNetwork = true
param networkAddressPrefix = '10.1.0.0/16'
param logRetentionDays = 90
param logDailyCapGB = 5
param alertEmail = 'alerts@example.com'
param operatorPrincipalId = '11111111-1111-1111-1111-111111111111'
param operatorPrincipalType = 'Group'
