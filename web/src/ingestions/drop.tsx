import type { VNode } from 'preact';
import { useState } from 'preact/hooks';

/** Takes a file: dropped, or chosen. */
export function Drop({ busy, take }: { busy: boolean; take: (file: File) => void }): VNode {
  const [over, setOver] = useState(false);
  const accept = (files: FileList | null | undefined): void => {
    const file = files?.[0];
    if (file && !busy) take(file);
  };
  return (
    <section
      class={`panel drop${over ? ' over' : ''}`}
      aria-label="Send a file"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        accept(event.dataTransfer?.files);
      }}
    >
      <p>
        <label class="button primary">
          Choose a file
          <input
            class="unseen"
            type="file"
            accept=".csv,.ndjson,.jsonl,.gz"
            disabled={busy}
            onChange={({ currentTarget }) => {
              accept(currentTarget.files);
              // The same file may be chosen again.
              currentTarget.value = '';
            }}
          />
        </label>{' '}
        or drop it here
      </p>
      <p class="quiet">
        CSV with the columns date, store, sku, quantity, amount, or NDJSON; up to 100 MB, packed with gzip or
        not.
      </p>
    </section>
  );
}
