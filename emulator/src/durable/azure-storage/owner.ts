import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BlobClient, BlobLeaseClient, ContainerClient } from '@azure/storage-blob';
import { type StorageClients } from './clients.js';
import { ignore, statusOf } from '../../storage-errors.js';
import { HubUnavailableError } from '../task-hub.js';

/**
 * Seconds that a lease lasts by itself, 15 to 60: enough for a machine that is so busy that it renews late. Who died on this
 * machine is not waited for.
 */
const LEASE = 30;
const RENEW_EVERY = 5_000;
const RENEW_AGAIN_AFTER = 1_000;
const ASK_AGAIN_AFTER = 250;

/** The container's metadata that marks a hub as one of ours. */
const MAKER = 'durabletaskemulator';

/**
 * Whose a hub is. Its maker is told by a mark on the container `<hub>-applease`, its owner by a lease on the blob in it, the
 * same that the provider leases, whose metadata names the process.
 */
export class Ownership {
  readonly #hubName: string;
  readonly #clients: StorageClients;
  readonly #container: ContainerClient;
  readonly #blob: BlobClient;
  #lease: BlobLeaseClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #renewed = 0;

  constructor(hubName: string, clients: StorageClients) {
    this.#hubName = hubName;
    this.#clients = clients;
    this.#container = clients.blobs.getContainerClient(`${hubName.toLowerCase()}-applease`);
    this.#blob = this.#container.getBlobClient(`${hubName.toLowerCase()}-appleaseinfo`);
  }

  /**
   * Marks a new hub as ours.
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
   * Takes the lease, at once from a process of this machine that has died, and keeps it. While storage does not answer it may
   * run out (see {@link isSure}); it is ours again when it can be renewed before somebody else has taken it.
   * @param patience milliseconds to wait for a living owner
   * @param lost called once, when somebody else has taken it
   * @throws HubUnavailableError when it stays taken
   */
  async acquire(patience: number, lost: (reason: Error) => void): Promise<void> {
    const until = Date.now() + patience;
    const content = '{}';
    for (;;) {
      const lease = this.#blob.getBlobLeaseClient();
      try {
        await lease.acquireLease(LEASE);
        // Until the metadata is ours, a process that saw the name of a dead one may still break this lease.
        await this.#blob.setMetadata(thisProcess(), { conditions: { leaseId: lease.leaseId } });
        this.#lease = lease;
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
        throw new HubUnavailableError(`Task hub '${this.#hubName}' is in use by ${describe(metadata)}.`);
      } else {
        await sleep(ASK_AGAIN_AFTER);
      }
    }
    this.#renewed = Date.now();
    this.#keep(this.#lease, lost);
  }

  /** Whether nobody else can have the hub: false from the moment the lease may have run out until it is renewed. */
  get isSure(): boolean {
    return this.#lease !== undefined && Date.now() - this.#renewed < LEASE * 1000;
  }

  /** Gives the lease back. Never rejects: one that cannot be given back runs out. */
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
    arm(RENEW_EVERY);
  }
}

type Owner = Record<string, string>;

function thisProcess(): Owner {
  return {
    machine: encodeURIComponent(hostname()),
    pid: String(process.pid),
    started: startOf(process.pid) ?? '',
  };
}

function describe({ machine, pid }: Owner): string {
  return machine === undefined ? 'somebody else' : `process ${pid} on ${decodeURIComponent(machine)}`;
}

/** Whether the owner is certainly gone, which only a process of the same machine can tell. */
function isDead({ machine, pid, started }: Owner): boolean {
  if (machine !== encodeURIComponent(hostname())) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const start = startOf(Number(pid));
  return start !== undefined && start !== started;
}

/**
 * What tells a process from a later one with the same id, where the system says it (Linux): the start time in ticks. Empty
 * for one that has ended and only waits for its parent to notice; undefined where it cannot be told.
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
