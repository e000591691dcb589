import type { VNode } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { useWindow } from '../../../web/timeline/index.js';
import type { AppInfo } from './api.js';
import type { Row, State } from './live.js';
import { linkTo } from './route.js';
import { Start } from './start.js';
import { timeText } from './words.js';

/** The height of a row in pixels; `console.css` has the same. */
const ROW_HEIGHT = 36;

const STATUSES = ['Pending', 'Running', 'Suspended', 'Completed', 'Failed', 'Terminated', 'ContinuedAsNew'];

interface Filter {
  id: string;
  name: string;
  /** Empty: all. */
  statuses: ReadonlySet<string>;
  /** As `<input type="datetime-local">` has them, in UTC; empty: no limit. */
  from: string;
  to: string;
}

const ALL: Filter = { id: '', name: '', statuses: new Set(), from: '', to: '' };

/** The list of instances, or of entities: filtered, the newest first. Only the visible rows are rendered. */
export function Instances({
  live,
  app,
  entities,
}: {
  live: State;
  app: AppInfo | undefined;
  entities: boolean;
}): VNode {
  const [filter, setFilter] = useState(ALL);
  const set = (change: Partial<Filter>): void => setFilter({ ...filter, ...change });
  const mine = useMemo(
    () =>
      [...live.rows.values()]
        .filter(({ id }) => id.startsWith('@') === entities)
        .toSorted((a, b) =>
          a.created === b.created ? (a.id < b.id ? -1 : 1) : a.created < b.created ? 1 : -1,
        ),
    [live.rows, entities],
  );
  const names = useMemo(() => [...new Set(mine.map(({ name }) => name))].toSorted(), [mine]);
  const before = useMemo(
    () => mine.filter((row) => matches(row, { ...filter, statuses: new Set() })),
    [mine, filter],
  );
  const rows = useMemo(
    () => before.filter(({ status }) => filter.statuses.size === 0 || filter.statuses.has(status)),
    [before, filter],
  );
  const counts = useMemo(() => {
    const found = new Map<string, number>();
    for (const { status } of before) found.set(status, (found.get(status) ?? 0) + 1);
    return found;
  }, [before]);
  const { scroller, indexes, onScroll } = useWindow<HTMLDivElement>(rows.length, ROW_HEIGHT, -1);
  const toggle = (status: string): void => {
    const statuses = new Set(filter.statuses);
    if (!statuses.delete(status)) statuses.add(status);
    set({ statuses });
  };
  const what = entities ? 'entities' : 'instances';

  return (
    <>
      <div class="filters" role="search" aria-label={`Filter ${what}`}>
        <label>
          Id
          <input
            type="search"
            value={filter.id}
            onInput={(event) => set({ id: event.currentTarget.value })}
          />
        </label>
        <label>
          Name
          <select value={filter.name} onChange={(event) => set({ name: event.currentTarget.value })}>
            <option value="">all</option>
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Created from (UTC)
          <input
            type="datetime-local"
            value={filter.from}
            onInput={(event) => set({ from: event.currentTarget.value })}
          />
        </label>
        <label>
          until (UTC)
          <input
            type="datetime-local"
            value={filter.to}
            onInput={(event) => set({ to: event.currentTarget.value })}
          />
        </label>
        {!entities && (
          <div class="statuses" role="group" aria-label="Status">
            {STATUSES.filter((status) => counts.has(status) || filter.statuses.has(status)).map((status) => (
              <button
                key={status}
                type="button"
                class={`status ${status}`}
                aria-pressed={filter.statuses.has(status)}
                onClick={() => toggle(status)}
              >
                {status} {counts.get(status) ?? 0}
              </button>
            ))}
          </div>
        )}
        {!entities && <Start app={app} />}
      </div>
      <p class="faint" role="status">
        {rows.length.toLocaleString('en')} of {mine.length.toLocaleString('en')} {what}
        {live.isComplete ? '' : ', and more are on their way'}
      </p>
      <div
        class="list"
        role="table"
        aria-label={entities ? 'Entities' : 'Instances'}
        aria-rowcount={rows.length}
      >
        <div class="list-head" role="row">
          <span role="columnheader">Status</span>
          <span role="columnheader">Name</span>
          <span role="columnheader">Id</span>
          <span role="columnheader">Created</span>
          <span role="columnheader">Updated</span>
        </div>
        <div class="list-rows" ref={scroller} role="rowgroup" onScroll={onScroll}>
          <div class="list-space" style={{ height: `${rows.length * ROW_HEIGHT}px` }}>
            {indexes.map((index) => (
              <Line key={rows[index]!.id} row={rows[index]!} index={index} />
            ))}
          </div>
        </div>
      </div>
    </>
  );
}

function Line({ row, index }: { row: Row; index: number }): VNode {
  const { id, name, status, created, updated, parent } = row;
  return (
    <div class="list-row" role="row" aria-rowindex={index + 1} style={{ top: `${index * ROW_HEIGHT}px` }}>
      <span role="cell" class={`status ${status}`}>
        {status}
      </span>
      <span role="cell">{name}</span>
      <span role="cell">
        {parent !== '' && (
          <span class="faint" title={`A sub-orchestration of ${parent}`}>
            ↳{' '}
          </span>
        )}
        <a href={linkTo(id)} title={id}>
          {id}
        </a>
      </span>
      <span role="cell">{timeText(created)}</span>
      <span role="cell">{timeText(updated)}</span>
    </div>
  );
}

function matches(row: Row, { id, name, from, to }: Filter): boolean {
  const created = row.created.slice(0, 16);
  return (
    row.id.toLowerCase().includes(id.trim().toLowerCase()) &&
    (name === '' || row.name === name) &&
    (from === '' || created >= from) &&
    (to === '' || created <= to)
  );
}
