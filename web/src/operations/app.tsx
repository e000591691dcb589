import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useAttempts } from '../attempt';
import { KeyForm } from '../key-form';
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
  const { attempt, trouble, forget, needsKey, keyKept } = useAttempts();

  useEffect(() => {
    const change = (): void => {
      forget();
      setId(named());
    };
    addEventListener('hashchange', change);
    return () => removeEventListener('hashchange', change);
  }, [forget]);

  return (
    <main>
      <header>
        <h1>Operations</h1>
      </header>
      <div role="alert">{trouble && <p class="notice error">{trouble}</p>}</div>
      {needsKey ? (
        <KeyForm of="Operations" kept={keyKept} />
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
