import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Seen } from './watch';

/** Shows that the server does not answer, why, and when the page retries. */
export function Trouble({ seen: { trouble, slow }, look }: { seen: Seen; look: () => Promise<void> }): VNode {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!trouble) return undefined;
    setNow(Date.now());
    const tick = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(tick);
  }, [trouble]);

  const asking = trouble?.again === 'now';
  const seconds =
    trouble && trouble.again !== 'now' ? Math.max(1, Math.ceil((trouble.again - now) / 1000)) : 0;
  return (
    <>
      <div role="alert">
        {trouble && (
          <div class="notice error">
            <p>
              <b>The dungeon does not answer.</b> {trouble.message} What you have done is kept.
            </p>
            <button
              type="button"
              aria-disabled={asking}
              aria-busy={asking}
              aria-label="Ask again"
              onClick={() => void (asking || look())}
            >
              {asking ? 'Asking…' : `Ask again (${seconds} s)`}
            </button>
          </div>
        )}
      </div>
      <div role="status">{slow && !trouble && <p class="notice busy">Still waiting for an answer…</p>}</div>
    </>
  );
}
