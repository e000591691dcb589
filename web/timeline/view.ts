/** The part of the time axis that is visible, in milliseconds since the epoch. */
export interface View {
  from: number;
  to: number;
}

/** The place of a bar in a view, in percent. `hidden` says on which side of the view it is. */
export function positionOf(
  { from, to }: View,
  start: number,
  end: number,
): { left: number; width: number; hidden?: 'before' | 'after' } {
  const percent = (at: number): number => (Math.min(to, Math.max(from, at)) - from) * (100 / (to - from));
  const left = percent(start);
  const hidden = end < from ? 'before' : start > to ? 'after' : undefined;
  return { left, width: percent(end) - left, ...(hidden && { hidden }) };
}

/**
 * A view that is `factor` times as long, with `centre` in its middle; `undefined` when it is the whole.
 * It does not become shorter than 10 milliseconds.
 */
export function zoomed(view: View, whole: View, factor: number, centre: number): View | undefined {
  const length = Math.max(10, (view.to - view.from) * factor);
  if (length >= whole.to - whole.from) return undefined;
  const from = Math.min(whole.to - length, Math.max(whole.from, centre - length / 2));
  return { from, to: from + length };
}

/** The middle of a bar, or the middle of the view where the bar is longer than that. */
export function centred({ start, end }: { start: number; end: number }, { from, to }: View): number {
  return end - start >= to - from ? (from + to) / 2 : (start + end) / 2;
}

/** The view, moved so that a bar is in it. */
export function showing({ from, to }: View, { start, end }: { start: number; end: number }): View {
  if (start <= to && end >= from) return { from, to };
  const length = to - from;
  return { from: start - length / 10, to: start + length * 0.9 };
}
