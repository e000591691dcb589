/** Forms that send something to the emulator. */
import type { ComponentChildren, VNode } from 'preact';
import { useState } from 'preact/hooks';

export interface Sending {
  isBusy: boolean;
  /** What went wrong, or what came of it. */
  message: { text: string; isWrong: boolean } | undefined;
  /** Runs a request and shows its outcome. @returns whether it succeeded */
  send: (request: () => Promise<string | undefined>) => Promise<boolean>;
}

export function useSending(): Sending {
  const [isBusy, setBusy] = useState(false);
  const [message, setMessage] = useState<Sending['message']>();
  const send = async (request: () => Promise<string | undefined>): Promise<boolean> => {
    setBusy(true);
    setMessage(undefined);
    try {
      const text = await request();
      if (text !== undefined) setMessage({ text, isWrong: false });
      return true;
    } catch (error) {
      setMessage({ text: (error as Error).message, isWrong: true });
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, message, send };
}

export function Message({ of: { message } }: { of: Sending }): VNode {
  return (
    <p
      role={message?.isWrong === true ? 'alert' : 'status'}
      class={message?.isWrong === true ? 'wrong' : 'faint'}
    >
      {message?.text}
    </p>
  );
}

/** A form in a box that opens: its fields, and a button that sends them. */
export function Form({
  title,
  action,
  sending,
  onSend,
  children,
}: {
  title: string;
  action: string;
  sending: Sending;
  onSend: () => Promise<string | undefined>;
  children: ComponentChildren;
}): VNode {
  return (
    <details class="form">
      <summary>{title}</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void sending.send(onSend);
        }}
      >
        {children}
        <button type="submit" disabled={sending.isBusy}>
          {action}
        </button>
        <Message of={sending} />
      </form>
    </details>
  );
}

/** The value of a text that a person has typed: nothing, or JSON. @throws Error that says what to type */
export function typedJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error('This is no JSON. A text is written in quotes: "like this".');
  }
}
