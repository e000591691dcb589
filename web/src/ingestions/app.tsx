import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useAttempts } from '../attempt';
import { KeyForm } from '../key-form';
import { latest, read, remove, upload, type Ingestion } from './api';
import { Drop } from './drop';
import { Latest } from './latest';
import { Outcome } from './outcome';
import { Progress } from './progress';

/** How often the page looks at an ingestion that runs, in milliseconds. */
const INTERVAL = 500;

/** The ingestion that the address names: `/ingestions#ingestion-...`. */
const named = (): string | undefined => /^#(ingestion-[\da-f]{64})$/.exec(location.hash)?.[1];

export function App(): VNode {
  const [id, setId] = useState(named);
  const [seen, setSeen] = useState<Ingestion>();
  const [list, setList] = useState<Ingestion[]>([]);
  const [sent, setSent] = useState<{ name: string; part: number; stop: () => void }>();
  const { attempt, trouble, forget, needsKey, keyKept } = useAttempts();

  const open = (next: string | undefined): void => {
    history.replaceState(null, '', next === undefined ? location.pathname : `#${next}`);
    setSeen(undefined);
    setId(next);
  };

  useEffect(() => {
    const change = (): void => setId(named());
    addEventListener('hashchange', change);
    return () => removeEventListener('hashchange', change);
  }, []);

  useEffect(() => {
    if (!needsKey) void attempt(async () => setList(await latest()), 'list');
  }, [needsKey, id, seen?.state, attempt]);

  useEffect(() => {
    if (id === undefined || needsKey) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOpen = true;
    const look = async (): Promise<void> => {
      let state: string | undefined;
      await attempt(async () => {
        const ingestion = await read(id);
        ({ state } = ingestion);
        if (isOpen) setSeen(ingestion);
      }, 'poll');
      if (isOpen && (state === undefined || state === 'running'))
        timer = setTimeout(() => void look(), INTERVAL);
    };
    void look();
    return () => {
      isOpen = false;
      clearTimeout(timer);
    };
  }, [id, needsKey, seen?.state === 'running', attempt]);

  const send = (file: File): void => {
    const stop = new AbortController();
    open(undefined);
    forget();
    setSent({ name: file.name, part: 0, stop: () => stop.abort() });
    void attempt(async () => {
      try {
        const begun = await upload(
          file,
          (part) => setSent((current) => current && { ...current, part }),
          stop.signal,
        );
        open(begun.id);
        setSeen(begun);
      } catch (error) {
        if (!stop.signal.aborted) throw error;
      }
    }).finally(() => setSent(undefined));
  };

  const end = (): void =>
    void attempt(async () => {
      if (seen === undefined) return;
      await remove(seen.id);
      if (seen.state === 'running') setSeen(await read(seen.id));
      else open(undefined);
    });

  return (
    <main>
      <header>
        <h1>Sales, added up</h1>
        <p class="lead">
          A durable workflow reads a file of sales lines, of any length, in chunks of a megabyte. The results
          are totals by store and by article, and a file of the rejected lines.
        </p>
      </header>
      <div role="alert">{trouble && <p class="notice error">{trouble}</p>}</div>
      {needsKey ? (
        <KeyForm of="Ingestions" kept={keyKept} />
      ) : (
        <>
          <Drop busy={sent !== undefined} take={send} />
          {sent && <Progress label={`Sending ${sent.name}`} part={sent.part} stop={sent.stop} />}
          {seen?.state === 'running' && (
            <Progress
              label="Reading"
              part={seen.chunks === undefined ? undefined : seen.chunksDone / Math.max(1, seen.chunks)}
              stop={end}
              seen={seen}
            />
          )}
          {seen && seen.state !== 'running' && <Outcome seen={seen} attempt={attempt} remove={end} />}
          <Latest list={list} shown={id} open={open} />
        </>
      )}
    </main>
  );
}
