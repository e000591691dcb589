import type { VNode } from 'preact';
import { money } from './numbers';

/** A bar of the chart. */
export interface Bar {
  name: string;
  amount: number;
}

const ROW = 28;
const LABEL = 190;
const WIDTH = 720;
const VALUE = 110;

/** Bars by amount, as SVG. The table beside it says the same to those who cannot see it. */
export function Chart({ title, bars }: { title: string; bars: readonly Bar[] }): VNode {
  const most = Math.max(1, ...bars.map(({ amount }) => Math.abs(amount)));
  return (
    <figure>
      <figcaption id="chart">{title}</figcaption>
      <svg
        role="img"
        aria-labelledby="chart"
        viewBox={`0 0 ${WIDTH} ${bars.length * ROW}`}
        preserveAspectRatio="xMinYMin meet"
      >
        {bars.map(({ name, amount }, index) => {
          const length = (Math.abs(amount) / most) * (WIDTH - LABEL - VALUE);
          return (
            <g key={name} transform={`translate(0 ${index * ROW})`}>
              <text class="name" x={LABEL - 8} y={ROW / 2} text-anchor="end">
                {shortened(name)}
              </text>
              <rect
                class={amount < 0 ? 'refund' : 'sale'}
                x={LABEL}
                y={4}
                width={Math.max(1, length)}
                height={ROW - 8}
                rx={3}
              />
              <text x={LABEL + length + 6} y={ROW / 2}>
                {money(amount)}
              </text>
            </g>
          );
        })}
      </svg>
    </figure>
  );
}

const shortened = (name: string): string => (name.length > 24 ? `${name.slice(0, 23)}…` : name);
