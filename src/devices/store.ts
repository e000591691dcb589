import { Refusal } from '../refusals/index.js';
import { newestFirst, recordStore } from '../storage/index.js';
import { alertRecord, type Alert, type AlertChange } from './model.js';

/** The alerts, open and closed. */
export const alerts = recordStore({
  table: 'Alerts',
  schema: alertRecord,
  indexes: ({ device, state, openedAt }) =>
    [{}, { state }, { device }, { device, state }].map((filter) => ({
      partition: alertsOf(filter),
      row: newestFirst(openedAt),
    })),
  endedAt: ({ closedAt }) => closedAt,
});

/** Selects alerts to list. */
export interface AlertFilter {
  state?: Alert['state'] | undefined;
  /** The id of a device. */
  device?: string | undefined;
}

/** The partition of the index with the alerts that match a filter, newest first. */
export function alertsOf({ state, device }: AlertFilter): string {
  return [
    'all',
    ...(state === undefined ? [] : [`state-${state}`]),
    ...(device === undefined ? [] : [`device-${device}`]),
  ].join('-');
}

/** Writes that an alert of a device was opened or closed. A repeat changes nothing. */
export async function writeAlert(device: string, { id, kind, to, at, text }: AlertChange): Promise<void> {
  if (to === 'open') {
    await alerts.insert({ id, device, kind, state: 'open', openedAt: at, text });
    return;
  }
  const result = await alerts.change(id, (alert) =>
    alert.state === 'closed' ? alert : { ...alert, state: 'closed', closedAt: at, closedBecause: text },
  );
  if (result === undefined || result instanceof Refusal) {
    throw new Error(`There is no alert ${id}`);
  }
}
