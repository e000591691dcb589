import type { VNode } from 'preact';
import type { Approval } from '../approvals';
import { History } from './history';

/** The latest requests of the person, with what has become of them. */
export function Requests({ list }: { list: Approval[] }): VNode | null {
  if (list.length === 0) return null;
  return (
    <section class="panel" aria-labelledby="own">
      <h2 id="own">Your latest requests</h2>
      <ul class="cases">
        {list.map(({ id, subject, state, waitsFor, decidedBy, comment, history }) => (
          <li key={id}>
            <h3>{subject}</h3>
            <p>
              {waitsFor === undefined ? (
                <>
                  {state}
                  {decidedBy && (
                    <>
                      {' '}
                      by <bdi>{decidedBy}</bdi>
                    </>
                  )}
                </>
              ) : (
                <>
                  waits for <bdi>{waitsFor}</bdi>
                </>
              )}
            </p>
            {comment && <p class="text">{comment}</p>}
            <History history={history} of={subject} />
          </li>
        ))}
      </ul>
    </section>
  );
}
