/** Training rows against the rows of a window, bin by bin, the size of a table cell. */
import type { MonitorReport } from '../api/types.ts';
import { count, percent } from './format.ts';

type Histogram = NonNullable<MonitorReport['columns'][number]['histogram']>;
type Bin = { label: string; reference: number; current: number };

const WIDTH = 180;
const HEIGHT = 44;

/** Counts as shares of their own total: the two sides have different numbers of rows. */
const sharesOf = (bins: Histogram['bins']): Bin[] => {
  const total = (pick: (bin: Bin) => number): number => bins.reduce((sum, bin) => sum + pick(bin), 0) || 1;
  const [reference, current] = [total((bin) => bin.reference), total((bin) => bin.current)];
  return bins.map((bin) => ({ label: bin.label, reference: bin.reference / reference, current: bin.current / current }));
};

export const MiniHistogram = ({ name, histogram }: { name: string; histogram: Histogram }) => {
  const bins = sharesOf(histogram.bins);
  const most = Math.max(...bins.flatMap(({ reference, current }) => [reference, current]), 0.0001);
  const slot = WIDTH / Math.max(1, bins.length);
  const heightOf = (share: number): number => (share / most) * (HEIGHT - 2);
  return (
    <svg class="histogram" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${name}: training rows against the rows of this window, in ${count(bins.length)} bins`}>
      {bins.map(({ label, reference, current }, index) => (
        <g key={label}>
          <title>{`${label}: ${percent(reference, 1)} of the training rows, ${percent(current, 1)} of this window`}</title>
          <rect class="histogram-slot" x={index * slot} y="0" width={slot} height={HEIGHT} />
          <rect class="histogram-reference" x={index * slot + slot * 0.08} y={HEIGHT - heightOf(reference)} width={slot * 0.42} height={heightOf(reference)} />
          <rect class="histogram-current" x={index * slot + slot * 0.5} y={HEIGHT - heightOf(current)} width={slot * 0.42} height={heightOf(current)} />
        </g>
      ))}
    </svg>
  );
};

export const HistogramKey = () => (
  <span class="key">
    <span class="key-mark reference" aria-hidden="true" /> training <span class="key-mark current" aria-hidden="true" /> this window
  </span>
);
