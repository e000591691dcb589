import type { VNode } from 'preact';
import { useState } from 'preact/hooks';

/** Asks for the function key: a deployed app answers nobody without one. */
export function KeyForm({ use }: { use: (key: string) => void }): VNode {
  const [key, setKey] = useState('');
  return (
    <form
      class="panel key"
      onSubmit={(event) => {
        event.preventDefault();
        if (key.trim() !== '') use(key.trim());
      }}
    >
      <h2>The app asks for a key</h2>
      <p>
        Ingestions are not open to everybody. Enter a function key or the host key of the app; this tab keeps
        it until it is closed.
      </p>
      <label for="key">Key</label>
      <input
        id="key"
        type="password"
        autocomplete="off"
        spellcheck={false}
        value={key}
        onInput={({ currentTarget }) => setKey(currentTarget.value)}
      />
      <button type="submit" class="primary">
        Go on
      </button>
    </form>
  );
}
