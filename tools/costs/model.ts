/** The load model: from what workflows cost and how many there are to rates, limits and money. */
import { sum, type Cost } from './costs.ts';

/** The file of assumptions. Each part has a `comment` with its sources. */
export interface Assumptions {
  load: Load;
  shares: { escalated: number; peak: number };
  host: {
    queuePerControlMessage: number;
    queuePerActivity: number;
    tablePerEpisode: number;
    tablePerStart: number;
    partitions: number;
    maxPollingSeconds: number;
    queueTriggers: number;
    queueTriggerPollingSeconds: number;
    scaleControllerPollingSeconds: number;
    episodesPerSecondAPartition: number;
    workItemsPerSecondAWorker: number;
  };
  compute: {
    secondsAnExecution: number;
    executionsAtOnce: number;
    gigabytes: number;
    alwaysReadyInstances: number;
  };
  storage: { daysKept: number };
  prices: Record<
    | 'millionExecutions'
    | 'gigabyteSecond'
    | 'gigabyteSecondReady'
    | 'tenThousandTableTransactions'
    | 'tenThousandQueueOperations'
    | 'tenThousandBlobWrites'
    | 'tenThousandBlobReads'
    | 'gigabyteMonthInTables',
    number
  >;
  limits: Record<
    | 'tableTransactionsAnAccount'
    | 'entitiesAPartition'
    | 'messagesAQueue'
    | 'partitionsAHub'
    | 'schedulerConsumptionActions'
    | 'schedulerUnitActions'
    | 'schedulerUnits',
    number
  >;
}

/** How many of each there are in a day. */
export type Load = Record<
  'approvals' | 'reminders' | 'players' | 'orders' | 'devices' | 'rollouts' | 'files' | 'jobs',
  number
>;

/** Something that has a limit, in the busiest hour. */
export interface Limited {
  what: string;
  /** A second, in the busiest hour. */
  rate: number;
  limit: number;
}

/** What a load comes to. Rates are in a second, in the busiest hour; money is US dollars a month. */
export interface Outcome {
  executionsADay: number;
  tableTransactionsADay: number;
  queueOperationsADay: number;
  blobOperationsADay: number;
  rates: Record<'executions' | 'workItems' | 'appTables' | 'hubTables' | 'queues' | 'blobs', number>;
  limits: Limited[];
  partitions: number;
  workers: number;
  schedulerActions: number;
  schedulerUnits: number;
  money: Record<string, number>;
}

const DAY = 86_400;
const MONTH_DAYS = 30;

/** Which measured cost happens how often in a day. Ten reminders take 45 days: in the long run a plan a day costs all of its ten. */
export function timesADay({ load, shares }: Assumptions): Record<string, number> {
  return {
    'approval-decided': load.approvals * (1 - shares.escalated),
    'approval-escalated': load.approvals * shares.escalated,
    reminders: load.reminders,
    game: load.players,
    order: load.orders,
    'device-day': load.devices,
    rollout: load.rollouts,
    'ingestion-chunk': load.files,
    job: load.jobs,
    sweep: 1_440,
    heartbeat: 1_440,
    purge: 24,
  };
}

/** @throws Error when a cost was not measured */
export function model(costs: readonly Cost[], assumptions: Assumptions): Outcome {
  const { shares, host, compute, prices, limits } = assumptions;
  const times = timesADay(assumptions);
  /** Of a day: the sum over the workflows. */
  const daily = (of: (cost: Cost) => number): number =>
    Object.entries(times).reduce((all, [name, count]) => {
      if (count === 0) return all;
      const cost = costs.find((each) => each.name === name);
      if (cost === undefined) throw new Error(`The cost of ${name} was not measured`);
      return all + count * of(cost);
    }, 0);
  const peak = (aDay: number): number => (aDay / DAY) * shares.peak;

  const day = Object.fromEntries(
    amounts.map((name) => [name, daily((cost) => amountsOf(cost, host)[name])]),
  ) as Amounts;
  const { executions, appTables, hubTables, appQueues, hubQueues, blobWrites, blobReads } = day;
  const episodes = daily(episodesOf);
  const activities = daily(({ executions: of }) => of.activity);
  const workers = Math.max(1, Math.ceil(peak(episodes + activities) / host.workItemsPerSecondAWorker));
  const partitions = Math.max(host.partitions, Math.ceil(peak(episodes) / host.episodesPerSecondAPartition));
  // Each worker polls the work items; each partition is polled by its owner; the scale controller looks at all of them.
  const polls =
    (DAY / host.maxPollingSeconds) * (workers + partitions) +
    (DAY / host.queueTriggerPollingSeconds) * host.queueTriggers * workers +
    (DAY / host.scaleControllerPollingSeconds) * (partitions + 1);

  const ready =
    compute.alwaysReadyInstances * DAY * compute.gigabytes * prices.gigabyteSecondReady * MONTH_DAYS;
  const polling = ((polls * MONTH_DAYS) / 10_000) * prices.tenThousandQueueOperations;
  const month = Object.fromEntries(amounts.map((name) => [name, day[name] * MONTH_DAYS])) as Amounts;
  const money = {
    ...moneyOf(month, assumptions),
    'instances that are always ready': ready,
    'polling of queues': polling,
  };
  const hot = hottest(costs, times);
  const actions = peak(episodes + activities);
  return {
    executionsADay: executions,
    tableTransactionsADay: appTables + hubTables,
    queueOperationsADay: appQueues + hubQueues + polls,
    blobOperationsADay: blobWrites + blobReads,
    rates: {
      executions: peak(executions),
      workItems: actions,
      appTables: peak(appTables),
      hubTables: peak(hubTables),
      queues: peak(appQueues + hubQueues) + polls / DAY,
      blobs: peak(blobWrites + blobReads),
    },
    limits: [
      {
        what: 'transactions a second, tables of the app’s account',
        rate: peak(appTables),
        limit: limits.tableTransactionsAnAccount,
      },
      {
        what: 'transactions a second, tables of the hub’s account',
        rate: peak(hubTables),
        limit: limits.tableTransactionsAnAccount,
      },
      ...hot.map(([key, writes]) => ({
        what: `entities a second, partition \`${key.split(' ')[1]}\` of \`${key.split(' ')[0]}\``,
        rate: peak(writes),
        limit: limits.entitiesAPartition,
      })),
      {
        what: 'messages a second, a control queue',
        rate: peak(episodes) / partitions,
        limit: limits.messagesAQueue,
      },
      {
        what: 'messages a second, the queue of work items',
        rate: peak(activities),
        limit: limits.messagesAQueue,
      },
      {
        what: 'messages a second, the queue `notifications`',
        rate: peak(daily(({ executions: of }) => of.queue)),
        limit: limits.messagesAQueue,
      },
      {
        what: 'partitions of the hub, by their load',
        rate: peak(episodes) / host.episodesPerSecondAPartition,
        limit: limits.partitionsAHub,
      },
    ],
    partitions,
    workers,
    schedulerActions: actions,
    schedulerUnits: Math.ceil(actions / limits.schedulerUnitActions),
    money,
  };
}

