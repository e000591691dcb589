/** The records of the devices, which `devices/` and `rollouts/` share. */
export {
  alertKind,
  deviceHealth,
  deviceId,
  deviceRecord,
  firmwareVersion,
  metricName,
  threshold,
  type AlertChange,
  type AlertKind,
  type Device,
  type DeviceHealth,
  type Threshold,
} from './model.js';
export { devices, listDevices, readDevice, setFirmware, type DeviceFilter } from './store.js';
