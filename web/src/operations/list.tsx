import type { VNode } from 'preact';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { list, type Filter, type Listed } from './api';
import type { Attempt } from '../attempt';
import { FilterForm, NO_FILTER } from './filter-form';
import { Table } from './table';

/** How many instances are loaded before the page asks whether to load more. */
const MANY = 10_000;

/** How the list can be ordered; the hub lists by id. */
const orders = {
  'Newest first': (a: Listed, b: Listed) => b.createdAt.localeCompare(a.createdAt),
  'Oldest first': (a: Listed, b: Listed) => a.createdAt.localeCompare(b.createdAt),
  'Last change first': (a: Listed, b: Listed) => b.updatedAt.localeCompare(a.updatedAt),
  'By id': () => 0,
};
type Order = keyof typeof orders;

/** All instances that match a filter, loaded page by page. */
export function List({ attempt }: { attempt: Attempt }): VNode {
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const [order, setOrder] = useState<Order>('Newest first');
  const [found, setFound] = useState<Listed[]>([]);
  const [more, setMore] = useState<string>();
  const [busy, setBusy] = useState(false);
  /** Counts loads: a newer one ends those before. */
  const load = useRef(0);

  const fetchPages = useCallback(
    async (from: { filter: Filter; before: Listed[]; continuation: string | undefined }): Promise<void> => {
      load.current += 1;
      const mine = load.current;
      setBusy(true);
      await attempt(async () => {
        let { before, continuation } = from;
        const limit = before.length + MANY;
        do {
          const page = await list(from.filter, continuation);
          if (mine !== load.current) return;
          before = [...before, ...page.value];
          ({ continuation } = page);
          setFound(before);
          setMore(continuation);
        } while (continuation !== undefined && before.length < limit);
      });
      if (mine === load.current) setBusy(false);
    },
    [attempt],
  );

  const search = useCallback(
    (by: Filter): void => {
      setFilter(by);
      void fetchPages({ filter: by, before: [], continuation: undefined });
    },
    [fetchPages],
  );
  useEffect(() => search(NO_FILTER), [search]);

  const sorted = useMemo(() => found.toSorted(orders[order]), [found, order]);
  const workflows = useMemo(() => [...new Set(found.map(({ workflow }) => workflow))].toSorted(), [found]);
  return (
    <div class="list">
      <FilterForm workflows={workflows} search={search} />
      <div class="bar">
        <p role="status" aria-busy={busy}>
          {found.length.toLocaleString('en')} instance{found.length === 1 ? '' : 's'}
          {busy ? ', loading' : more ? ', there are more' : ''}
        </p>
        <label>
          Order{' '}
          <select value={order} onChange={({ currentTarget }) => setOrder(currentTarget.value as Order)}>
            {Object.keys(orders).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <button type="button" onClick={() => search(filter)}>
          Refresh
        </button>
        {more && !busy && (
          <button
            type="button"
            onClick={() => void fetchPages({ filter, before: found, continuation: more })}
          >
            Load more
          </button>
        )}
      </div>
      {sorted.length > 0 && <Table instances={sorted} />}
      {sorted.length === 0 && !busy && <p class="quiet">No instance matches.</p>}
    </div>
  );
}
