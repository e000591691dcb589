import type { VNode } from 'preact';
import { workflows, type Workflow, type WorkflowState } from './api';

const roles: Record<Workflow, { title: string; does: string }> = {
  RunUserParallelWorkflow: {
    title: 'Making',
    does: 'makes player, monster, room and things all at once, then asks',
  },
  UserConfirmationWorkflow: { title: 'Asking', does: 'races your answer against two minutes' },
  RunUserSequentialWorkflow: { title: 'Placing', does: 'puts each in its place, one after the other' },
  GameMonitorWorkflow: { title: 'Waiting', does: 'waits for the kill and the treasure, in either order' },
  UserMonitorWorkflow: { title: 'Watching', does: 'looks after you every 20 seconds, for an hour' },
};

interface WorkflowsProps {
  states: Partial<Record<Workflow, WorkflowState>>;
  /** True when a workflow that has not started by now will never start. */
  over: boolean;
}

/**
 * The five workflows as lamps: a lamp flickers while its workflow runs, and shines steadily once that has
 * ended.
 */
export function Workflows({ states, over }: WorkflowsProps): VNode {
  return (
    <section class="panel machinery" aria-labelledby="machinery">
      <h2 id="machinery">Behind the walls</h2>
      <ol>
        {workflows.map((workflow) => {
          const status = states[workflow]?.status;
          return (
            <li key={workflow} class={`lamp ${status?.toLowerCase() ?? 'unlit'} ${workflow}`}>
              <b>{roles[workflow].title}</b>
              <code>{workflow}</code>
              <span class="does">{roles[workflow].does}</span>
              <em>{status ?? (over ? 'never' : 'not yet')}</em>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
