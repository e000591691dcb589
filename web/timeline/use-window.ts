import type { RefObject } from 'preact';
import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Rows that are rendered above and below what is visible, so that scrolling shows no gaps. */
const OVERSCAN = 12;

/** A list of which only the visible rows are rendered. */
export interface Window<Scroller> {
  scroller: RefObject<Scroller | null>;
  /** The indexes to render: the visible ones and `always`. */
  indexes: number[];
  onScroll: () => void;
  /** How many whole rows are visible. */
  page: number;
  /** Scrolls as little as possible until the row is visible. */
  reveal: (index: number) => void;
}

/**
 * Computes which rows of a long list to render.
 *
 * @param rowHeight in pixels, the same for all rows
 * @param always a row that is rendered in any case, such as the active one
 */
export function useWindow<Scroller extends HTMLElement>(
  count: number,
  rowHeight: number,
  always: number,
): Window<Scroller> {
  const scroller = useRef<Scroller>(null);
  const [{ top, height }, setSeen] = useState({ top: 0, height: 600 });

  const onScroll = useCallback((): void => {
    const element = scroller.current;
    if (element) setSeen({ top: element.scrollTop, height: element.clientHeight });
  }, []);

  useLayoutEffect(() => {
    const observer = new ResizeObserver(onScroll);
    if (scroller.current) observer.observe(scroller.current);
    return () => observer.disconnect();
  }, [onScroll]);

  const first = Math.max(0, Math.floor(top / rowHeight) - OVERSCAN);
  const end = Math.min(count, Math.ceil((top + height) / rowHeight) + OVERSCAN);
  const indexes = Array.from({ length: Math.max(0, end - first) }, (_, offset) => first + offset);
  if (always >= 0 && always < count && (always < first || always >= end)) indexes.push(always);

  const reveal = useCallback(
    (index: number): void => {
      const element = scroller.current;
      if (!element) return;
      const [from, to] = [index * rowHeight, (index + 1) * rowHeight];
      if (from < element.scrollTop) element.scrollTop = from;
      else if (to > element.scrollTop + element.clientHeight) element.scrollTop = to - element.clientHeight;
      onScroll();
    },
    [onScroll, rowHeight],
  );

  return { scroller, indexes, onScroll, page: Math.max(1, Math.floor(height / rowHeight) - 1), reveal };
}
