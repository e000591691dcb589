import type { VNode } from 'preact';
const stones = 11;
const outer = 92;
const inner = 66;
const middle = { x: 110, y: 104 };

/** A point on the arch: the angle runs from 0 on the left to 1 on the right. */
const on = (radius: number, turn: number): string => {
  const angle = Math.PI * (1 + turn);
  return `${(middle.x + radius * Math.cos(angle)).toFixed(1)} ${(middle.y + radius * Math.sin(angle)).toFixed(1)}`;
};

const gap = 0.004;
const archStones = Array.from({ length: stones }, (_, index) => {
  const [from, to] = [index / stones + gap, (index + 1) / stones - gap];
  const top = index === (stones - 1) / 2 ? outer + 7 : outer;
  return `M${on(inner, from)} L${on(top, from)} A${top} ${top} 0 0 1 ${on(top, to)} L${on(inner, to)} A${inner} ${inner} 0 0 0 ${on(inner, from)}Z`;
});

const pillarStones = [0, 1, 2, 3].flatMap((row) => {
  const y = middle.y + 1 + row * 24;
  const bulge = row === 3 ? 4 : 0;
  return [middle.x - outer - bulge, middle.x + inner].map(
    (x) => `M${x} ${y}h${outer - inner + bulge}v23h-${outer - inner + bulge}z`,
  );
});

const opening = `M${middle.x - inner} 200V${middle.y}A${inner} ${inner} 0 0 1 ${middle.x + inner} ${middle.y}V200Z`;

/** A drawing of the entrance: dark while it waits, lit, or cold. */
export function Arch({ mood }: { mood: 'waiting' | 'open' | 'cold' }): VNode {
  return (
    <svg class={`arch ${mood}`} viewBox="0 0 220 212" role="presentation" aria-hidden="true">
      <defs>
        <radialGradient id="glow" cx="50%" cy="100%" r="85%">
          <stop class="glow-near" offset="0%" />
          <stop class="glow-mid" offset="45%" />
          <stop class="glow-far" offset="100%" />
        </radialGradient>
      </defs>
      <path class="dark" d={opening} />
      <path class="glow" d={opening} fill="url(#glow)" />
      {[0, 1, 2, 3].map((step) => (
        <path
          key={step}
          class={`step step-${step}`}
          d={`M${56 + step * 9} ${200 - step * 9}h${108 - step * 18}v-8h-${108 - step * 18}z`}
        />
      ))}
      {mood === 'waiting' && (
        <g class="eyes">
          <path d="M94 122q6 -7 12 0q-6 4 -12 0z" />
          <path d="M126 122q-6 -7 -12 0q6 4 12 0z" />
        </g>
      )}
      {[...archStones, ...pillarStones].map((path, index) => (
        <path key={path} class={`stone stone-${index % 3}`} d={path} />
      ))}
      <path class="ground" d="M6 202h208" />
    </svg>
  );
}
