import { useEffect } from 'preact/hooks';

const INTERVAL = 5000;
const LONGEST = 60_000;

/**
 * Calls `look` at once and then every five seconds while the page is visible; less and less often while it
 * fails, and at once when the page is seen again.
 *
 * @param look returns whether it succeeded. Another function begins anew
 */
export function usePolling(look: (() => Promise<boolean>) | undefined): void {
  useEffect(() => {
    if (look === undefined) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOpen = true;
    let isLooking = false;
    let wait = INTERVAL;
    const next = async (): Promise<void> => {
      clearTimeout(timer);
      if (isLooking || !isOpen || document.hidden) return;
      isLooking = true;
      wait = (await look()) ? INTERVAL : Math.min(LONGEST, wait * 2);
      isLooking = false;
      if (isOpen) timer = setTimeout(() => void next(), wait);
    };
    const seen = (): void => void next();
    document.addEventListener('visibilitychange', seen);
    seen();
    return () => {
      isOpen = false;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  }, [look]);
}
