import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { actionsFor, type Action } from './api';

/** What each action does, for the operator who is about to do it. */
const effects: Record<Action, string> = {
  suspend: 'The workflow does nothing until it is resumed. Its events wait.',
  resume: 'The workflow goes on, with the events that came meanwhile.',
  terminate: 'The workflow ends here, and its sub-orchestrations go on.',
  restart:
    'The workflow starts from its beginning with the same input. Its record decides what is left to do.',
  purge: 'The hub forgets the instance and its history. That cannot be undone.',
};

/** The actions that the instance's state allows. Each is confirmed, with a reason where the history keeps one. */
export function Actions({
  status,
  run,
}: {
  status: string;
  run: (action: Action, reason: string) => Promise<boolean>;
}): VNode {
  const [chosen, setChosen] = useState<Action>();
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const allowed = actionsFor(status);
  const open = chosen !== undefined && allowed.includes(chosen) ? chosen : undefined;

  const confirm = async (action: Action): Promise<void> => {
    setBusy(true);
    if (await run(action, reason.trim())) {
      setChosen(undefined);
      setReason('');
    }
    setBusy(false);
  };

  return (
    <div class="actions" role="group" aria-label="Actions">
      {allowed.map((action) => (
        <button
          key={action}
          type="button"
          aria-expanded={open === action}
          onClick={() => setChosen(open === action ? undefined : action)}
        >
          {nameOf(action)}
        </button>
      ))}
      {open && (
        <form
          class="panel confirm"
          aria-label={nameOf(open)}
          onSubmit={(event) => {
            event.preventDefault();
            if (!busy) void confirm(open);
          }}
        >
          <p>{effects[open]}</p>
          {open !== 'restart' && open !== 'purge' && (
            <label>
              Reason
              <input
                maxLength={200}
                autocomplete="off"
                value={reason}
                onInput={({ currentTarget }) => setReason(currentTarget.value)}
              />
            </label>
          )}
          <div class="bar">
            <button type="submit" class="primary" aria-busy={busy}>
              {nameOf(open)} it
            </button>
            <button type="button" onClick={() => setChosen(undefined)}>
              Cancel
            </button>
          </div>
        </form>
      )}
    </div>
  );
}

function nameOf(action: Action): string {
  return action[0]!.toUpperCase() + action.slice(1);
}
