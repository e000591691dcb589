import type { VNode } from 'preact';
import { useState } from 'preact/hooks';

/** How many entries of an object or array, and how many characters of a text, are shown at first. */
const FIRST_ENTRIES = 100;
const FIRST_CHARACTERS = 2000;

/** A JSON value whose objects and arrays fold. What is folded is not rendered. */
export function JsonView({ value, open = true }: { value: unknown; open?: boolean }): VNode {
  if (typeof value === 'string') return <Text text={JSON.stringify(value)} />;
  if (typeof value !== 'object' || value === null) return <code>{JSON.stringify(value)}</code>;
  const entries: [string, unknown][] = Array.isArray(value)
    ? value.map((item, index) => [String(index), item])
    : Object.entries(value);
  if (entries.length === 0) return <code>{Array.isArray(value) ? '[]' : '{}'}</code>;
  return <Entries entries={entries} isArray={Array.isArray(value)} open={open} />;
}

function Entries({
  entries,
  isArray,
  open,
}: {
  entries: [string, unknown][];
  isArray: boolean;
  open: boolean;
}): VNode {
  const [isOpen, setOpen] = useState(open);
  const [shown, setShown] = useState(FIRST_ENTRIES);
  const one = entries.length === 1;
  const unit = isArray ? (one ? 'item' : 'items') : one ? 'property' : 'properties';
  return (
    <details class="tl-json" open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <code>{isArray ? '[…]' : '{…}'}</code> {entries.length} {unit}
      </summary>
      {isOpen && (
        <>
          <ul>
            {entries.slice(0, shown).map(([name, item]) => (
              <li key={name}>
                <span class="tl-json-name">{name}:</span> <JsonView value={item} open={false} />
              </li>
            ))}
          </ul>
          {shown < entries.length && (
            <button type="button" onClick={() => setShown(shown + FIRST_ENTRIES)}>
              Show {Math.min(FIRST_ENTRIES, entries.length - shown)} more
            </button>
          )}
        </>
      )}
    </details>
  );
}

function Text({ text }: { text: string }): VNode {
  const [whole, setWhole] = useState(false);
  if (whole || text.length <= FIRST_CHARACTERS) return <code class="tl-json-text">{text}</code>;
  return (
    <>
      <code class="tl-json-text">{text.slice(0, FIRST_CHARACTERS)}…</code>{' '}
      <button type="button" onClick={() => setWhole(true)}>
        Show all {text.length} characters
      </button>
    </>
  );
}
