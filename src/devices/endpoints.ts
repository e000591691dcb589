import type { HttpRequest } from '@azure/functions';
import * as df from 'durable-functions';
import moment from 'moment';
import { z } from 'zod';
import {
  deviceHealth,
  deviceId,
  devices,
  firmwareVersion,
  listDevices,
  readDevice,
  type Device,
} from '../fleet/index.js';
import {
  accepted,
  check,
  invalid,
  notFound,
  queryOf,
  readJson,
  requireInvolved,
  signedIn,
  unlessRefused,
  withProblems,
  type Handler,
} from '../http/index.js';
import { TryLaterError } from '../refusals/index.js';
import { deviceEntity } from './entities.js';
import { alertState, keyOf, ownReading, ownReadings, registration, type Alert } from './model.js';
import { changed } from './orchestrators.js';
import { configure, register, remove } from './rules.js';
import { alerts, alertsOf } from './store.js';
import { isAhead, take } from './telemetry.js';
import { goOn } from './workflows.js';

const top = z.coerce.number().int().min(1).max(100).default(50);

const devicesQuery = z.object({
  health: deviceHealth.optional(),
  firmware: firmwareVersion.optional(),
  top,
  continuation: deviceId.optional(),
});

const alertsQuery = z.object({
  state: alertState.optional(),
  device: deviceId.optional(),
  top,
  continuation: z
    .string()
    .regex(/^[\w!-]{1,200}$/, 'Take it from a nextLink as it is')
    .optional(),
});

/** `PUT /api/devices/{id}` `{ interval, threshold? }`: 201 for a new device, 200 for one that there was. */
export const registerDevice: Handler = async (request, client, context) => {
  const id = check(deviceId, request.params['id'], 'id');
  const wanted = check(registration, await readJson(request));
  const at = moment.utc();
  const by = signedIn(request)?.name;
  const { record: first, inserted } = await devices.insert(register(id, wanted, at, by));
  const result = inserted
    ? { record: first, changed: false }
    : await devices.change(id, (each) => {
        if (each.removedAt === undefined) requireInvolved(request, [each.registeredBy]);
        return configure(each, wanted, at, by);
      });
  if (result === undefined) {
    throw new TryLaterError(`The device ${id} was purged meanwhile`);
  }
  const { record: device, changed: isChanged } = unlessRefused(result);
  // The record is due. If this fails, the sweep starts the monitor.
  await goOn(client, device, changed).catch((error: unknown) => {
    context.warn('The monitor of %s was not started', id, error);
  });
  const isNew = inserted || (isChanged && device.registration !== first.registration);
  return isNew
    ? { status: 201, headers: { Location: `/api/devices/${id}` }, jsonBody: view(device) }
    : { jsonBody: view(device) };
};

/** `GET /api/devices/{id}`: the device with its last reading. */
export const getDevice: Handler = async (request, client) => {
  const device = await deviceOf(request);
  const { last } = await deviceEntity.read(client, keyOf(device));
  const { at, sequence, metrics, receivedAt } = last ?? {};
  return {
    jsonBody: { ...view(device), ...(last && { lastReading: { at, sequence, metrics, receivedAt } }) },
  };
};

/** `GET /api/devices?health=&firmware=&top=&continuation=`: a page, and the path of the next if there is one. */
export const listAllDevices: Handler = async (request) => {
  const { top: most, continuation: after, ...filter } = check(devicesQuery, queryOf(request), 'query');
  const { records, continuation } = await listDevices(filter, { top: most, after });
  return { jsonBody: page('/api/devices', records.map(view), { ...filter, top: most, continuation }) };
};

/** `DELETE /api/devices/{id}`: its alerts are closed, and its monitor ends. A repeat is answered alike. */
export const removeDevice: Handler = async (request, client, context) => {
  const id = idOf(request);
  const result = await devices.change(id, (each) => {
    requireInvolved(request, [each.registeredBy]);
    return remove(each, moment.utc());
  });
  const { record, changed: isRemoved } = unlessRefused(result ?? unknown(request));
  if (isRemoved) {
    // The record is due. If this fails, the sweep wakes the monitor.
    await goOn(client, record, changed).catch((error: unknown) => {
      context.warn('The monitor of %s was not woken', id, error);
    });
  }
  return { status: 204 };
};

/** `POST /api/devices/{id}/telemetry`: a reading, or `{ readings }` with up to 100. */
export const reportTelemetry: Handler = async (request, client) => {
  const body = await readJson(request);
  const hasMany = typeof body === 'object' && body !== null && 'readings' in body;
  const readings = hasMany ? check(ownReadings, body).readings : [check(ownReading, body)];
  const at = moment.utc();
  const wrong = readings.flatMap((reading, number) =>
    isAhead(reading, at)
      ? [{ field: hasMany ? `readings.${number}.at` : 'at', message: 'It is more than 5 minutes ahead' }]
      : [],
  );
  if (wrong.length > 0) {
    throw invalid(wrong);
  }
  const device = await deviceOf(request);
  await take(client, device, readings, at);
  return accepted(`/api/devices/${device.id}`, { received: readings.length });
};

/** `GET /api/alerts?state=&device=&top=&continuation=`: a page, newest first, and the path of the next if there is one. */
export const listAlerts: Handler = async (request) => {
  const { top: most, continuation: after, ...filter } = check(alertsQuery, queryOf(request), 'query');
  const { records, continuation } = await alerts.list(alertsOf(filter), { top: most, after });
  const value: Alert[] = records;
  return { jsonBody: page('/api/alerts', value, { ...filter, top: most, continuation }) };
};

/** The device as callers get it. */
function view(device: Device): object {
  const { id, interval, threshold, registeredAt, registeredBy, firmware, health, alerts: open } = device;
  return { id, interval, threshold, registeredAt, registeredBy, firmware, health, alerts: open };
}

/** A page of a list, with the path of the next if there is one. */
function page(
  path: string,
  value: object[],
  { continuation, ...query }: Record<string, string | number | undefined>,
): object {
  if (continuation === undefined) {
    return { value };
  }
  const next = new URLSearchParams();
  for (const [name, each] of Object.entries({ ...query, continuation })) {
    if (each !== undefined) next.set(name, String(each));
  }
  return { value, nextLink: `${path}?${next.toString()}` };
}

async function deviceOf(request: HttpRequest): Promise<Device> {
  return (await readDevice(idOf(request))) ?? unknown(request);
}

function idOf(request: HttpRequest): string {
  const { data } = deviceId.safeParse(request.params['id']);
  return data ?? unknown(request);
}

function unknown(request: HttpRequest): never {
  throw notFound(`There is no device ${request.params['id'] ?? ''}. PUT it to register it.`);
}

df.app.client.http('RegisterDevice', {
  route: 'api/devices/{id}',
  methods: ['PUT'],
  authLevel: 'function',
  handler: withProblems(registerDevice),
});
df.app.client.http('GetDevice', {
  route: 'api/devices/{id}',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(getDevice),
});
df.app.client.http('ListDevices', {
  route: 'api/devices',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(listAllDevices),
});
df.app.client.http('RemoveDevice', {
  route: 'api/devices/{id}',
  methods: ['DELETE'],
  authLevel: 'function',
  handler: withProblems(removeDevice),
});
df.app.client.http('ReportTelemetry', {
  route: 'api/devices/{id}/telemetry',
  methods: ['POST'],
  authLevel: 'function',
  handler: withProblems(reportTelemetry),
});
df.app.client.http('ListAlerts', {
  route: 'api/alerts',
  methods: ['GET'],
  authLevel: 'function',
  handler: withProblems(listAlerts),
});
