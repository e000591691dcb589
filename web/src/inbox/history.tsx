import type { VNode } from 'preact';
import type { Happening } from '../approvals';

/** What has happened to an approval. */
export function History({ history, of }: { history: Happening[]; of: string }): VNode {
  return (
    <details>
      <summary>
        History <span class="unseen">of {of}</span>
      </summary>
      <ol class="history">
        {history.map(({ at, what, who }) => (
          <li key={`${at} ${what}`}>
            <time dateTime={at}>{local(at)}</time>: {words(what)} <bdi>{who}</bdi>
          </li>
        ))}
      </ol>
    </details>
  );
}

/** A time as the reader's browser writes it. */
export const local = (time: string): string =>
  new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** How long it is until a time, roughly. */
export function left(time: string): string {
  const minutes = Math.round((Date.parse(time) - Date.now()) / 60_000);
  const format = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
  if (Math.abs(minutes) < 60) return format.format(minutes, 'minute');
  const hours = Math.round(minutes / 60);
  return Math.abs(hours) < 48 ? format.format(hours, 'hour') : format.format(Math.round(hours / 24), 'day');
}

function words(what: string): string {
  switch (what) {
    case 'asked':
      return 'sent to';
    case 'escalated':
      return 'escalated to';
    case 'reminded':
      return 'reminded';
    case 'reported':
      return 'reported to';
    case 'expired':
      return 'expired at';
    default:
      return `${what} by`;
  }
}
