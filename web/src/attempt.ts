import { useCallback, useState } from 'preact/hooks';
import { Refused } from './http';

/**
 * Runs a request; the page shows what goes wrong, until a request of the same kind succeeds.
 *
 * @param of the kind of request. Default: all are of one kind
 * @returns whether it succeeded
 */
export type Attempt = (request: () => Promise<void>, of?: string) => Promise<boolean>;

/** Runs requests, and keeps what went wrong with the last of them. */
export interface Attempts {
  attempt: Attempt;
  /** What went wrong, in words. */
  trouble: string | undefined;
  /** Shows it no more. */
  forget: () => void;
  /** Whether the app asks for a key: show `KeyForm`. */
  needsKey: boolean;
  keyKept: () => void;
}

export function useAttempts(): Attempts {
  const [trouble, setTrouble] = useState<{ of: string; text: string }>();
  const [needsKey, setNeedsKey] = useState(false);
  const attempt: Attempt = useCallback(async (request, of = '') => {
    try {
      await request();
      setTrouble((current) => (current?.of === of ? undefined : current));
      return true;
    } catch (error) {
      if (error instanceof Refused && error.status === 401) setNeedsKey(true);
      else setTrouble({ of, text: error instanceof Error ? error.message : String(error) });
      return false;
    }
  }, []);
  const forget = useCallback(() => setTrouble(undefined), []);
  const keyKept = useCallback(() => setNeedsKey(false), []);
  return { attempt, trouble: trouble?.text, forget, needsKey, keyKept };
}
