import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { get, instancePath, type InstanceView } from './api.js';

/** An instance that is read again when `changed` is another value: only the new events of its history are sent. */
export function useInstance(
  id: string,
  changed: unknown,
): { view: InstanceView | undefined; problem: string | undefined; read: () => void } {
  const [view, setView] = useState<InstanceView>();
  const [problem, setProblem] = useState<string>();
  const current = useRef<{ id: string; view?: InstanceView }>({ id });
  const busy = useRef(false);
  const again = useRef(false);
  if (current.current.id !== id) current.current = { id };

  const read = useCallback((): void => {
    again.current = true;
    if (busy.current) return;
    busy.current = true;
    void (async () => {
      while (again.current) {
        again.current = false;
        const mine = current.current;
        const known = mine.view;
        const query =
          known === undefined
            ? ''
            : `?from=${known.history.length}&revision=${encodeURIComponent(known.revision)}`;
        try {
          const next = await get<InstanceView>(`${instancePath(mine.id)}${query}`);
          if (known !== undefined && next.from > 0)
            next.history = [...known.history.slice(0, next.from), ...next.history];
          if (current.current !== mine) again.current = true;
          else {
            mine.view = next;
            setView(next);
            setProblem(undefined);
          }
        } catch (error) {
          if (current.current === mine) setProblem((error as Error).message);
        }
      }
      busy.current = false;
    })();
  }, []);

  useEffect(read, [id, changed, read]);
  return {
    view: view?.instanceId === id ? view : undefined,
    problem,
    read,
  };
}
