// A virtual network: a subnet that the app calls from, a subnet of private endpoints, and the names that lead to them.
param name string
param location string
param tags object
param addressPrefix string
@description('A private endpoint each: one service of one resource.')
param endpoints {
  name: string
  targetType: string
  targetName: string
  service: 'blob' | 'queue' | 'table' | 'scheduler'
}[]

// Each once: a zone is for a service, whatever the number of its accounts.
var services = union(map(endpoints, endpoint => endpoint.service), [])
// https://learn.microsoft.com/azure/private-link/private-endpoint-dns
// https://learn.microsoft.com/azure/durable-task/scheduler/durable-task-scheduler-private-endpoints
var zoneNames = toObject(
  services,
  service => service,
  service =>
    service == 'scheduler'
      ? 'privatelink.durabletask.io'
      : 'privatelink.${service}.${environment().suffixes.storage}'
)

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [addressPrefix]
    }
    subnets: [
      {
        // No underscore in the name, /27 or larger, and this delegation:
        // https://learn.microsoft.com/azure/azure-functions/functions-networking-options#virtual-network-integration
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 0)
          delegations: [
            {
              name: 'flex-consumption'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 1)
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }

  resource endpointSubnet 'subnets' existing = {
    name: 'endpoints'
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for service in services: {
    name: zoneNames[service]
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (service, i) in services: {
    parent: zones[i]
    name: 'network'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: network.id
      }
    }
  }
]

resource privateEndpoints 'Microsoft.Network/privateEndpoints@2024-05-01' = [
  for endpoint in endpoints: {
    name: 'pe-${endpoint.name}'
    location: location
    tags: tags
    properties: {
      subnet: {
        id: network::endpointSubnet.id
      }
      privateLinkServiceConnections: [
        {
          name: endpoint.service
          properties: {
            privateLinkServiceId: resourceId(endpoint.targetType, endpoint.targetName)
            groupIds: [endpoint.service]
          }
        }
      ]
    }
  }
]

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = [
  for (endpoint, i) in endpoints: {
    parent: privateEndpoints[i]
    name: 'default'
    dependsOn: [links]
    properties: {
      privateDnsZoneConfigs: [
        {
          name: endpoint.service
          properties: {
            privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', zoneNames[endpoint.service])
          }
        }
      ]
    }
  }
]
