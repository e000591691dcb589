import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobClient, BlobLeaseClient, ContainerClient } from '@azure/storage-blob';
import { type StorageClients } from './clients.js';
import { ignore, statusOf } from '../../storage-errors.js';
import { HubUnavailableError } from '../task-hub.js';

/**
 * How long a lease lasts without renewal, in seconds; storage allows 15 to 60. It is long enough for a busy
 * machine that renews late. A lease held by a dead process on this machine is taken over at once.
 */
const LEASE = 30;
const RENEW_EVERY = 5_000;
const RENEW_AGAIN_AFTER = 1_000;
const ASK_AGAIN_AFTER = 250;

/** The key in the container's metadata that marks a hub as made by the emulator. */
const MAKER = 'durabletaskemulator';

/**
 * The maker and the owner of a hub. A mark on the container `<hub>-applease` says that the emulator made the
 * hub. The owner holds a lease on the blob in that container, the same blob that the provider leases; the
 * blob's metadata names the owner's process.
 */
export class Ownership {
  readonly #hubName: string;
  readonly #clients: StorageClients;
  readonly #container: ContainerClient;
  readonly #blob: BlobClient;
  #lease: BlobLeaseClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  /**
   * When the request was sent that acquired or renewed the lease last: the lease is at least as young as
   * storage counts it.
   */
  #renewed = 0;

  constructor(hubName: string, clients: StorageClients) {
    this.#hubName = hubName;
    this.#clients = clients;
    this.#container = clients.leases.getContainerClient(`${hubName.toLowerCase()}-applease`);
    this.#blob = this.#container.getBlobClient(`${hubName.toLowerCase()}-appleaseinfo`);
  }

