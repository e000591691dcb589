import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { post, type AppInfo } from './api.js';
import { Form, typedJson, useSending } from './form.js';
import { open } from './route.js';

/** Starts any orchestrator with an input. */
export function Start({ app }: { app: AppInfo | undefined }): VNode {
  const [name, setName] = useState('');
  const [input, setInput] = useState('');
  const [id, setId] = useState('');
  const sending = useSending();
  const chosen = name || (app?.orchestrators[0] ?? '');
  return (
    <Form
      title="Start an orchestrator"
      action="Start"
      sending={sending}
      onSend={async () => {
        const body = { name: chosen, input: typedJson(input), instanceId: id };
        open((await post<{ instanceId: string }>('api/instances', body)).instanceId);
        return undefined;
      }}
    >
      <label>
        Orchestrator
        <select value={chosen} onChange={(event) => setName(event.currentTarget.value)}>
          {app?.orchestrators.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </label>
      <label>
        Input (JSON, or nothing)
        <textarea rows={3} value={input} onInput={(event) => setInput(event.currentTarget.value)} />
      </label>
      <label>
        Id (or nothing: a new one)
        <input value={id} onInput={(event) => setId(event.currentTarget.value)} />
      </label>
    </Form>
  );
}
