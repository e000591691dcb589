import type { VNode } from 'preact';

interface Props {
  /** Of the field in the request, and its id. */
  name: string;
  label: string;
  value: string;
  error?: string;
  set: (value: string) => void;
}

/** A text, with what is wrong with it. */
export function Field({
  name,
  label,
  value,
  error,
  set,
  max = 100,
  lines,
  autocomplete = 'off',
}: Props & { max?: number; lines?: number; autocomplete?: string }): VNode {
  const common = {
    id: name,
    value,
    maxLength: max,
    'aria-invalid': error !== undefined,
    'aria-describedby': error === undefined ? undefined : `${name}-error`,
  };
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {lines === undefined ? (
        <input
          {...common}
          autocomplete={autocomplete}
          onInput={({ currentTarget }) => set(currentTarget.value)}
        />
      ) : (
        <textarea {...common} rows={lines} onInput={({ currentTarget }) => set(currentTarget.value)} />
      )}
      {error && (
        <p id={`${name}-error`} class="error">
          {error}
        </p>
      )}
    </div>
  );
}

const SPANS = [
  ['PT1H', 'an hour'],
  ['PT4H', 'four hours'],
  ['P1D', 'a day'],
  ['P3D', 'three days'],
  ['P7D', 'a week'],
  ['P30D', 'thirty days'],
] as const;

/** A span of time, as an ISO 8601 duration. */
export function Span({ name, label, value, set }: Props): VNode {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <select id={name} value={value} onChange={({ currentTarget }) => set(currentTarget.value)}>
        {SPANS.map(([span, words]) => (
          <option key={span} value={span}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}
