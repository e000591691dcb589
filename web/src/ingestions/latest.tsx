import type { VNode } from 'preact';
import type { Ingestion } from './api';
import { count } from './numbers';

/** The latest ingestions, to open one again. */
export function Latest({
  list,
  shown,
  open,
}: {
  list: Ingestion[];
  shown: string | undefined;
  open: (id: string) => void;
}): VNode | null {
  if (list.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="latest">
      <h2 id="latest">The latest</h2>
      <ul class="latest">
        {list.map(({ id, state, format, bytes, startedAt }) => (
          <li key={id}>
            <a
              href={`#${id}`}
              aria-current={id === shown}
              onClick={(event) => {
                event.preventDefault();
                open(id);
              }}
            >
              {new Date(startedAt).toLocaleString()}
            </a>{' '}
            <span>
              {format === 'csv' ? 'CSV' : 'NDJSON'}, {count(Math.ceil(bytes / 1000))} kB, {state}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
