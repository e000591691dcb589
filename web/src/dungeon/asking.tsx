import type { ComponentChildren, VNode } from 'preact';
import { useState } from 'preact/hooks';
import { Unreachable } from '../http';

/** A request to the dungeon that a button makes. */
export interface Asking {
  /** The running request, by the label of its button. */
  current: string | undefined;
  /** Why the last request failed. */
  error: string | undefined;
  /** Sends a request, unless another is still running. */
  ask(label: string, question: () => Promise<unknown>): void;
}

export function useAsking(): Asking {
  const [current, setCurrent] = useState<string>();
  const [error, setError] = useState<string>();

  async function ask(label: string, question: () => Promise<unknown>): Promise<void> {
    setCurrent(label);
    setError(undefined);
    try {
      await question();
    } catch (failure) {
      if (failure instanceof Unreachable)
        setError(`The dungeon gave no answer. ${failure.message} See what has happened, and try again.`);
      else setError(failure instanceof Error ? failure.message : String(failure));
    } finally {
      setCurrent(undefined);
    }
  }
  return { current, error, ask: (label, question) => void (current === undefined && ask(label, question)) };
}

interface AskButtonProps {
  asking: Asking;
  label: string;
  /** The button's label while the request runs. */
  doing: string;
  question?: () => Promise<unknown>;
  primary?: boolean;
  children?: ComponentChildren;
}

/**
 * A button that shows when its request is running. It stays focusable meanwhile, so that the keyboard keeps
 * its place. Without a request of its own it submits its form.
 */
export function AskButton({ asking, label, doing, question, primary, children }: AskButtonProps): VNode {
  const busy = asking.current === label;
  return (
    <button
      type={question ? 'button' : 'submit'}
      class={primary ? 'primary' : undefined}
      aria-disabled={asking.current !== undefined}
      aria-busy={busy}
      onClick={question && (() => asking.ask(label, question))}
    >
      {busy ? doing : (children ?? label)}
    </button>
  );
}

export function AskError({ asking }: { asking: Asking }): VNode {
  return <div role="alert">{asking.error && <p class="error">{asking.error}</p>}</div>;
}
