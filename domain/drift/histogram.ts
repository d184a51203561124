/** Bars of both sides of a column, coarse enough to show and to keep with every window. */
import type { DriftHistogram } from '../../contracts/monitor.ts';
import type { NamedPair } from './categorical-pair.ts';
import type { BinnedSample, NumericPair } from './numeric-pair.ts';

const BARS = 20;

/** Edges at equal distances between the outer values of both sides, moved to edges of bins, which cannot be cut. */
const barEdges = ({ edges, reference, current }: NumericPair): number[] => {
  const [first, last] = [Math.min(reference.minimum, current.minimum), Math.max(reference.maximum, current.maximum)];
  const step = last / BARS - first / BARS;
  const chosen = new Set<number>();
  let bin = 0;
  for (let bar = 1; bar < BARS; bar += 1) {
    while (bin < edges.length - 1 && edges[bin]! < first + bar * step) bin += 1;
    if (edges[bin]! > first && edges[bin]! < last) chosen.add(edges[bin]!);
  }
  return [first, ...chosen, last];
};

const barCounts = (bars: number[], edges: ArrayLike<number>, sample: BinnedSample): number[] => {
  const counts = new Array<number>(bars.length - 1).fill(0);
  let bar = 0;
  for (let bin = 0; bin <= edges.length; bin += 1) {
    while (bar < counts.length - 1 && (bin === edges.length || edges[bin]! > bars[bar + 1]!)) bar += 1;
    counts[bar]! += sample.counts[bin]!;
  }
  return counts;
};

export const numericHistogram = (pair: NumericPair): DriftHistogram => {
  const bars = barEdges(pair);
  return { edges: bars, categories: null, reference: barCounts(bars, pair.edges, pair.reference), current: barCounts(bars, pair.edges, pair.current) };
};

/** The categories with most rows on either side; the last bar is the others. */
export const categoricalHistogram = ({ names, reference, current }: NamedPair): DriftHistogram => {
  const weight = (index: number): number => Math.max(reference[index]! , current[index]!);
  const order = names.map((_name, index) => index).filter((index) => names[index] !== null).sort((left, right) => weight(right) - weight(left));
  const shown = order.slice(0, BARS - 1);
  const rest = names.map((_name, index) => index).filter((index) => !shown.includes(index));
  const pick = (counts: number[]): number[] => [...shown.map((index) => counts[index]!), ...(rest.length > 0 ? [rest.reduce((total, index) => total + counts[index]!, 0)] : [])];
  return { edges: null, categories: [...shown.map((index) => names[index]!), ...(rest.length > 0 ? [null] : [])], reference: pick(reference), current: pick(current) };
};
