import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { keepKey } from './key';

/**
 * Asks for the function key, and keeps it in the tab: a deployed app answers nobody without one. Show it when
 * the app has answered 401.
 *
 * @param of what the key opens, at the start of a sentence
 */
export function KeyForm({ of, kept }: { of: string; kept: () => void }): VNode {
  const [key, setKey] = useState('');
  return (
    <form
      class="panel key"
      onSubmit={(event) => {
        event.preventDefault();
        if (key.trim() === '') return;
        keepKey(key.trim());
        kept();
      }}
    >
      <h2>The app asks for a key</h2>
      <p>
        {of} are not open to everybody. Enter a function key or the host key of the app; this tab keeps it
        until it is closed.
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
