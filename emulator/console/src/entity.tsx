import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { JsonView } from '../../../web/timeline/index.js';
import { instancePath, post, type InstanceView } from './api.js';
import { Form, typedJson, useSending } from './form.js';
import { linkTo } from './route.js';

/** The state of an entity, who holds its lock, who waits, and a signal to it. */
export function Entity({ id, entity }: { id: string; entity: NonNullable<InstanceView['entity']> }): VNode {
  const { exists, state, queue, lockedBy } = entity;
  const [operation, setOperation] = useState('');
  const [input, setInput] = useState('');
  const sending = useSending();
  return (
    <>
      <section aria-label="State">
        <h3>State</h3>
        {exists ? (
          <JsonView value={state} />
        ) : (
          <p class="faint">It has no state: it was deleted, or never set.</p>
        )}
      </section>
      <section aria-label="Lock">
        <h3>Lock</h3>
        {lockedBy === null ? (
          <p class="faint">Nobody holds its lock.</p>
        ) : (
          <p>
            Locked by <a href={linkTo(lockedBy)}>{lockedBy}</a>
          </p>
        )}
      </section>
      <section aria-label="Queue">
        <h3>Queue</h3>
        {queue.length === 0 ? (
          <p class="faint">No operation waits.</p>
        ) : (
          <ol class="due">
            {queue.map(({ operation: name, from }, index) => (
              <li key={index}>
                {name}
                {from === null ? (
                  ', a signal'
                ) : (
                  <>
                    {' '}
                    for <a href={linkTo(from)}>{from}</a>
                  </>
                )}
              </li>
            ))}
          </ol>
        )}
      </section>
      <Form
        title="Signal it"
        action="Signal"
        sending={sending}
        onSend={async () => {
          await post(`${instancePath(id)}/signal`, { operation, input: typedJson(input) });
          return `The signal '${operation}' was sent.`;
        }}
      >
        <label>
          Operation
          <input required value={operation} onInput={(event) => setOperation(event.currentTarget.value)} />
        </label>
        <label>
          Input (JSON, or nothing)
          <textarea rows={3} value={input} onInput={(event) => setInput(event.currentTarget.value)} />
        </label>
      </Form>
    </>
  );
}
