import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { request, type Approval } from '../approvals';
import { useAttempts } from '../attempt';
import { Refused, type FieldError } from '../http';
import { KeyForm } from '../key-form';
import { Top, useMe } from '../me';
import { Field, Span } from './field';
import { newKey } from '../idempotency';

const EMPTY = {
  subject: '',
  details: '',
  requestedBy: '',
  approver: '',
  escalateTo: '',
  respondWithin: 'P1D',
  escalateWithin: 'P1D',
};

export function App(): VNode {
  const attempts = useAttempts();
  const { attempt, trouble, needsKey } = attempts;
  const me = useMe(attempts);
  const [form, setForm] = useState(EMPTY);
  const [key, setKey] = useState(newKey);
  const [errors, setErrors] = useState<readonly FieldError[]>([]);
  const [sent, setSent] = useState<Approval>();
  const [busy, setBusy] = useState(false);

  const set = (change: Partial<typeof EMPTY>): void => {
    setForm({ ...form, ...change });
    setKey(newKey()); // It is another request now.
  };
  const field = (
    name: keyof typeof EMPTY,
  ): { name: string; value: string; error?: string; set: (value: string) => void } => {
    const error = errors.find((each) => each.field === name)?.message;
    return { name, value: form[name], ...(error && { error }), set: (value) => set({ [name]: value }) };
  };

  const send = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    const { details, requestedBy, ...rest } = form;
    await attempt(async () => {
      try {
        const by = me.isSignedIn ? undefined : requestedBy || me.name;
        setSent(await request({ ...rest, ...(details && { details }), ...(by && { requestedBy: by }) }, key));
        setErrors([]);
        if (!me.isSignedIn && by) me.enter(by);
      } catch (error) {
        if (!(error instanceof Refused) || error.errors.length === 0) throw error;
        setErrors(error.errors);
        document.getElementById(error.errors[0]!.field)?.focus();
      }
    });
    setBusy(false);
  };

  return (
    <main>
      <Top title="Request an approval" {...(me.isSignedIn && { me })} />
      <div role="alert">{trouble && <p class="notice error">{trouble}</p>}</div>
      <p role="status" class={sent ? 'notice' : 'unseen'}>
        {sent && `“${sent.subject}” was sent to ${sent.approver}.`}
      </p>
      {needsKey && <KeyForm of="Approvals" kept={attempts.keyKept} />}
      {sent && (
        <p class="actions">
          <a class="button" href="/inbox">
            See it in your inbox
          </a>
          <button
            type="button"
            onClick={() => {
              setSent(undefined);
              set({ ...EMPTY, requestedBy: form.requestedBy });
            }}
          >
            Request another
          </button>
        </p>
      )}
      {!needsKey && !sent && (
        <form
          class="panel"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            void send();
          }}
        >
          <Field {...field('subject')} label="What is to be approved" max={200} />
          <Field {...field('details')} label="Details (optional)" lines={4} max={4000} />
          {!me.isSignedIn && (
            <Field
              {...field('requestedBy')}
              value={form.requestedBy || (me.name ?? '')}
              label="Your name or address"
              autocomplete="username"
            />
          )}
          <div class="pair">
            <Field {...field('approver')} label="Who decides" />
            <Span {...field('respondWithin')} label="Time to decide" />
            <Field {...field('escalateTo')} label="Who decides after that" />
            <Span {...field('escalateWithin')} label="Time to decide then" />
          </div>
          <p class="quiet">Nobody approves a request of their own.</p>
          <button type="submit" class="primary" aria-busy={busy}>
            Send
          </button>
        </form>
      )}
    </main>
  );
}
