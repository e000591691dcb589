import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { Filter } from './api';

export const NO_FILTER: Filter = { workflow: '', status: '', createdFrom: '', createdTo: '', idPrefix: '' };

/** The hub's states, with those first that an operator looks for. */
const STATES = ['Failed', 'Running', 'Suspended', 'Pending', 'Completed', 'Terminated'];

/** What to list. */
export function FilterForm({
  workflows,
  search,
}: {
  /** The names of known orchestrators. */
  workflows: readonly string[];
  search: (filter: Filter) => void;
}): VNode {
  const [filter, setFilter] = useState(NO_FILTER);
  const set = (name: keyof Filter) => (event: { currentTarget: { value: string } }) =>
    setFilter({ ...filter, [name]: event.currentTarget.value });
  return (
    <form
      class="panel filter"
      aria-label="Filter"
      onSubmit={(event) => {
        event.preventDefault();
        search(filter);
      }}
    >
      <label>
        Workflow
        <input list="workflows" autocomplete="off" value={filter.workflow} onInput={set('workflow')} />
      </label>
      <datalist id="workflows">
        {workflows.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <label>
        State
        <select value={filter.status} onChange={set('status')}>
          <option value="">Any</option>
          {STATES.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Id begins with
        <input autocomplete="off" spellcheck={false} value={filter.idPrefix} onInput={set('idPrefix')} />
      </label>
      <label>
        Created from
        <input type="datetime-local" value={filter.createdFrom} onInput={set('createdFrom')} />
      </label>
      <label>
        Created to
        <input type="datetime-local" value={filter.createdTo} onInput={set('createdTo')} />
      </label>
      <button type="submit" class="primary">
        Show
      </button>
    </form>
  );
}
