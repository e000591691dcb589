import type { VNode } from 'preact';
import { useId, useState } from 'preact/hooks';
import { useWindow } from '../../timeline';
import type { Listed } from './api';

/** The height of a row in pixels; `operations.css` has the same. */
const ROW_HEIGHT = 36;

/** The instances, of which only the visible ones are rendered. Arrows move, and Enter opens. */
export function Table({ instances }: { instances: readonly Listed[] }): VNode {
  const id = useId();
  const [activeId, setActive] = useState<string>();
  const active = Math.max(
    0,
    instances.findIndex((instance) => instance.id === activeId),
  );
  const { scroller, indexes, onScroll, page, reveal } = useWindow<HTMLDivElement>(
    instances.length,
    ROW_HEIGHT,
    active,
  );

  const activate = (index: number): void => {
    const next = Math.min(instances.length - 1, Math.max(0, index));
    setActive(instances[next]!.id);
    reveal(next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const move = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: instances.length - 1,
    }[event.key];
    if (event.key === 'Enter') location.hash = `#${encodeURIComponent(instances[active]!.id)}`;
    if (move === undefined) return;
    event.preventDefault();
    activate(move);
  };

  return (
    <div class="table">
      <div class="row heading" aria-hidden="true">
        <span>State</span>
        <span>Workflow</span>
        <span>Id</span>
        <span>Created</span>
        <span>Last change</span>
      </div>
      <div
        class="rows"
        ref={scroller}
        role="grid"
        aria-label="Instances"
        aria-readonly="true"
        aria-rowcount={instances.length}
        aria-activedescendant={`${id}-${active}`}
        tabIndex={0}
        onScroll={onScroll}
        onKeyDown={onKeyDown}
      >
        <div role="rowgroup" style={{ height: `${instances.length * ROW_HEIGHT}px`, position: 'relative' }}>
          {indexes.map((index) => {
            const instance = instances[index]!;
            return (
              <div
                key={instance.id}
                id={`${id}-${index}`}
                role="row"
                class="row"
                aria-rowindex={index + 1}
                aria-selected={index === active}
                style={{ top: `${index * ROW_HEIGHT}px` }}
                onClick={() => activate(index)}
              >
                <span role="gridcell" class={`state ${instance.status}`}>
                  {instance.status}
                </span>
                <span role="gridcell" title={instance.workflow}>
                  {instance.workflow}
                </span>
                <span role="gridcell" title={instance.id}>
                  <a href={`#${encodeURIComponent(instance.id)}`} tabIndex={-1}>
                    {instance.id}
                  </a>
                </span>
                <span role="gridcell">{new Date(instance.createdAt).toLocaleString()}</span>
                <span role="gridcell">{new Date(instance.updatedAt).toLocaleString()}</span>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
