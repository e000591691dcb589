import type { VNode } from 'preact';
import { useId, useMemo, useState } from 'preact/hooks';
import { lengthOf, ticks } from './axis.js';
import { Details } from './details.js';
import type { Instance } from './history.js';
import { layout } from './layout.js';
import type { Row } from './row.js';
import { useWindow } from './use-window.js';
import { centred, positionOf, showing, zoomed, type View } from './view.js';

/** The height of a row in pixels; `timeline.css` has the same. */
const ROW_HEIGHT = 32;

/** The properties of {@link Timeline}. */
export interface TimelineProps {
  instance: Instance;
  /** Milliseconds since the epoch: the end of what is open. Give it anew to make open bars grow. */
  now: number;
  /** Instances that are shown under their sub-orchestrations, by the key of the row. */
  nested?: ReadonlyMap<string, Instance>;
  /** The caller reads the instance of this sub-orchestration and adds it to `nested`, or removes it. */
  onToggle?: (row: Row, expand: boolean) => void;
  /** The caller reads the history again with inputs and outputs. Absent: the history has them. */
  onPayloads?: () => void;
  /** The caller opens another instance. */
  onOpen?: (instanceId: string) => void;
}

/**
 * The history of an instance as bars on a time axis, with the details of the row that is active. It renders only the
 * visible rows. Keys: arrows, Page Up, Page Down, Home and End move; right and left show and hide a nested
 * instance; plus, minus and 0 zoom.
 *
 * @example
 * <Timeline instance={status} now={Date.now()} onToggle={toggle} nested={nested} />
 */
