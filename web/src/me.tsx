import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { signedIn } from './approvals';
import type { Attempts } from './attempt';

/** The name that was entered in this tab. It is no proof: the function key vouches for it. */
const NAME = 'person';

export interface Me {
  /** Undefined until it is known. */
  name: string | undefined;
  /** Whether the platform has signed the person in. */
  isSignedIn: boolean;
  isKnown: boolean;
  enter: (name: string | undefined) => void;
}

/** Who uses the page: the person whom the platform has signed in, or a name that was entered. */
export function useMe({ attempt, needsKey }: Attempts): Me {
  const [me, setMe] = useState<Omit<Me, 'enter'>>({ name: undefined, isSignedIn: false, isKnown: false });
  useEffect(() => {
    if (needsKey) return;
    void attempt(async () => {
      const name = await signedIn();
      setMe({
        name: name ?? sessionStorage.getItem(NAME) ?? undefined,
        isSignedIn: name !== undefined,
        isKnown: true,
      });
    });
  }, [attempt, needsKey]);
  const enter = (name: string | undefined): void => {
    if (name === undefined) sessionStorage.removeItem(NAME);
    else sessionStorage.setItem(NAME, name);
    setMe({ name, isSignedIn: false, isKnown: true });
  };
  return { ...me, enter };
}

/** Asks for the name, where the platform signs nobody in. */
export function NameForm({ enter }: { enter: (name: string) => void }): VNode {
  const [name, setName] = useState('');
  return (
    <form
      class="panel"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() !== '') enter(name.trim());
      }}
    >
      <div class="field">
        <label for="name">Your name or address, as others write it</label>
        <input
          id="name"
          autocomplete="username"
          maxLength={100}
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </div>
      <button type="submit" class="primary">
        Show what waits for me
      </button>
    </form>
  );
}

/** The pages for people, and who uses this one. */
export function Top({ title, me }: { title: string; me?: Me }): VNode {
  return (
    <header>
      <nav aria-label="Pages">
        <a href="/">Durable workflows</a>
        <a href="/inbox">Inbox</a>
        <a href="/approvals/new">Request an approval</a>
      </nav>
      <h1 tabIndex={-1}>{title}</h1>
      {me?.name !== undefined && (
        <p>
          You are <bdi>{me.name}</bdi>.{' '}
          {!me.isSignedIn && (
            <button type="button" onClick={() => me.enter(undefined)}>
              That is not me
            </button>
          )}
        </p>
      )}
    </header>
  );
}
