using '../../../infra/main.bicep'
extends '../../../infra/main.bicepparam'

param durableBackend = 'scheduler'
