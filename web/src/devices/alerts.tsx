import type { VNode } from 'preact';
import type { Alert } from './api';

/** The open alerts, the latest twenty. */
export function Alerts({ alerts }: { alerts: Alert[] }): VNode {
  return (
    <section class="panel" aria-labelledby="alerts">
      <h2 id="alerts">Open alerts</h2>
      {alerts.length === 0 ? (
        <p class="quiet">None.</p>
      ) : (
        <ul class="alerts">
          {alerts.map(({ id, device, openedAt, text }) => (
            <li key={id}>
              <strong>{device}</strong> {text}
              <time dateTime={openedAt}>{new Date(openedAt).toLocaleTimeString()}</time>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
