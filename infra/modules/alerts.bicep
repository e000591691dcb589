// Alerts on the app's own telemetry, and where they are sent.
param token string
param location string
param tags object
param workspaceName string
@description('Empty: no mail is sent.')
param email string
@description('Whether an instance always runs, whose silence is a failure.')
param expectHeartbeat bool

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspaceName
}

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${token}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'workflows'
    enabled: true
    emailReceivers: empty(email)
      ? []
      : [
          {
            name: 'email'
            emailAddress: email
            useCommonAlertSchema: true
          }
        ]
  }
}

// src/telemetry/workflows.ts logs each workflow that ends with an error.
var failedOrchestrations = '''
AppTraces
| where Message == 'workflow.failed'
'''

// src/telemetry/observe.ts: an activity that fails is a warning, because its workflow may try again. An error without frames is no exception there.
var functionErrors = '''
union isfuzzy=true (AppExceptions | where OuterMessage == 'function.failed'), (AppTraces | where Message == 'function.failed')
| where SeverityLevel >= 3
'''

// src/notifications/deliver.ts counts the messages that it has put into the poison queue.
var undelivered = '''
AppMetrics
| where Name == 'notifications.undelivered'
'''

// Every process of the app sends it once a minute, without a call to any function.
// The query gives one row when there was nothing at all, because an alert cannot count rows that are not there.
var silence = '''
AppMetrics
| where Name == 'app.uptime'
| summarize Items = count()
| where Items == 0
'''

var rules = [
  {
    name: 'failed-orchestrations'
    title: 'An orchestration failed'
    description: 'The log line holds its name and instance id; its trace has the error.'
    severity: 1
    query: failedOrchestrations
    // The window is longer than the interval: a row that arrives late is still in the next window.
    frequency: 'PT5M'
    window: 'PT15M'
    threshold: 0
    enabled: true
  }
  {
    name: 'function-errors'
    title: 'Functions fail'
    description: 'More than ten runs ended with an error in a quarter of an hour. Fewer may be retries doing their work.'
    severity: 2
    query: functionErrors
    frequency: 'PT15M'
    window: 'PT15M'
    threshold: 10
    enabled: true
  }
  {
    name: 'undelivered-notifications'
    title: 'A notification was not delivered'
    description: 'It is kept in the queue notifications-poison. Once the cause is gone: POST /api/notifications/undelivered/retry.'
    severity: 2
    query: undelivered
    frequency: 'PT15M'
    window: 'PT15M'
    threshold: 0
    enabled: true
  }
  {
    name: 'no-heartbeat'
    title: 'The app is silent'
    description: 'No sign of life for half an hour, although an instance is always ready.'
    severity: 1
    query: silence
    frequency: 'PT15M'
    window: 'PT30M'
    threshold: 0
    enabled: expectHeartbeat
  }
]

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: '${rule.name}-${token}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.title
      description: rule.description
      severity: rule.severity
      enabled: rule.enabled
      scopes: [workspace.id]
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: rule.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      autoMitigate: true
      // A workspace made a minute ago may not know its tables yet.
      skipQueryValidation: true
      actions: {
        actionGroups: [actionGroup.id]
      }
    }
  }
]