  /**
   * Marks a new hub as made by the emulator.
   * @throws HubUnavailableError when another kind of host made it
   */
  async claim(): Promise<void> {
    const prefix = `${this.#hubName.toLowerCase()}-`;
    const containers = new Map<string, boolean>();
    for await (const { name, metadata } of this.#clients.blobs.listContainers({
      prefix,
      includeMetadata: true,
    })) {
      containers.set(name, metadata?.[MAKER] !== undefined);
    }
    if (containers.get(this.#container.containerName) === true) return;
    const foreign =
      containers.has(this.#container.containerName) ||
      (
        await Promise.all([
          this.#clients.tableExists(`${this.#hubName}Partitions`),
          this.#clients.queueExists(`${prefix}control-00`),
        ])
      ).includes(true);
    if (foreign) {
      throw new HubUnavailableError(
        `Task hub '${this.#hubName}' was made by another Functions host: choose another hub name, or delete that hub.`,
      );
    }
    await this.#container.createIfNotExists({ metadata: { [MAKER]: 'true' } });
  }

  /**
   * Takes the lease and keeps it. A lease held by a dead process on this machine is taken over at once. While
   * storage does not answer, the lease may run out (see {@link holdsLease}). It counts again when it is
   * renewed before another process takes it.
   * @param patience how long to wait for a living owner, in milliseconds
   * @param lost called once, when another process has taken the lease
   * @throws HubUnavailableError when another process keeps the lease
   */
  async acquire(patience: number, lost: (reason: Error) => void): Promise<void> {
    const until = Date.now() + patience;
    const content = '{}';
    for (;;) {
      const lease = this.#blob.getBlobLeaseClient();
      const started = Date.now();
      try {
        await lease.acquireLease(LEASE);
        // Before this write, the metadata may name a dead process, and another process may break this lease.
        await this.#blob.setMetadata(thisProcess(), { conditions: { leaseId: lease.leaseId } });
        this.#lease = lease;
        this.#renewed = started;
        break;
      } catch (error) {
        if (statusOf(error) === 404) {
          await this.#blob
            .getBlockBlobClient()
            .upload(content, content.length, { conditions: { ifNoneMatch: '*' } })
            .catch(ignore(409, 412));
          continue;
        }
        if (statusOf(error) !== 409 && statusOf(error) !== 412) throw error;
      }
      const { metadata = {}, etag } = await this.#blob.getProperties();
      if (isDead(metadata)) {
        await lease.breakLease(0, { conditions: { ifMatch: etag! } }).catch(ignore(409, 412));
      } else if (Date.now() >= until) {
        throw new HubUnavailableError(
          `Task hub '${this.#hubName}' is in use by ${describe(metadata)}.${
            isNeighbour(metadata)
              ? ''
              : ` If that process has ended, the hub is free within ${LEASE} seconds.`
          }`,
        );
      } else {
        await sleep(ASK_AGAIN_AFTER);
      }
    }
    this.#keep(this.#lease, lost);
  }

  /**
   * Whether no other process can own the hub: false from the moment when the lease may have run out until it
   * is renewed.
   */
  get holdsLease(): boolean {
    return this.#lease !== undefined && Date.now() - this.#renewed < LEASE * 1000;
  }

  /** Gives the lease back. Never rejects: a lease that cannot be given back runs out. */
  async release(): Promise<void> {
    clearTimeout(this.#timer);
    const lease = this.#lease;
    this.#lease = undefined;
    await lease?.releaseLease().catch(() => {});
  }

  #keep(lease: BlobLeaseClient, lost: (reason: Error) => void): void {
    const renew = async (): Promise<void> => {
      const started = Date.now();
      try {
        await lease.renewLease();
        this.#renewed = started;
      } catch (error) {
        if (this.#lease !== lease) return;
        const status = statusOf(error);
        if (status === 404 || status === 409 || status === 412) {
          this.#lease = undefined;
          lost(
            new HubUnavailableError(`Task hub '${this.#hubName}' was lost: its lease was taken.`, {
              cause: error,
            }),
          );
          return;
        }
      }
      if (this.#lease === lease) arm(this.#renewed === started ? RENEW_EVERY : RENEW_AGAIN_AFTER);
    };
    const arm = (delay: number): void => {
      this.#timer = setTimeout(() => void renew(), delay).unref();
    };
    arm(Math.max(0, this.#renewed + RENEW_EVERY - Date.now()));
  }
}

type Owner = Record<string, string>;

const UNKNOWN_NAMESPACE = randomUUID();

function thisProcess(): Owner {
  return {
    machine: encodeURIComponent(hostname()),
    processes: processNamespace(),
    pid: String(process.pid),
    started: startOf(process.pid) ?? '',
  };
}

function describe({ machine, pid }: Owner): string {
  return machine === undefined ? 'another program' : `process ${pid} on ${decodeURIComponent(machine)}`;
}

/**
 * Whether this process can look the owner up by its id: they run on one machine, and in one process namespace
 * of it.
 */
function isNeighbour({ machine, processes }: Owner): boolean {
  return machine === encodeURIComponent(hostname()) && processes === processNamespace();
}

/**
 * The process namespace of this process, and the boot of its kernel. Containers may share a host name, but
 * not their process ids. Empty where the system has no namespaces.
 */
function processNamespace(): string {
  if (process.platform !== 'linux') return '';
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return encodeURIComponent(`${boot} ${readlinkSync('/proc/self/ns/pid')}`);
  } catch {
    // The namespace is unknown. A random id makes it different from all others.
    return UNKNOWN_NAMESPACE;
  }
}

/** Whether the owner has certainly ended. */
function isDead(owner: Owner): boolean {
  if (!isNeighbour(owner)) return false;
  const { pid, started } = owner;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const start = startOf(Number(pid));
  return start !== undefined && start !== started;
}

/**
 * The start time of a process in ticks (Linux): it differs from that of a later process with the same id.
 * `ended` for a process that has ended and waits for its parent; undefined where the system does not show it.
 */
function startOf(pid: number): string | undefined {
  try {
    // The second field is the program's name, in parentheses, and may itself hold any character.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? 'ended' : fields[19]!;
  } catch {
    return undefined;
  }
}
