import type { HostKeys } from '../../triggers/keys.js';
import type { Log } from '../../log.js';
import type { DurableClient } from '../client.js';

/** The management API of one host. */
export interface ManagementOptions {
  log?: Log;
  client: DurableClient;
  hubName: string;
  /** The name of the hub's connection. */
  connection: string;
  /** Whether the app's settings contain a storage connection of that name. */
  hasConnection: (name: string) => boolean;
  /** Whether URLs contain the host that a proxy names (`useForwardedHost`). */
  forwardedHost?: boolean;
  /** Whether histories show the inputs of scheduled tasks (`storeInputsInOrchestrationHistory`). */
  storeInputs?: boolean;
  /**
   * The keys that open the webhook: the system key, which is part of the URLs for clients, and the master
   * key.
   */
  keys: () => Pick<HostKeys, 'durableTask' | 'host' | 'master'>;
  /** Requires one of these keys, as in Azure. False: as under `func start`. */
  enforceKeys?: boolean;
  /**
   * The path of the API for the SDK's client, which sends no key: a random path where keys are required.
   * Default: `/durabletask`.
   */
  rpcPath?: string;
}
