// What can be chosen, and what is chosen by default. "azd env set NAME value" changes one, then "azd up". In GitHub, a
// repository variable of the same name does it. A variable stands here and nowhere else.
using 'main.bicep'

// Names the environment: the resource group is rg-<name>, and the names of what is in it are derived from it.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')

// Region of everything. It has to offer Flex Consumption: az functionapp list-flexconsumption-locations.
param location = readEnvironmentVariable('AZURE_LOCATION')

// What the app alone reads: a line a setting. An empty value is not set, and the app uses its own default.
param appSettings = {
  // Receives the notifications about workflows that do not go on.
  OPERATOR: readEnvironmentVariable('OPERATOR', '')
  // How long finished workflows and their records are kept: an ISO 8601 duration, or never. Empty: P90D.
  PURGE_AFTER: readEnvironmentVariable('PURGE_AFTER', '')
  // The format of the messages to NOTIFICATION_WEBHOOK_URL: "teams", an adaptive card, or "slack", blocks. Empty: teams.
  NOTIFICATION_FORMAT: readEnvironmentVariable('NOTIFICATION_FORMAT', '')
  // Where people reach the app, such as https://approve.example.com. Empty: at its own name.
  PUBLIC_ORIGIN: readEnvironmentVariable('PUBLIC_ORIGIN', '')
  // An order over this total, in minor units (cents), needs an approval. Empty: 100000.
  ORDER_APPROVAL_LIMIT: readEnvironmentVariable('ORDER_APPROVAL_LIMIT', '')
  // Where the payment provider is. Empty: the app keeps a ledger of its own, and no money moves.
  PAYMENTS_URL: readEnvironmentVariable('PAYMENTS_URL', '')
  // How long the results of jobs are kept: an ISO 8601 duration.
  JOB_RESULTS_EXPIRE_AFTER: readEnvironmentVariable('JOB_RESULTS_EXPIRE_AFTER', '')
  // How many games of the dungeon there may be, in all and of one caller. Empty: 900 and 50.
  DungeonMaxGames: readEnvironmentVariable('DUNGEON_MAX_GAMES', '')
  DungeonMaxGamesPerCaller: readEnvironmentVariable('DUNGEON_MAX_GAMES_PER_CALLER', '')
  // How many proxies in front of the app append to X-Forwarded-For. Empty: 1. Behind Front Door: 2.
  TrustedProxies: readEnvironmentVariable('TRUSTED_PROXIES', '')
}

// Secrets go into a vault, and the app gets references to them. An empty one is not set. LINK_KEY signs the links in
// messages, with at least 32 random characters: openssl rand -base64 48. Without it messages have no links. To change it,
// move it to LINK_KEY_PREVIOUS, whose links are still accepted.
param linkKey = readEnvironmentVariable('LINK_KEY', '')
param previousLinkKey = readEnvironmentVariable('LINK_KEY_PREVIOUS', '')

// Receives the messages to people: a workflow of Teams, or an incoming webhook of Slack. Empty: they stay in the outbox.
param notificationWebhookUrl = readEnvironmentVariable('NOTIFICATION_WEBHOOK_URL', '')

// Which of the secrets there are: what is secret itself is not known before the deployment.
param vaultSettings = {
  LINK_KEY: !empty(readEnvironmentVariable('LINK_KEY', ''))
  LINK_KEY_PREVIOUS: !empty(readEnvironmentVariable('LINK_KEY_PREVIOUS', ''))
  NOTIFICATION_WEBHOOK_URL: !empty(readEnvironmentVariable('NOTIFICATION_WEBHOOK_URL', ''))
}

// Where orchestrations live: "storage", or "scheduler", the Durable Task Scheduler. "npm run package" reads it too.
param durableBackend = readEnvironmentVariable('DURABLE_BACKEND', 'storage')

// Consumption is paid by the action, up to 500 a second; Dedicated by the month, 2,000 a second a unit.
param schedulerSku = readEnvironmentVariable('SCHEDULER_SKU', 'Consumption')

// Memory of each instance: 512, 2048 or 4096.
param instanceMemoryMB = any(int(readEnvironmentVariable('INSTANCE_MEMORY_MB', '2048')))

// How far the app scales out, and so how much it can cost.
param maximumInstanceCount = int(readEnvironmentVariable('MAXIMUM_INSTANCE_COUNT', '40'))

// Instances that are always there for orchestrations. With 0, the app costs nothing at rest, the first timer after a rest
// is late by a cold start, and the alert on silence is off.
param alwaysReadyInstances = int(readEnvironmentVariable('ALWAYS_READY_INSTANCES', '1'))

// Origins, separated by commas, whose pages may call the app from a browser. The app's own pages need none.
param allowedOrigins = readEnvironmentVariable('ALLOWED_ORIGINS', '')

// Redundancy of both storage accounts: Standard_LRS, _ZRS, _GRS or _GZRS. Not every region has zones.
param storageSku = readEnvironmentVariable('STORAGE_SKU', 'Standard_LRS')

// A lock on the account of the app's data: nobody deletes it by mistake, with its group or alone.
param lockData = bool(readEnvironmentVariable('LOCK_DATA', 'true'))

// Puts both storage accounts behind private endpoints and closes them to the public network.
param privateNetwork = bool(readEnvironmentVariable('PRIVATE_NETWORK', 'false'))

// Address space of the virtual network, where there is one: two subnets of /26 are cut from it.
param networkAddressPrefix = readEnvironmentVariable('NETWORK_ADDRESS_PREFIX', '10.60.0.0/24')

// Days that logs are kept, 30 to 730. More than 31 cost extra.
param logRetentionDays = int(readEnvironmentVariable('LOG_RETENTION_DAYS', '30'))

// Gigabytes of logs a day. The rest of a day over it is lost, and alerts see nothing of it.
param logDailyCapGB = int(readEnvironmentVariable('LOG_DAILY_CAP_GB', '1'))

// Receives the alerts by mail. Empty: they are shown in the portal alone.
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', '')

// Object id of a person or group that may read and change the app's data by hand. Empty: nobody but the app.
param operatorPrincipalId = readEnvironmentVariable('OPERATOR_PRINCIPAL_ID', '')
param operatorPrincipalType = readEnvironmentVariable('OPERATOR_PRINCIPAL_TYPE', 'User')
