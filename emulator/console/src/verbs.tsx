import type { VNode } from 'preact';
import { useId, useState } from 'preact/hooks';
import { instancePath, post, type InstanceView } from './api.js';
import { Form, Message, typedJson, useSending } from './form.js';
import { open } from './route.js';

type Verb = 'terminate' | 'suspend' | 'resume' | 'rewind' | 'restart' | 'purge';

const LABELS: Record<Verb, string> = {
  suspend: 'Suspend',
  resume: 'Resume',
  terminate: 'Terminate',
  rewind: 'Rewind',
  restart: 'Start again',
  purge: 'Purge',
};

/** The verbs that fit a status. */
function verbsOf(status: string): Verb[] {
  switch (status) {
    case 'Running':
    case 'Pending':
    case 'ContinuedAsNew':
      return ['suspend', 'terminate', 'restart'];
    case 'Suspended':
      return ['resume', 'terminate', 'restart'];
    case 'Failed':
      return ['rewind', 'restart', 'purge'];
    default:
      return ['restart', 'purge'];
  }
}

/** What can be done with an orchestration. */
export function Verbs({ view }: { view: InstanceView }): VNode {
  const { instanceId, status, waits } = view;
  const [reason, setReason] = useState('');
  const sending = useSending();
  const verbs = verbsOf(status);
  const run = (verb: Verb): void => {
    void sending.send(async () => {
      const result = await post<{ instanceId?: string }>(`${instancePath(instanceId)}/${verb}`, {
        ...(reason !== '' && { reason }),
      });
      if (verb === 'restart' && result.instanceId !== undefined) open(result.instanceId);
      if (verb === 'purge') location.hash = '#/instances';
      return undefined;
    });
  };
  const takesEvents = verbs.includes('terminate');
  return (
    <section class="verbs" aria-label="Actions">
      <div class="actions">
        {verbs.map((verb) => (
          <button key={verb} type="button" disabled={sending.isBusy} onClick={() => run(verb)}>
            {LABELS[verb]}
          </button>
        ))}
        {verbs.some((verb) => verb !== 'restart' && verb !== 'purge') && (
          <label>
            Reason
            <input value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
          </label>
        )}
      </div>
      <Message of={sending} />
      {takesEvents && (
        <Raise
          instanceId={instanceId}
          awaited={waits.flatMap((wait) => (wait.kind === 'event' ? [wait.name] : []))}
        />
      )}
    </section>
  );
}

/** Raises an event. The names that the instance waits for are offered. */
function Raise({ instanceId, awaited }: { instanceId: string; awaited: string[] }): VNode {
  const list = useId();
  const [typed, setTyped] = useState<string>();
  const [data, setData] = useState('');
  const sending = useSending();
  const name = typed ?? awaited[0] ?? '';
  return (
    <Form
      title={awaited.length > 0 ? `Raise an event: it waits for ${awaited.join(', ')}` : 'Raise an event'}
      action="Raise"
      sending={sending}
      onSend={async () => {
        await post(`${instancePath(instanceId)}/raise`, { name, data: typedJson(data) });
        return `The event '${name}' was raised.`;
      }}
    >
      <label>
        Name
        <input required list={list} value={name} onInput={(event) => setTyped(event.currentTarget.value)} />
        <datalist id={list}>
          {awaited.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      </label>
      <label>
        Data (JSON, or nothing)
        <textarea rows={3} value={data} onInput={(event) => setData(event.currentTarget.value)} />
      </label>
    </Form>
  );
}
