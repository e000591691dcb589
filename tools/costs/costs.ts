/** What was measured, as it is kept in a file and used by the model. */
import type { Kind, Tally } from './tally.ts';
import type { Service } from './connection.ts';

/** The costs of one run of a workflow. */
export interface Cost {
  name: string;
  title: string;
  executions: { http: number; orchestrator: number; entity: number; activity: number; queue: number };
  /** Orchestrations that were started. */
  started: number;
  /** Writes to the partitions that every run writes to, by table and partition: those can become hot. */
  hot: Record<string, number>;
  /** Requests to the app's own storage, which do not depend on the host. */
  app: Record<Service, Record<Kind, number>>;
  /** Requests to the task hub, by the host that ran the app. */
  hub: Record<Service, Record<Kind, number>>;
  /** Entities written to tables. */
  entities: number;
  /** Bytes of the bodies that were sent to storage, and that came back. */
  bytesIn: number;
  bytesOut: number;
}

/** Costs with the day and the machine. */
export interface Measurement {
  /** ISO 8601, the day. */
  on: string;
  machine: string;
  host: string;
  costs: Cost[];
}

/** The mean of several runs. */
export function costOf(name: string, title: string, runs: readonly (Tally & { http: number })[]): Cost {
  const mean = (of: (run: Tally & { http: number }) => number): number =>
    Math.round((10 * runs.reduce((all, run) => all + of(run), 0)) / runs.length) / 10;
  const requests = (place: 'app' | 'hub'): Cost['app'] => {
    const kinds = (service: Service): Record<Kind, number> => ({
      read: mean((run) => run[place][service].read),
      query: mean((run) => run[place][service].query),
      write: mean((run) => run[place][service].write),
      delete: mean((run) => run[place][service].delete),
      batch: mean((run) => run[place][service].batch),
    });
    return { blob: kinds('blob'), queue: kinds('queue'), table: kinds('table') };
  };
  return {
    name,
    title,
    executions: {
      http: mean(({ http }) => http),
      orchestrator: mean(({ executions }) => executions.orchestrator),
      entity: mean(({ executions }) => executions.entity),
      activity: mean(({ executions }) => executions.activity),
      queue: mean(({ executions }) => executions.queue),
    },
    started: mean(({ started }) => started),
    hot: hotOf(runs),
    app: requests('app'),
    hub: requests('hub'),
    entities: mean(({ entities }) => entities),
    bytesIn: Math.round(mean(({ bytesIn }) => bytesIn)),
    bytesOut: Math.round(mean(({ bytesOut }) => bytesOut)),
  };
}

/** The partitions that all of several runs have written to, with the mean of their writes. */
function hotOf(runs: readonly Tally[]): Record<string, number> {
  const [first, ...others] = runs.map(({ partitions }) => partitions);
  if (first === undefined || others.length === 0) return {};
  const shared = [...first.keys()].filter((key) => others.every((each) => each.has(key)));
  const writes = (key: string): number => runs.reduce((all, each) => all + each.partitions.get(key)!, 0);
  return Object.fromEntries(
    shared.toSorted().map((key) => [key, Math.round((10 * writes(key)) / runs.length) / 10]),
  );
}

/** The sum of the kinds of requests. */
export function sum(kinds: Record<Kind, number>): number {
  return kinds.read + kinds.query + kinds.write + kinds.delete + kinds.batch;
}
