/** Histograms for people: the bins of a comparison joined to so few that they can be drawn, never split. */
import type { ReferenceDistribution } from '../contracts/features.ts';
import type { ColumnHistogram } from '../contracts/monitor-report.ts';
import type { LiveDistribution } from './ports/monitoring.ts';

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

const numericBins = (reference: Extract<ReferenceDistribution, { type: 'numeric' }>, live: LiveDistribution): Bin[] => {
  const edges = drawnEdges(reference.edges, reference.counts);
  const bins = Array.from({ length: edges.length + 1 }, (_, bin): Bin => ({ label: rangeLabel(edges, bin), reference: 0, current: 0 }));
  reference.counts.forEach((count, fine) => {
    const top = reference.edges[fine];
    const at = top === undefined ? edges.length : edges.findIndex((edge) => top <= edge);
    const bin = bins[at < 0 ? edges.length : at] as Bin;
    bin.reference += count;
    bin.current += live.counts[fine] ?? 0;
  });
  return bins;
};

const categoricalBins = (reference: Extract<ReferenceDistribution, { type: 'categorical' }>, live: LiveDistribution): Bin[] => {
  const [referenceTotal, liveTotal] = [sum(reference.counts) || 1, sum(live.counts) || 1];
  const all = reference.categories.map((label, index) => ({ label, reference: reference.counts[index] ?? 0, current: live.counts[index] ?? 0 }));
  const weight = (bin: Bin): number => Math.max(bin.reference / referenceTotal, bin.current / liveTotal);
  const ranked = [...all].sort((first, second) => weight(second) - weight(first));
  const drawn = new Set(ranked.slice(0, MOST_CATEGORIES));
  const rest = all.filter((bin) => !drawn.has(bin));
  const last = reference.categories.length;
  const other: Bin = {
    label: 'other',
    reference: sum(rest.map((bin) => bin.reference)) + (reference.counts[last] ?? 0),
    current: sum(rest.map((bin) => bin.current)) + (live.counts[last] ?? 0),
  };
  return [...all.filter((bin) => drawn.has(bin)), ...(other.reference + other.current > 0 ? [other] : [])];
};

/** The training rows and the live rows of one column, side by side. Missing values are a bin of their own where there are any. */
export const histogramOf = (reference: ReferenceDistribution, live: LiveDistribution): ColumnHistogram => {
  const bins = reference.type === 'numeric' ? numericBins(reference, live) : categoricalBins(reference, live);
  const missing: Bin = { label: 'missing', reference: reference.missing, current: live.missing };
  return { column: reference.column, type: reference.type, bins: missing.reference + missing.current > 0 ? [...bins, missing] : bins };
};

/** Histograms of the columns of a window. A column without live counts has none. */
export const histogramsOf = (references: readonly ReferenceDistribution[], lives: readonly LiveDistribution[]): ColumnHistogram[] => {
  const byColumn = new Map(lives.map((live) => [live.column, live]));
  return references.flatMap((reference) => {
    const live = byColumn.get(reference.column);
    return live === undefined ? [] : [histogramOf(reference, live)];
  });
};
