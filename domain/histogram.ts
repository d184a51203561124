/** Histograms for people: the bars of a comparison with words to them. */
import type { ColumnDrift } from '../contracts/monitor.ts';
import type { ColumnHistogram } from '../contracts/monitor-report.ts';

type Bin = ColumnHistogram['bins'][number];

const show = (value: number): string => String(Number(value.toPrecision(4)));

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** Rows without a value, from their share and the rows with one. */
const missingRows = (share: number, counts: readonly number[]): number => (share < 1 ? Math.round((sum(counts) * share) / (1 - share)) : 0);

/** The reference and the live rows of one column, side by side. Missing values are a bin of their own where there are any. */
const histogramOf = ({ column, histogram, missing }: ColumnDrift): ColumnHistogram | null => {
  if (histogram === null) return null;
  const { edges, categories, reference, current } = histogram;
  const labelOf = (bar: number): string => (edges === null ? (categories?.[bar] ?? 'other') : `${show(edges[bar] ?? 0)} – ${show(edges[bar + 1] ?? 0)}`);
  const bins = reference.map((count, bar): Bin => ({ label: labelOf(bar), reference: count, current: current[bar] ?? 0 }));
  const without: Bin = { label: 'missing', reference: missingRows(missing.reference, reference), current: missingRows(missing.current, current) };
  return { column, type: edges === null ? 'categorical' : 'numeric', bins: without.reference + without.current > 0 ? [...bins, without] : bins };
};

/** Histograms of the columns of a window; a column of which nothing was drawn has none. */
export const histogramsOf = (columns: readonly ColumnDrift[]): ColumnHistogram[] =>
  columns.flatMap((column) => {
    const histogram = histogramOf(column);
    return histogram === null ? [] : [histogram];
  });
