import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Attempt } from '../attempt';
import { download, results, type Ingestion, type Results, type Sum } from './api';
import { Chart } from './chart';
import { count, money } from './numbers';

/** How many stores the chart shows, and how many rows a table. */
const BARS = 15;
const ROWS = 100;

/** What came of an ingestion that has ended. */
export function Outcome({
  seen,
  attempt,
  remove,
}: {
  seen: Ingestion;
  attempt: Attempt;
  remove: () => void;
}): VNode {
  const [sums, setSums] = useState<Results>();
  const { id, state, failure } = seen;
  useEffect(() => {
    setSums(undefined);
    if (state === 'completed') void attempt(async () => setSums(await results(id)));
  }, [id, state, attempt]);
  const byStore = sums?.byStore.toSorted((a, b) => b.amount - a.amount) ?? [];
  const bySku = sums?.bySku.toSorted((a, b) => b.amount - a.amount) ?? [];

  return (
    <section class="panel outcome" aria-labelledby="outcome">
      <h2 id="outcome">{titles[state]}</h2>
      <p role="status">
        {state === 'completed' && `${count(seen.linesRead)} lines read, ${count(seen.rejected)} rejected.`}
        {state === 'failed' &&
          `${failure?.reason}${failure?.chunk ? ` (in the chunk that begins in line ${count(failure.chunk.line)})` : ''}. Send the file again to begin again.`}
        {state === 'cancelled' && 'What was made of it is removed. Send the file again to begin again.'}
      </p>
      <p class="actions">
        {state === 'completed' && (
          <>
            {seen.rejected > 0 && (
              <button type="button" onClick={() => void attempt(() => download(id, 'rejects'))}>
                Download the rejected lines
              </button>
            )}
            <button type="button" onClick={() => void attempt(() => download(id, 'results'))}>
              Download the results
            </button>
          </>
        )}
        {state !== 'cancelled' && (
          <button type="button" onClick={remove}>
            Remove it
          </button>
        )}
      </p>
      {byStore.length > 0 && (
        <>
          <Chart
            title={byStore.length > BARS ? `The ${BARS} stores with the largest amounts` : 'Amounts by store'}
            bars={byStore.slice(0, BARS).map(({ store, amount }) => ({ name: store, amount }))}
          />
          <Table caption="Totals by store" of="Store" rows={byStore.map((sum) => [sum.store, sum])} />
          <Table caption="Totals by article" of="SKU" rows={bySku.map((sum) => [sum.sku, sum])} />
        </>
      )}
    </section>
  );
}

const titles = {
  running: 'It is being read',
  completed: 'Read and added up',
  failed: 'It could not be read',
  cancelled: 'Cancelled',
} as const;

function Table({ caption, of, rows }: { caption: string; of: string; rows: [string, Sum][] }): VNode {
  const more = rows.length - ROWS;
  return (
    <div class="table">
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{of}</th>
            <th scope="col">Lines</th>
            <th scope="col">Pieces</th>
            <th scope="col">Amount</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, ROWS).map(([name, { lines, quantity, amount }]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{count(lines)}</td>
              <td>{count(quantity)}</td>
              <td>{money(amount)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {more > 0 && <p class="quiet">{count(more)} more are in the results.</p>}
    </div>
  );
}
