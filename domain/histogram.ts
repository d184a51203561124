/** Histograms for people: the bins of a comparison joined to so few that they can be drawn, never split. */
import type { CategoricalDistribution, ColumnDistribution, NumericDistribution } from '../contracts/features.ts';
import type { ColumnHistogram } from '../contracts/monitor-report.ts';
import { categoricalPair } from './drift/categorical-pair.ts';
import { numericPair } from './drift/numeric-pair.ts';

type Bin = ColumnHistogram['bins'][number];

const MOST_BINS = 20;
/** Categories that are drawn by themselves; the others are joined. */
const MOST_CATEGORIES = 12;
/** A tail beyond these shares of the training rows does not stretch the axis. */
const TAIL = 0.01;

const show = (value: number): string => String(Number(value.toPrecision(4)));

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** The first edge at which at least this share of the training rows lies below. */
const edgeAt = (edges: readonly number[], counts: readonly number[], share: number): number => {
  let seen = 0;
  const total = sum(counts);
  const index = edges.findIndex((_edge, bin) => (seen += counts[bin] ?? 0) >= share * total);
  return edges[index < 0 ? edges.length - 1 : index] ?? 0;
};

/** Of many edges (quantiles) the ones next to equal steps between the tails, so that the shape of the column is seen. */
const drawnEdges = (edges: readonly number[], counts: readonly number[]): number[] => {
  if (edges.length < MOST_BINS) return [...edges];
  const [low, high] = [edgeAt(edges, counts, TAIL), edgeAt(edges, counts, 1 - TAIL)];
  const targets = Array.from({ length: MOST_BINS - 1 }, (_, index) => low + ((high - low) * index) / (MOST_BINS - 2));
  const nearest = targets.map((target) => edges.reduce((best, edge) => (Math.abs(edge - target) < Math.abs(best - target) ? edge : best)));
  return [...new Set(nearest)];
};

const rangeLabel = (edges: readonly number[], bin: number): string => {
  const [from, to] = [edges[bin - 1], edges[bin]];
  if (from === undefined && to === undefined) return 'all';
  if (from === undefined) return `≤ ${show(to as number)}`;
  return to === undefined ? `> ${show(from)}` : `${show(from)} – ${show(to)}`;
};

const numericBins = (reference: NumericDistribution, live: NumericDistribution): Bin[] => {
  const pair = numericPair(reference, live);
  const [fine, counts, current] = [Array.from(pair.edges), Array.from(pair.reference.counts), Array.from(pair.current.counts)];
  const edges = drawnEdges(fine, counts);
  const bins = Array.from({ length: edges.length + 1 }, (_, bin): Bin => ({ label: rangeLabel(edges, bin), reference: 0, current: 0 }));
  counts.forEach((count, index) => {
    const top = fine[index];
    const at = top === undefined ? edges.length : edges.findIndex((edge) => top <= edge);
    const bin = bins[at < 0 ? edges.length : at] as Bin;
    bin.reference += count;
    bin.current += current[index] ?? 0;
  });
  return bins;
};

const categoricalBins = (reference: CategoricalDistribution, live: CategoricalDistribution): Bin[] => {
  const pair = categoricalPair(reference, live);
  const [referenceTotal, liveTotal] = [sum(pair.reference) || 1, sum(pair.current) || 1];
  const all = pair.names.map((name, index) => ({ label: name, reference: pair.reference[index] ?? 0, current: pair.current[index] ?? 0 }));
  const weight = (bin: Omit<Bin, 'label'>): number => Math.max(bin.reference / referenceTotal, bin.current / liveTotal);
  const named = all.filter((bin): bin is Bin => bin.label !== null);
  const ranked = [...named].sort((first, second) => weight(second) - weight(first));
  const drawn = new Set(ranked.slice(0, MOST_CATEGORIES));
  const rest = all.filter((bin) => !drawn.has(bin as Bin));
  const other: Bin = { label: 'other', reference: sum(rest.map((bin) => bin.reference)), current: sum(rest.map((bin) => bin.current)) };
  return [...named.filter((bin) => drawn.has(bin)), ...(other.reference + other.current > 0 ? [other] : [])];
};

const binsOf = (reference: ColumnDistribution, live: ColumnDistribution): Bin[] => {
  if (reference.type === 'numeric' && live.type === 'numeric') return numericBins(reference, live);
  return reference.type === 'categorical' && live.type === 'categorical' ? categoricalBins(reference, live) : [];
};

/** The reference's rows and the live rows of one column, side by side. Missing values are a bin of their own where there are any. */
export const histogramOf = (reference: ColumnDistribution, live: ColumnDistribution): ColumnHistogram => {
  const bins = binsOf(reference, live);
  const missing: Bin = { label: 'missing', reference: reference.missing, current: live.missing };
  return { column: reference.column, type: reference.type, bins: missing.reference + missing.current > 0 ? [...bins, missing] : bins };
};

/** Histograms of the columns of a window. A column without live counts has none. */
export const histogramsOf = (references: readonly ColumnDistribution[], lives: readonly ColumnDistribution[]): ColumnHistogram[] => {
  const byColumn = new Map(lives.map((live) => [live.column, live]));
  return references.flatMap((reference) => {
    const live = byColumn.get(reference.column);
    return live === undefined ? [] : [histogramOf(reference, live)];
  });
};
