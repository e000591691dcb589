import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { decide, type Approval } from '../approvals';
import { History, left, local } from './history';

/** An approval that waits for the person: what it is, and the decision. */
export function Case({
  approval,
  me,
  decided,
}: {
  approval: Approval;
  me: string;
  decided: (approval: Approval) => void;
}): VNode {
  const { id, subject, details, requestedBy, state, respondBy, expiresAt, history } = approval;
  const [comment, setComment] = useState('');
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  const since = history.findLast(({ what }) => what === 'requested' || what === 'escalated')!.at;
  const until = state === 'pending' ? respondBy : expiresAt;

  const send = async (decision: 'approved' | 'rejected'): Promise<void> => {
    if (busy) return;
    setBusy(true);
    setTrouble(undefined);
    try {
      decided(await decide(id, decision, me, comment));
    } catch (error) {
      setTrouble(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <article class="panel" aria-labelledby={`${id}-subject`}>
      <h3 id={`${id}-subject`}>{subject}</h3>
      <dl class="facts">
        <dt>From</dt>
        <dd>
          <bdi>{requestedBy}</bdi>
        </dd>
        <dt>Waits since</dt>
        <dd>
          <time dateTime={since}>{local(since)}</time>
        </dd>
        <dt>Decide before</dt>
        <dd>
          <time dateTime={until}>{local(until)}</time> ({left(until)})
        </dd>
      </dl>
      {details && <p class="text">{details}</p>}
      <History history={history} of={subject} />
      <div class="field">
        <label for={`${id}-comment`}>Comment (optional)</label>
        <textarea
          id={`${id}-comment`}
          rows={2}
          maxLength={1000}
          value={comment}
          onInput={({ currentTarget }) => setComment(currentTarget.value)}
        />
      </div>
      <div role="alert">{trouble && <p class="error">{trouble}</p>}</div>
      <div class="actions">
        <button
          type="button"
          class="primary"
          aria-busy={busy}
          aria-describedby={`${id}-subject`}
          onClick={() => void send('approved')}
        >
          Approve
        </button>
        <button
          type="button"
          aria-busy={busy}
          aria-describedby={`${id}-subject`}
          onClick={() => void send('rejected')}
        >
          Reject
        </button>
      </div>
    </article>
  );
}