/** What a load costs together, in US dollars a month. */
export function total({ money }: Outcome): number {
  return Object.values(money).reduce((all, each) => all + each, 0);
}

/** The same assumptions about an app that has nothing to do. */
export function withoutLoad(assumptions: Assumptions): Assumptions {
  const none = Object.keys(assumptions.load).map((name) => [name, 0]);
  return { ...assumptions, load: Object.fromEntries(none) as Load };
}

/** The factor by which the load can grow until the first limit is reached, and which that is. */
export function headroom({ limits }: Outcome): Limited & { factor: number } {
  const [first] = limits
    .map((each) => ({ ...each, factor: each.limit / each.rate }))
    .toSorted((a, b) => a.factor - b.factor);
  return first!;
}

/** What a thousand of a workflow cost, in US dollars: functions, storage, and what is kept of it. */
export function priceOfThousand(cost: Cost, assumptions: Assumptions): number {
  const one = amountsOf(cost, assumptions.host);
  const thousand = Object.fromEntries(amounts.map((name) => [name, 1000 * one[name]])) as Amounts;
  return Object.values(moneyOf(thousand, assumptions)).reduce((all, each) => all + each, 0);
}

const amounts = [
  'executions',
  'appTables',
  'hubTables',
  'appQueues',
  'hubQueues',
  'blobWrites',
  'blobReads',
  'kilobytes',
] as const;
/** What is paid for. */
type Amounts = Record<(typeof amounts)[number], number>;

/** What one run of a workflow comes to on a real host. */
function amountsOf(cost: Cost, host: Assumptions['host']): Amounts {
  const { app, executions: of, started, bytesIn } = cost;
  const episodes = episodesOf(cost);
  return {
    executions: of.http + episodes + of.activity + of.queue,
    appTables: sum(app.table),
    hubTables: episodes * host.tablePerEpisode + started * host.tablePerStart,
    appQueues: sum(app.queue),
    hubQueues: episodes * host.queuePerControlMessage + of.activity * host.queuePerActivity,
    blobWrites: app.blob.write + app.blob.batch,
    blobReads: app.blob.read + app.blob.query,
    kilobytes: bytesIn / 1000,
  };
}

function moneyOf(of: Amounts, { compute, prices, storage }: Assumptions): Record<string, number> {
  const seconds = (of.executions * compute.secondsAnExecution) / compute.executionsAtOnce;
  const perTenThousand = (count: number, price: number): number => (count / 10_000) * price;
  return {
    'executions of functions': (of.executions / 1e6) * prices.millionExecutions,
    'time of functions': seconds * compute.gigabytes * prices.gigabyteSecond,
    'tables of the app': perTenThousand(of.appTables, prices.tenThousandTableTransactions),
    'tables of the hub': perTenThousand(of.hubTables, prices.tenThousandTableTransactions),
    'queues of the app': perTenThousand(of.appQueues, prices.tenThousandQueueOperations),
    'queues of the hub': perTenThousand(of.hubQueues, prices.tenThousandQueueOperations),
    blobs:
      perTenThousand(of.blobWrites, prices.tenThousandBlobWrites) +
      perTenThousand(of.blobReads, prices.tenThousandBlobReads),
    'data that is kept':
      (of.kilobytes / 1e6) * (storage.daysKept / MONTH_DAYS) * prices.gigabyteMonthInTables,
  };
}

function episodesOf({ executions: of }: Cost): number {
  return of.orchestrator + of.entity;
}

/** The partitions that get the most writes in a day: workflows that share one add up. */
function hottest(costs: readonly Cost[], times: Record<string, number>): [key: string, writes: number][] {
  const writes = new Map<string, number>();
  for (const { name, hot } of costs)
    for (const [key, count] of Object.entries(hot))
      writes.set(key, (writes.get(key) ?? 0) + count * (times[name] ?? 0));
  return [...writes].toSorted(([, a], [, b]) => b - a).slice(0, 3);
}
