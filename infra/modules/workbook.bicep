// The health of the workflows on one page: Azure portal, the workspace, Workbooks.
param location string
param tags object
param workspaceName string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspaceName
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // Workbooks are named by a GUID.
  name: guid(workspace.id, 'workflows')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    category: 'workbook'
    displayName: 'Workflows'
    sourceId: workspace.id
    serializedData: replace(loadTextContent('../workbook.json'), '{workspace}', workspace.id)
  }
}
