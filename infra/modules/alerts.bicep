// Alerts on what the app tells of itself, and who hears of them.
param token string
param location string
param tags object
param workspaceId string
@description('Empty: nobody is told.')
param email string
@description('Whether something is always running that would be missed.')
param expectHeartbeat bool

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${token}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'workflows'
    enabled: true
    emailReceivers: empty(email) ? [] : [
      {
        name: 'email'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

// src/telemetry/workflows.ts tells of each workflow that ends with an error.
var failedOrchestrations = '''
AppTraces
| where Message == 'workflow.failed'
'''

// src/telemetry/observe.ts: an activity that fails is a warning, because its workflow may try again. An error without frames is no exception there.
var functionErrors = '''
union isfuzzy=true (AppExceptions | where OuterMessage == 'function.failed'), (AppTraces | where Message == 'function.failed')
| where SeverityLevel >= 3
'''

// Told once a minute by every process of the app, without a call to any function.
// One row when there was nothing at all: counting rows that are not there would say nothing.
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
    frequency: 'PT5M'
    window: 'PT5M'
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
    name: 'no-heartbeat'
    title: 'Nothing is heard of the app'
    description: 'No sign of life for half an hour, although an instance is always ready.'
    severity: 1
    query: silence
    frequency: 'PT15M'
    window: 'PT30M'
    threshold: 0
    enabled: expectHeartbeat
  }
]

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: '${rule.name}-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: rule.title
    description: rule.description
    severity: rule.severity
    enabled: rule.enabled
    scopes: [workspaceId]
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
}]

output actionGroupId string = actionGroup.id
