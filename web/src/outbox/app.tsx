import type { VNode } from 'preact';
import { useCallback, useState } from 'preact/hooks';
import { useAttempts } from '../attempt';
import { json, send } from '../http';
import { keyHeader } from '../key';
import { KeyForm } from '../key-form';
import { Top } from '../me';
import { usePolling } from '../poll';

interface Message {
  /** ISO 8601. */
  at: string;
  to: string;
  subject: string;
  text: string;
  link?: { label: string; path: string };
}

/** The messages of a local run. */
export function App(): VNode {
  const { attempt, trouble, needsKey, keyKept } = useAttempts();
  const [messages, setMessages] = useState<Message[]>();
  const look = useCallback(
    () =>
      attempt(async () => {
        const { value } = await json<{ value: Message[] }>(
          await send('/api/outbox', { headers: keyHeader() }),
        );
        setMessages(value);
      }),
    [attempt],
  );
  usePolling(needsKey ? undefined : look);
  return (
    <main>
      <Top title="Outbox" />
      <p>
        Without a webhook, messages to people stay here. This page works on a developer’s machine only: its
        links let you act for others.
      </p>
      <div role="alert">{trouble && <p class="notice error">{trouble}</p>}</div>
      {needsKey && <KeyForm of="Messages" kept={keyKept} />}
      {messages?.length === 0 && <p class="quiet">There is no message yet.</p>}
      <ul class="cases">
        {messages?.map(({ at, to, subject, text, link }) => (
          <li key={`${at} ${to} ${subject}`}>
            <article class="panel">
              <h2>{subject}</h2>
              <p>
                To <bdi>{to}</bdi>, <time dateTime={at}>{new Date(at).toLocaleString()}</time>
              </p>
              <p class="text">{text}</p>
              {link && (
                <p>
                  <a class="button" href={link.path}>
                    {link.label}
                  </a>
                </p>
              )}
            </article>
          </li>
        ))}
      </ul>
    </main>
  );
}
