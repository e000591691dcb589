import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import moment, { type Moment } from 'moment';
import { notify, operator } from '../notifications/index.js';
import { listDue, type DueEntry } from '../storage/index.js';
import type { Supervised } from '../supervision/index.js';

/**
 * The sweep processes records that are overdue by this time. Until then their workflows may be about to
 * continue.
 */
export const MARGIN = moment.duration(1, 'minute');
/** The longest interval between two attempts at one record. */
const LONGEST_INTERVAL = moment.duration(15, 'minutes');
/** The number of attempts at one record, about an hour, after which the operator gets a message. */
const REPORT_AFTER = 8;
/** The timer does not fire at the same second of each minute. */
const SLACK = moment.duration(30, 'seconds');
/**
 * How many records of a feature one sweep processes, and how many of them at once. The next sweep takes the
 * rest.
 */
const LIMIT = 400;
const AT_ONCE = 8;
/** A sweep of a feature starts no record after this time: slow storage must not delay the other features. */
const BUDGET = moment.duration(30, 'seconds');
/**
 * How many messages to the operator one sweep sends for a feature. An outage makes many records late
 * together.
 */
const REPORTS = 10;

/** The results of a sweep for a feature. */
export interface Swept {
  /** Records whose workflow was started or woken. */
  continued: number;
  /** Entries that no longer hold. */
  outdated: number;
  /** Records for which the feature failed. They are tried again. */
  failed: number;
  /** Records about which the operator got a message. */
  reported: number;
}

/**
 * Puts records into the index of a feature that are older than it.
 *
 * @returns how many
 */
export async function indexOlder({ records }: Supervised): Promise<number> {
  return (await records.indexOlder?.(LIMIT)) ?? 0;
}

/** The kinds about which this process has logged that no feature has them. */
const unknownKinds = new Set<string>();

/**
 * The due entries of all features, in one query as long as fewer than 1,000 are due. Entries of a kind that no feature has,
 * because another version of the app wrote them, stay as they are, for when that version comes back.
 */
export async function dueEntries(
  features: readonly Supervised[],
  context: InvocationContext,
  at: Moment,
): Promise<(feature: Supervised) => readonly DueEntry[]> {
  const kinds = new Set(features.map(({ records }) => records.kind));
  const found = await listDue(at.clone().subtract(MARGIN), (kind) => (kinds.has(kind) ? LIMIT : 0));
  for (const kind of found.keys()) {
    if (!kinds.has(kind) && !unknownKinds.has(kind)) {
      unknownKinds.add(kind);
      context.warn('The due index has entries of %s, which this version of the app does not know', kind);
    }
  }
  return ({ records }) => found.get(records.kind) ?? [];
}

/**
 * Makes sure that the workflows of due records run. Its cost depends on the number of due records, not of all
 * records. A failing record does not stop the others. A record that stays due is tried again after one to
 * fifteen minutes.
 */
export async function sweep(
  feature: Supervised,
  entries: readonly DueEntry[],
  client: DurableClient,
  context: InvocationContext,
  at: Moment,
): Promise<Swept> {
  const swept: Swept = { continued: 0, outdated: 0, failed: 0, reported: 0 };
  const look = async (entry: DueEntry): Promise<void> => {
    try {
      await goOn(feature, entry, swept, client, context, at);
    } catch (error) {
      // Its entry could not be read or written: the next sweep tries it again.
      swept.failed += 1;
      context.error('The sweep could not look at %s %s', feature.name, entry.id, error);
    }
  };
  const queue = entries.values();
  const began = performance.now();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const entry of queue) {
        if (performance.now() - began > BUDGET.asMilliseconds()) return;
        await look(entry);
      }
    }),
  );
  return swept;
}

async function goOn(
  feature: Supervised,
  entry: DueEntry,
  swept: Swept,
  client: DurableClient,
  context: InvocationContext,
  at: Moment,
): Promise<void> {
  const { id } = entry;
  let impossible: string | undefined;
  try {
    if (!(await feature.records.holds(entry, at))) {
      swept.outdated += 1;
      return;
    }
    impossible = (await feature.goOn?.(client, id)) ?? undefined;
    swept.continued += 1;
  } catch (error) {
    swept.failed += 1;
    context.error('The sweep could not go on with %s %s', feature.name, id, error);
  }
  const attempts = entry.attempts + 1;
  let { reported } = entry;
  if (!reported && (impossible !== undefined || attempts >= REPORT_AFTER) && swept.reported < REPORTS) {
    swept.reported += 1;
    reported = await report(feature, entry, impossible, context);
  }
  const next = at.clone().add(intervalAfter(attempts)).subtract(MARGIN).subtract(SLACK);
  await feature.records.putOff(entry, next, { attempts, reported });
}

/** Minutes: 1, 2, 4, 8, 15, 15, ... */
function intervalAfter(attempts: number): moment.Duration {
  return moment.duration(Math.min(2 ** (attempts - 1), LONGEST_INTERVAL.asMinutes()), 'minutes');
}

/**
 * Sends the operator a message about a record.
 *
 * @returns whether it was queued; if not, the next attempt sends it
 */
async function report(
  { name }: Supervised,
  { id, due }: DueEntry,
  impossible: string | undefined,
  context: InvocationContext,
): Promise<boolean> {
  try {
    await notify(
      {
        to: operator(),
        subject: `Overdue: ${id}`,
        text: `It was due at ${due}. ${impossible ?? 'The app tries to go on with it, so far without success.'}`,
        about: `/api/${name}/${id}`,
        key: `overdue-${id}-${due}`,
      },
      context,
    );
    return true;
  } catch (error) {
    context.error('The operator could not be notified about %s', id, error);
    return false;
  }
}
