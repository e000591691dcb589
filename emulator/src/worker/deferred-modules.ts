import { axiosOfClients } from './client-requests.js';
import { deferred } from './deferred.js';

/**
 * Packages that only the client of `durable-functions` uses. They take two thirds of the time in which it loads. A test
 * that starts a workflow by its name needs none of them.
 */
const PACKAGES_OF_CLIENTS = new Set(['axios', 'validator', 'lodash/cloneDeep', '@opentelemetry/api']);

/** The modules of `durable-functions` with clients. */
const CLIENT_MODULES = /[\\/]durable-functions[\\/]lib[\\/]src[\\/]durableClient[\\/]\w+\.js$/;

/** Whether the module `from` of the SDK gets its package `id` at first use. */
export function isDeferred(id: string, from: unknown): boolean {
  return PACKAGES_OF_CLIENTS.has(id) && typeof from === 'string' && CLIENT_MODULES.test(from);
}

/** Stands for a package of {@link isDeferred}. @param load loads it */
export function packageOfClients(id: string, load: () => unknown): unknown {
  return id === 'axios' ? axiosOfClients(load) : deferred(load);
}
