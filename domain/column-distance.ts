/** How far apart the values of a column are in two profiles, from 0 (alike) to 1 (nothing in common). */
import type { ColumnProfile, NumberProfile } from '../contracts/dataset-profile.ts';

/** A cumulative distribution: shares of the values below `edges[i]`, and up to and with it. */
type Steps = { minimum: number; edges: number[]; below: number[]; upTo: number[] };

/** Frequent values by number, rising; times are shown as instants. */
const frequentValues = ({ kind, top }: ColumnProfile): { value: number; count: number }[] =>
  top.map(({ value, count }) => ({ value: kind === 'time' ? Date.parse(value) : Number(value), count })).sort((left, right) => left.value - right.value);

/** One bin as steps: its frequent values lie where they are, the others evenly between the edges. */
const addBin = (steps: Steps, bin: { start: number; edge: number; count: number; before: number; total: number }, frequent: readonly { value: number; count: number }[]): void => {
  const { start, edge, count, before, total } = bin;
  const others = Math.max(0, count - frequent.reduce((sum, { count: times }) => sum + times, 0));
  let passed = 0;
  const add = (at: number, times: number): void => {
    const evenly = edge === start ? 0 : others * ((at - start) / (edge - start));
    steps.edges.push(at);
    steps.below.push((before + passed + evenly) / total);
    passed += times;
    steps.upTo.push((before + (at === edge ? count : passed + evenly)) / total);
  };
  for (const { value, count: times } of frequent) add(value, times);
  if (frequent.at(-1)?.value !== edge) add(edge, 0);
};

const stepsOf = (profile: ColumnProfile, { minimum, histogram: { edges, counts } }: NumberProfile): Steps => {
  const frequent = frequentValues(profile);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const steps: Steps = { minimum, edges: [], below: [], upTo: [] };
  let before = 0;
  for (const [index, edge] of edges.entries()) {
    const [start, count] = [index === 0 ? minimum : edges[index - 1]!, counts[index] ?? 0];
    addBin(steps, { start, edge, count, before, total }, frequent.filter(({ value }) => value <= edge && (index === 0 || value > start)));
    before += count;
  }
  return steps;
};

/** Shares of the values below `at`, and up to and with it: exact at the edges, on a straight line between them. */
const sharesAt = ({ minimum, edges, below, upTo }: Steps, at: number): { below: number; upTo: number } => {
  const index = edges.findIndex((edge) => at <= edge);
  if (index === -1) return { below: 1, upTo: 1 };
  const [start, edge, first] = [index === 0 ? minimum : edges[index - 1]!, edges[index]!, index === 0 ? 0 : upTo[index - 1]!];
  if (at === edge) return { below: below[index]!, upTo: upTo[index]! };
  if (at < start) return { below: 0, upTo: 0 };
  const share = first + (below[index]! - first) * ((at - start) / (edge - start));
  return { below: share, upTo: share };
};

/**
 * Kolmogorov-Smirnov distance of two histograms: the largest difference of the cumulative distributions, looked for at the edges of both. Between edges the
 * values are taken to lie evenly, so the distance is right to about the share of one bin (2 %).
 */
const kolmogorovSmirnov = (from: Steps, to: Steps): number =>
  [from.minimum, ...from.edges, to.minimum, ...to.edges].reduce((most, at) => {
    const [left, right] = [sharesAt(from, at), sharesAt(to, at)];
    return Math.max(most, Math.abs(left.below - right.below), Math.abs(left.upTo - right.upTo));
  }, 0);

type Shares = { shares: Map<string, number>; others: number; least: number };

const sharesOf = ({ top, count }: ColumnProfile): Shares => {
  const shares = new Map(top.map(({ value, count: times }) => [value, times / count]));
  const others = Math.max(0, 1 - [...shares.values()].reduce((sum, share) => sum + share, 0));
  return { shares, others, least: others === 0 ? 0 : Math.min(others, ...shares.values()) };
};

/** The share of a value; one that is not among the most frequent has at most the least of theirs, and is given the benefit of the doubt. */
const shareOf = ({ shares, least }: Shares, value: string, other: number): number => shares.get(value) ?? Math.min(least, other);

/** Total variation of the most frequent values, and of all others together: half the sum of the differences of the shares. */
const totalVariation = (from: ColumnProfile, to: ColumnProfile): number => {
  const [left, right] = [sharesOf(from), sharesOf(to)];
  let [sum, leftRest, rightRest] = [0, 1, 1];
  for (const value of new Set([...left.shares.keys(), ...right.shares.keys()])) {
    const known = Math.max(left.shares.get(value) ?? 0, right.shares.get(value) ?? 0);
    const [one, other] = [shareOf(left, value, known), shareOf(right, value, known)];
    sum += Math.abs(one - other);
    leftRest -= one;
    rightRest -= other;
  }
  return Math.min(1, (sum + Math.abs(leftRest - rightRest)) / 2);
};

/** Undefined where there is nothing to compare: other kinds, or no values on one side. */
export const columnDistance = (from: ColumnProfile, to: ColumnProfile): { measure: 'kolmogorovSmirnov' | 'totalVariation'; distance: number } | undefined => {
  if (from.kind !== to.kind) return undefined;
  if (from.numbers !== null && to.numbers !== null) return { measure: 'kolmogorovSmirnov', distance: kolmogorovSmirnov(stepsOf(from, from.numbers), stepsOf(to, to.numbers)) };
  if (from.kind !== 'text' || from.count === 0 || to.count === 0) return undefined;
  return { measure: 'totalVariation', distance: totalVariation(from, to) };
};
