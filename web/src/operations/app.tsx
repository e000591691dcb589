import type { VNode } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { Refused } from '../http';
import { KeyForm } from '../key-form';
import type { Attempt } from './attempt';
import { InstanceView } from './instance';
import { List } from './list';

/** The instance that the address names: `/operations#approval-1`. */
function named(): string | undefined {
  try {
    return decodeURIComponent(location.hash.slice(1)) || undefined;
  } catch {
    return undefined;
  }
}

export function App(): VNode {
  const [id, setId] = useState(named);
  const [trouble, setTrouble] = useState<string>();
  const [needsKey, setNeedsKey] = useState(false);

  useEffect(() => {
    const change = (): void => {
      setTrouble(undefined);
      setId(named());
    };
    addEventListener('hashchange', change);
    return () => removeEventListener('hashchange', change);
  }, []);

  const attempt: Attempt = useCallback(async (request) => {
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

  return (
    <main>
      <header>
        <h1>Operations</h1>
      </header>
      <div role="alert">{trouble && <p class="notice error">{trouble}</p>}</div>
      {needsKey ? (
        <KeyForm of="Operations" kept={() => setNeedsKey(false)} />
      ) : (
        <>
          {id !== undefined && <InstanceView key={id} id={id} attempt={attempt} />}
          {/* It stays, so that the list is there again when an instance is closed. */}
          <div hidden={id !== undefined}>
            <List attempt={attempt} />
          </div>
        </>
      )}
    </main>
  );
}
