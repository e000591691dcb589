import type { VNode } from 'preact';
import { useCallback, useRef, useState } from 'preact/hooks';
import { requestedBy, waitingFor, type Approval, type Page } from '../approvals';
import { useAttempts } from '../attempt';
import { KeyForm } from '../key-form';
import { NameForm, Top, useMe } from '../me';
import { usePolling } from '../poll';
import { Case } from './case';
import { Requests } from './requests';

/** How many of them a person sees, and sees at most. */
const FIRST = 20;
const MOST = 100;
const OWN = 10;

export function App(): VNode {
  const attempts = useAttempts();
  const { attempt, trouble, needsKey } = attempts;
  const me = useMe(attempts);
  const { name } = me;
  const [page, setPage] = useState<Page>();
  const [own, setOwn] = useState<Approval[]>([]);
  const [top, setTop] = useState(FIRST);
  const [news, setNews] = useState('');
  const known = useRef<Set<string> | undefined>(undefined);

  const look = useCallback(
    () =>
      attempt(async () => {
        const [waiting, requested] = await Promise.all([waitingFor(name!, top), requestedBy(name!, OWN)]);
        const fresh = waiting.value.filter(({ id }) => known.current?.has(id) === false);
        if (fresh.length > 0) setNews(`New: ${fresh.map(({ subject }) => subject).join('; ')}`);
        known.current = new Set(waiting.value.map(({ id }) => id));
        setPage(waiting);
        setOwn(requested.value);
      }),
    [attempt, name, top],
  );
  usePolling(name === undefined || needsKey ? undefined : look);

  const decided = ({ id, subject, state }: Approval): void => {
    setPage((current) => current && { ...current, value: current.value.filter((each) => each.id !== id) });
    setNews(`${state === 'approved' ? 'Approved' : 'Rejected'}: ${subject}`);
    // The buttons that had the focus are gone.
    document.querySelector('h1')?.focus();
  };
  const enter = (next: string | undefined): void => {
    known.current = undefined;
    setPage(undefined);
    setOwn([]);
    setNews('');
    me.enter(next);
  };

  return (
    <main>
      <Top title="Inbox" me={{ ...me, enter }} />
      <div role="alert">{trouble && <p class="notice error">{trouble}</p>}</div>
      <p role="status" class={news ? 'notice' : 'unseen'}>
        {news}
      </p>
      {needsKey && <KeyForm of="Approvals" kept={attempts.keyKept} />}
      {!needsKey && me.isKnown && name === undefined && <NameForm enter={enter} />}
      {!needsKey && name !== undefined && page && (
        <>
          <section aria-labelledby="waiting">
            <h2 id="waiting">
              {page.value.length === 0 ? 'Nothing waits for you' : `Waits for you: ${page.value.length}`}
              {page.nextLink && ' and more'}
            </h2>
            <ul class="cases">
              {page.value.map((approval) => (
                <li key={approval.id}>
                  <Case approval={approval} me={name} decided={decided} />
                </li>
              ))}
            </ul>
            {page.nextLink && top < MOST && (
              <button type="button" onClick={() => setTop(MOST)}>
                Show more
              </button>
            )}
          </section>
          <Requests list={own} />
        </>
      )}
    </main>
  );
}
