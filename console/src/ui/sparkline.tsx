/** A line the size of a word. Its text says the same to whoever cannot see it. */
type Spark = { values: (number | null)[]; label: string; format: (value: number) => string };

const WIDTH = 88;
const HEIGHT = 28;

const pointsOf = (values: (number | null)[]): { x: number; y: number }[] => {
  const known = values.filter((value): value is number => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const span = high - low || 1;
  const step = values.length > 1 ? WIDTH / (values.length - 1) : 0;
  return values.flatMap((value, index) => (value === null ? [] : [{ x: index * step, y: HEIGHT - 3 - ((value - low) / span) * (HEIGHT - 6) }]));
};

export const Sparkline = ({ values, label, format }: Spark) => {
  const last = values.findLast((value): value is number => value !== null);
  if (last === undefined) return <span class="muted">–</span>;
  const points = pointsOf(values);
  const end = points.at(-1) ?? { x: 0, y: 0 };
  return (
    <span class="spark">
      <svg width={WIDTH} height={HEIGHT} viewBox={`-2 0 ${WIDTH + 4} ${HEIGHT}`} role="img" aria-label={`${label}, now ${format(last)}`}>
        <polyline points={points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')} />
        <circle cx={end.x} cy={end.y} r="2.5" />
      </svg>
      <span class="number">{format(last)}</span>
    </span>
  );
};
