import type { VNode } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Line } from './api';

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

/** The story, newest line last. It scrolls to new lines, unless the reader has scrolled back. */
export function Story({ lines }: { lines: Line[] }): VNode {
  const list = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  useLayoutEffect(() => {
    if (following.current && list.current) list.current.scrollTop = list.current.scrollHeight;
  }, [lines]);

  return (
    <section class="panel story" aria-labelledby="story">
      <h2 id="story">The story so far</h2>
      {lines.length === 0 && <p class="quiet">Nothing has happened yet.</p>}
      <div
        ref={list}
        role="log"
        aria-label="The story so far"
        tabIndex={0}
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
          following.current = scrollTop + clientHeight > scrollHeight - 24;
        }}
      >
        <ol>
          {lines.map(({ number, text, at }) => (
            <li key={number}>
              <time dateTime={at}>{clock.format(new Date(at))}</time>
              <span>{text}</span>
            </li>
          ))}
        </ol>
      </div>
    </section>
  );
}
