import type { VNode } from 'preact';
import type { Ingestion } from './api';
import { count } from './numbers';

/** A bar that moves, and a way to stop. */
export function Progress({
  label,
  part,
  stop,
  seen,
}: {
  label: string;
  /** From 0 to 1; undefined while nothing is known. */
  part: number | undefined;
  stop: () => void;
  seen?: Ingestion;
}): VNode {
  const percent = part === undefined ? undefined : Math.round(part * 100);
  return (
    <section class="panel progress" aria-label={label}>
      <label for="progress">
        {label}
        {percent === undefined ? '…' : `: ${percent} %`}
      </label>
      <progress id="progress" max={1} value={part} />
      {seen && (
        <p role="status">
          {count(seen.linesRead)} lines read, {count(seen.rejected)} rejected
          {seen.chunks === undefined ? '' : `, ${count(seen.chunksDone)} of ${count(seen.chunks)} chunks`}
          {seen.estimatedEnd === undefined ? '' : `; ready at about ${time(seen.estimatedEnd)}`}
        </p>
      )}
      <button type="button" onClick={stop}>
        Cancel
      </button>
    </section>
  );
}

const time = (at: string): string => new Date(at).toLocaleTimeString();
