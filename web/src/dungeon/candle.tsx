import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { WorkflowState } from './api';

const given = 120;

/** A candle that burns for the player's two minutes, by the server's clock. */
export function Candle({ confirmation }: { confirmation: WorkflowState }): VNode {
  const [end] = useState(
    () => Date.now() + clamp(given - (confirmation.asked - confirmation.created) / 1000) * 1000,
  );
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const tick = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(tick);
  }, []);

  const left = clamp((end - now) / 1000);
  const seconds = Math.ceil(left);
  return (
    <div class="candle" style={{ '--left': left / given }}>
      <div class="wick" aria-hidden="true">
        <i class={left > 0 ? 'flame' : 'smoke'} />
        <i class="wax" />
      </div>
      <p role="timer" aria-label="Time left">
        {Math.floor(seconds / 60)}:{String(seconds % 60).padStart(2, '0')}
      </p>
      <p class="unseen" role="status">
        {spoken(seconds)}
      </p>
    </div>
  );
}

const clamp = (seconds: number): number => Math.min(given, Math.max(0, seconds));

/** The remaining time for screen readers, announced at a few moments only. */
function spoken(seconds: number): string {
  if (seconds === 0) return 'The time is up.';
  const moment = [10, 30, 60].find((mark) => seconds <= mark);
  return moment ? `${moment} seconds left.` : 'Two minutes at most.';
}