export function Timeline({ instance, now, nested, onToggle, onPayloads, onOpen }: TimelineProps): VNode {
  const id = useId();
  const { rows, from, to } = useMemo(
    () => layout(instance, { now, ...(nested && { nested }) }),
    [instance, now, nested],
  );
  const [activeKey, setActive] = useState(rows[0]?.key);
  const [zoom, setZoom] = useState<View>();
  const found = rows.findIndex(({ key }) => key === activeKey);
  const active = Math.max(0, found);
  const row = rows[active]!;
  const whole = { from, to };
  const view = zoom ?? whole;
  const { scroller, indexes, onScroll, page, reveal } = useWindow<HTMLDivElement>(
    rows.length,
    ROW_HEIGHT,
    active,
  );

  const activate = (index: number): void => {
    const next = rows[Math.min(rows.length - 1, Math.max(0, index))]!;
    setActive(next.key);
    reveal(rows.indexOf(next));
    if (zoom) setZoom(showing(zoom, next));
  };
  const toggle = (of: Row, expand: boolean): void => {
    if (of.expandable && of.expanded !== expand) onToggle?.(of, expand);
  };
  const zoomBy = (factor: number): void => setZoom(zoomed(view, whole, factor, centred(row, view)));

  const onKeyDown = (event: KeyboardEvent): void => {
    const action = {
      ArrowDown: () => activate(active + 1),
      ArrowUp: () => activate(active - 1),
      PageDown: () => activate(active + page),
      PageUp: () => activate(active - page),
      Home: () => activate(0),
      End: () => activate(rows.length - 1),
      ArrowRight: () => toggle(row, true),
      ArrowLeft: () =>
        row.expanded ? toggle(row, false) : activate(rows.findLastIndex(isParentOf(row, active))),
      '+': () => zoomBy(1 / 4),
      '-': () => zoomBy(4),
      '0': () => setZoom(undefined),
    }[event.key];
    if (action === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  };

  return (
    <div class="timeline">
      <div class="tl-tools" role="group" aria-label="Time axis">
        <button type="button" onClick={() => zoomBy(1 / 4)}>
          Zoom in
        </button>
        <button type="button" onClick={() => zoomBy(4)} disabled={zoom === undefined}>
          Zoom out
        </button>
        <button type="button" onClick={() => setZoom(undefined)} disabled={zoom === undefined}>
          Whole time
        </button>
        <span>
          {new Date(view.from).toISOString().slice(0, 19).replace('T', ' ')} UTC,{' '}
          {lengthOf(view.to - view.from)}
        </span>
      </div>
      <Axis view={view} />
      <div
        class="tl-rows"
        ref={scroller}
        role="treegrid"
        aria-label={`Timeline of ${instance.instanceId}`}
        aria-rowcount={rows.length}
        aria-readonly="true"
        aria-activedescendant={`${id}-${active}`}
        tabIndex={0}
        onScroll={onScroll}
        onKeyDown={onKeyDown}
      >
        <div role="rowgroup" style={{ height: `${rows.length * ROW_HEIGHT}px`, position: 'relative' }}>
          {indexes.map((index) => (
            <Line
              key={rows[index]!.key}
              id={`${id}-${index}`}
              row={rows[index]!}
              index={index}
              isActive={index === active}
              view={view}
              activate={() => activate(index)}
              toggle={toggle}
            />
          ))}
        </div>
      </div>
      <Details row={row} onPayloads={onPayloads} onOpen={onOpen} />
    </div>
  );
}

/** Whether a row before `active` is what `row` is nested in. */
function isParentOf({ depth }: Row, active: number): (other: Row, index: number) => boolean {
  return (other, index) => index < active && other.depth < depth;
}

/** The axis is for the eyes: each row says its own times. */
function Axis({ view }: { view: View }): VNode {
  return (
    <div class="tl-axis" aria-hidden="true">
      <div>
        {ticks(view.from, view.to, 6).map(({ at, label }) => (
          <span key={at} style={{ left: `${positionOf(view, at, at).left}%` }}>
            {label}
          </span>
        ))}
      </div>
    </div>
  );
}

function Line({
  id,
  row,
  index,
  isActive,
  view,
  activate,
  toggle,
}: {
  id: string;
  row: Row;
  index: number;
  isActive: boolean;
  view: View;
  activate: () => void;
  toggle: (row: Row, expand: boolean) => void;
}): VNode {
  const { kind, label, state, start, end, depth, attempt, expandable, expanded } = row;
  const { left, width, hidden } = positionOf(view, start, end);
  const isMoment = kind === 'event' || (kind === 'entity' && start === end);
  return (
    // oxlint-disable-next-line -- the keys of all rows are handled by the grid, which has the focus
    <div
      id={id}
      class="tl-row"
      role="row"
      aria-rowindex={index + 1}
      aria-level={depth + 1}
      aria-selected={isActive}
      {...(expandable && { 'aria-expanded': expanded })}
      style={{ top: `${index * ROW_HEIGHT}px` }}
      onClick={activate}
    >
      <div role="gridcell" class="tl-name" style={{ paddingInlineStart: `${depth}rem` }} title={label}>
        {expandable && (
          <span class="tl-twisty" aria-hidden="true" onClick={() => toggle(row, !expanded)}>
            {expanded ? '▾' : '▸'}
          </span>
        )}
        <span class={`tl-mark ${kind}`} aria-hidden="true" />
        <span class="tl-label">{label}</span>
        <span class="tl-unseen">, {kind}</span>
        {attempt !== undefined && <span class="tl-attempt"> attempt {attempt}</span>}
      </div>
      <div role="gridcell" class={`tl-state ${state}`}>
        {isMoment ? new Date(start).toISOString().slice(11, 19) : `${state}, ${lengthOf(end - start)}`}
      </div>
      <div role="gridcell" class="tl-bars">
        <span class="tl-unseen">from {new Date(start).toISOString()}</span>
        {hidden === undefined ? (
          <span
            class={`tl-bar ${kind} ${state}${isMoment ? ' moment' : ''}`}
            style={{ left: `${left}%`, width: `${width}%` }}
          />
        ) : (
          <span class={`tl-beyond ${hidden}`} aria-hidden="true">
            {hidden === 'before' ? '‹' : '›'}
          </span>
        )}
      </div>
    </div>
  );
}
