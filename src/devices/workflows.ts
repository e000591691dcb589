import type { DurableClient } from 'durable-functions';
import { ensureRunning } from '../durable/index.js';
import { devices } from '../fleet/index.js';
import type { Purgeable, Supervised } from '../supervision/index.js';
import { keyOf, type Device } from './model.js';
import { changed, deviceMonitor } from './orchestrators.js';
import { alerts } from './store.js';

/** Makes sure that the monitor of a device runs. `wake` makes it look at the device now. */
export async function goOn(
  client: DurableClient,
  device: Pick<Device, 'id' | 'registration'>,
  wake?: typeof changed,
): Promise<void> {
  const { id, registration } = device;
  await ensureRunning(client, deviceMonitor, {
    instanceId: `device-monitor-${keyOf(device)}`,
    input: { id, registration },
    wake,
  });
}

/** Devices whose monitor is late: it failed, was terminated or never started. */
export const supervised: Supervised = {
  name: 'devices',
  records: devices,
  goOn: async (client, id) => {
    const device = await devices.read(id);
    if (device !== undefined) await goOn(client, device, changed);
  },
};

/** Alerts are due at no time. */
export const supervisedAlerts: Supervised = { name: 'alerts', records: alerts };

/** Closed alerts. */
export const purgeableAlerts: Purgeable = { name: 'alerts', records: alerts };

/** Devices that were removed. */
export const purgeableDevices: Purgeable = { name: 'devices', records: devices };
