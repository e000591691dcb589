/** Devices: their readings, monitors that notice silence and high values, and alerts. */
export {
  getDevice,
  listAlerts,
  listAllDevices,
  registerDevice,
  removeDevice,
  reportTelemetry,
} from './endpoints.js';
export { deviceMonitor } from './orchestrators.js';
export { telemetryFromQueue } from './telemetry.js';
export { purgeableAlerts, purgeableDevices, supervised, supervisedAlerts } from './workflows.js';
