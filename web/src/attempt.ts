import { useCallback, useState } from 'preact/hooks';
import { Refused } from './http';

/** Runs requests, and keeps what went wrong with the last of them. */
export interface Attempts {
  /** @returns whether the request succeeded */
  attempt: (request: () => Promise<void>) => Promise<boolean>;
  /** What went wrong, in words. */
  trouble: string | undefined;
  /** Whether the app asks for a key: show `KeyForm`. */
  needsKey: boolean;
  keyKept: () => void;
}

export function useAttempts(): Attempts {
  const [trouble, setTrouble] = useState<string>();
  const [needsKey, setNeedsKey] = useState(false);
  const attempt = useCallback(async (request: () => Promise<void>): Promise<boolean> => {
    try {
      await request();
      setTrouble(undefined);
      return true;
    } catch (error) {
      if (error instanceof Refused && error.status === 401) setNeedsKey(true);
      else setTrouble(error instanceof Error ? error.message : String(error));
      return false;
    }
  }, []);
  const keyKept = useCallback(() => setNeedsKey(false), []);
  return { attempt, trouble, needsKey, keyKept };
}
