import type { VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Refused } from '../http';
import { newKey } from '../idempotency';
import { gameStatus, newUser } from './api';
import { Arch } from './arch';
import { AskButton, AskError, useAsking } from './asking';

interface EntranceProps {
  enter: (name: string) => void;
  /** A name that was looked up and belongs to no player. */
  stranger?: string;
}

/** The form in which a player enters a name. */
export function Entrance({ enter, stranger = '' }: EntranceProps): VNode {
  const [name, setName] = useState(stranger);
  const [taken, setTaken] = useState<string>();
  const field = useRef<HTMLInputElement>(null);
  const asking = useAsking();
  /** The key of the request for a name. Its repeat, after an answer that was lost, has the same. */
  const attempt = useRef({ name: '', key: '' });
  useLayoutEffect(() => field.current?.focus(), []); // Before the first paint, because the user may be typing already.

  async function begin(): Promise<void> {
    const wanted = name.trim().normalize('NFC');
    if (attempt.current.name !== wanted) attempt.current = { name: wanted, key: newKey() };
    try {
      await newUser(wanted, attempt.current.key);
    } catch (error) {
      field.current?.focus();
      if (error instanceof Refused && (await gameStatus(wanted).catch(() => undefined))) setTaken(wanted);
      throw error;
    }
    enter(wanted);
  }

  return (
    <section class="entrance">
      <Arch mood="waiting" />
      <h1>The Durable Dungeon</h1>
      <p class="lead">
        Behind this arch something breathes, something glitters, and five workflows remember every step you
        take. You will have two minutes to make up your mind.
      </p>
      {stranger && (
        <p class="notice" role="status">
          Nobody called <bdi>{stranger}</bdi> is in the dungeon.
        </p>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          asking.ask('Enter', begin);
        }}
      >
        <label for="name">Who goes there?</label>
        <div class="field">
          <input
            id="name"
            ref={field}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
            maxLength={50}
            required
            autocomplete="nickname"
            spellcheck={false}
            placeholder="Your name"
            aria-describedby="name-error"
            aria-invalid={asking.error !== undefined}
          />
          <AskButton asking={asking} label="Enter" doing="Knocking…" primary />
        </div>
        <div id="name-error">
          <AskError asking={asking} />
        </div>
        {taken === name.trim().normalize('NFC') && (
          <p>
            Is that you?{' '}
            <a href={`#${encodeURIComponent(taken)}`}>
              Go on as <bdi>{taken}</bdi>
            </a>
          </p>
        )}
      </form>
    </section>
  );
}
