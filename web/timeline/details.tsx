import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { lengthOf } from './axis.js';
import { JsonView } from './json-view.js';
import type { Row } from './row.js';

/** All that the history has of one row. */
export function Details({
  row,
  onPayloads,
  onOpen,
}: {
  row: Row;
  /** Reads the history again with inputs and outputs; absent when it has them. */
  onPayloads: (() => void) | undefined;
  onOpen: ((instanceId: string) => void) | undefined;
}): VNode {
  const { kind, label, state, start, end, fireAt, attempt, instanceId, reason, details, input, output } = row;
  const section = useRef<HTMLElement>(null);
  const facts: [string, string | undefined][] = [
    ['State', state],
    ['Attempt', attempt?.toString()],
    ['Start', new Date(start).toISOString()],
    [state === 'open' ? 'Until now' : 'End', new Date(end).toISOString()],
    ['Duration', lengthOf(end - start)],
    ['Fires at', fireAt === undefined ? undefined : new Date(fireAt).toISOString()],
    ['Reason', reason],
  ];
  return (
    <section class="tl-details" ref={section} tabIndex={-1} aria-label={`Details of ${label}`}>
      <h3>
        {label} <span class="tl-kind">{kind}</span>
      </h3>
      <dl>
        {facts.map(
          ([name, value]) =>
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
        {instanceId !== undefined && (
          <div>
            <dt>{kind === 'entity' ? 'Entity' : 'Instance'}</dt>
            <dd>
              {kind === 'sub-orchestration' && onOpen ? (
                <button type="button" onClick={() => onOpen(instanceId)}>
                  {instanceId}
                </button>
              ) : (
                instanceId
              )}
            </dd>
          </div>
        )}
      </dl>
      {onPayloads && (
        <button
          type="button"
          onClick={() => {
            section.current?.focus(); // the button disappears
            onPayloads();
          }}
        >
          Load inputs and outputs
        </button>
      )}
      {input !== undefined && (
        <Payload
          key={`${row.key} in`}
          title="Input"
          value={kind === 'activity' ? onlyArgument(read(input)) : read(input)}
        />
      )}
      {output !== undefined && <Payload key={`${row.key} out`} title="Output" value={output} />}
      {details !== undefined && <Payload key={`${row.key} more`} title="Error" value={read(details)} />}
    </section>
  );
}

function Payload({ title, value }: { title: string; value: unknown }): VNode {
  return (
    <>
      <h4>{title}</h4>
      <JsonView value={value} />
    </>
  );
}

/** Text that is no JSON is shown as it is. */
function read(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return json;
  }
}

/**
 * The framework stores the input of an activity as an array of one element. A text in it is JSON text again, and
 * in histories of older extensions every element is.
 */
function onlyArgument(value: unknown): unknown {
  if (!Array.isArray(value) || value.length !== 1) return value;
  const [only] = value as [unknown];
  return typeof only === 'string' ? read(only) : only;
}
