import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import moment, { type Duration, type Moment } from 'moment';
import { duration } from '../http/index.js';
import type { Purgeable } from '../supervision/index.js';
import type { Hub } from './hub.js';

/** How many records or instances are read at once. */
const PAGE = 200;
/** How many of them are removed at once. */
const AT_ONCE = 8;

/** The results of a purge of records or of instances. */
export interface Purged {
  removed: number;
  /** Records of which something else must be removed first. They are tried again. */
  kept: number;
  /** What could not be removed. It is tried again. */
  failed: number;
}

/**
 * How long finished instances and ended records are kept: the setting `PURGE_AFTER`, an ISO 8601 duration of at
 * least a day, or `never`. Default: 90 days.
 *
 * @returns `undefined` for `never`
 * @throws Error when the setting is neither: nothing is purged by mistake
 */
export function purgeAfter(setting = process.env['PURGE_AFTER'] || 'P90D'): Duration | undefined {
  if (setting === 'never') return undefined;
  if (!duration('P1D', 'P100Y').safeParse(setting).success) {
    throw new Error(`The setting PURGE_AFTER is ${setting}: it must be a duration, such as P90D, or never`);
  }
  return moment.duration(setting);
}

/**
 * Removes the records of a feature that ended before a time, page by page, the oldest first. It starts no removal
 * after `deadline`, and the next purge goes on with what is left, as it does after an interruption.
 *
 * @param deadline in milliseconds of `performance.now()`
 */
export async function purgeRecords(
  feature: Purgeable,
  client: DurableClient,
  context: InvocationContext,
  { until, deadline }: { until: Moment; deadline: number },
): Promise<Purged> {
  const pages = async (after: string | undefined): Promise<Page<string>> => {
    const { records, continuation } = await feature.records.ended(until, { top: PAGE, after });
    return { items: records.map(({ id }) => id), next: continuation };
  };
  return removeAll(pages, deadline, context, feature.name, async (id) => {
    const mayGo = (await feature.clear?.(client, id)) ?? true;
    return mayGo && (await feature.records.remove(id, until));
  });
}

/**
 * Removes the instances that finished before a time, page by page. The hub filters by the time at which an instance
 * was created, so that this reads also those that were created before and finished after.
 *
 * @param deadline in milliseconds of `performance.now()`
 */
export async function purgeInstances(
  hub: Hub,
  client: DurableClient,
  context: InvocationContext,
  { until, deadline }: { until: Moment; deadline: number },
): Promise<Purged> {
  const filter = {
    runtimeStatus: ['Completed', 'Failed', 'Terminated', 'Canceled'],
    createdTimeTo: until.toISOString(),
  };
  const pages = async (continuation: string | undefined): Promise<Page<string>> => {
    const page = await hub.list(filter, { top: PAGE, continuation });
    const old = page.instances.filter(({ lastUpdatedTime }) => until.isAfter(lastUpdatedTime));
    return { items: old.map(({ instanceId }) => instanceId), next: page.continuation };
  };
  return removeAll(pages, deadline, context, 'instances', async (id) => {
    await client.purgeInstanceHistory(encodeURIComponent(id));
    return true;
  });
}

interface Page<Item> {
  items: Item[];
  /** Absent on the last page. */
  next: string | undefined;
}

async function removeAll(
  pages: (after: string | undefined) => Promise<Page<string>>,
  deadline: number,
  context: InvocationContext,
  what: string,
  remove: (id: string) => Promise<boolean>,
): Promise<Purged> {
  const purged: Purged = { removed: 0, kept: 0, failed: 0 };
  let after: string | undefined;
  do {
    const { items, next } = await pages(after);
    const queue = items.values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const id of queue) {
          if (performance.now() > deadline) return;
          try {
            purged[(await remove(id)) ? 'removed' : 'kept'] += 1;
          } catch (error) {
            purged.failed += 1;
            context.error('The purge of %s could not remove %s', what, id, error);
          }
        }
      }),
    );
    after = next;
  } while (after !== undefined && performance.now() <= deadline);
  return purged;
}
