// A virtual network: one subnet the app calls from, one where private endpoints stand, and the names that lead to them.
param name string
param location string
param tags object
param addressPrefix string
@description('Empty: this account has no private endpoints.')
param hostStorageId string
@description('Empty: this account has no private endpoints.')
param dataStorageId string
@description('Empty: there is no scheduler.')
param schedulerId string

// https://learn.microsoft.com/azure/private-link/private-endpoint-dns
var storageServices = ['blob', 'queue', 'table']
var storageZones = [for service in storageServices: 'privatelink.${service}.${environment().suffixes.storage}']
// https://learn.microsoft.com/azure/durable-task/scheduler/durable-task-scheduler-private-endpoints
var schedulerZone = 'privatelink.durabletask.io'

var hostEndpoints = [for (service, i) in storageServices: { name: 'host-${service}', target: hostStorageId, group: service, zone: storageZones[i] }]
var dataEndpoints = [for (service, i) in storageServices: { name: 'data-${service}', target: dataStorageId, group: service, zone: storageZones[i] }]
var schedulerEndpoints = [{ name: 'scheduler', target: schedulerId, group: 'scheduler', zone: schedulerZone }]

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

  resource appSubnet 'subnets' existing = {
    name: 'app'
  }

  resource endpointSubnet 'subnets' existing = {
    name: 'endpoints'
  }
}

module zones 'private-zone.bicep' = [for zone in concat(empty(hostStorageId) ? [] : storageZones, empty(schedulerId) ? [] : [schedulerZone]): {
  name: 'zone-${zone}'
  params: {
    name: zone
    networkId: network.id
    tags: tags
  }
}]

module endpoints 'private-endpoint.bicep' = [for endpoint in concat(hostEndpoints, dataEndpoints, schedulerEndpoints): if (!empty(endpoint.target)) {
  name: 'endpoint-${endpoint.name}'
  dependsOn: [zones]
  params: {
    name: 'pe-${endpoint.name}'
    location: location
    tags: tags
    subnetId: network::endpointSubnet.id
    targetId: endpoint.target
    groupId: endpoint.group
    zoneName: endpoint.zone
  }
}]

@description('The app starts only when the names it asks for lead to the endpoints.')
output appSubnetId string = network::appSubnet.id
