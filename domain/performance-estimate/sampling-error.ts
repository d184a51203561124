/**
 * How far a metric of a window may lie from its true value by the chance of which rows came: the standard deviation of what rows
 * contribute to it on the held-out rows, over the root of the contributing rows of the window (NannyML,
 * https://nannyml.readthedocs.io/en/stable/how_it_works/estimation_of_standard_error.html).
 */
import type { QualityReference, SamplingError } from '../../contracts/quality.ts';
import { decisionOf, rankRows } from '../classification-metrics.ts';
import type { LabelledRows } from '../window-quality.ts';

/** Population deviation of `ones` values of 1 among `all` values, the others 0. */
const binaryDeviation = (ones: number, all: number): number => Math.sqrt((ones / all) * (1 - ones / all));

/** The share of negatives below each positive (a tie counts half): ROC AUC is the mean of it. The rarer class takes the place of the positives. */
const rocAucError = ({ scores, labels }: LabelledRows, positives: number): SamplingError | null => {
  const isTurned = positives > labels.length / 2;
  const [rare, common] = isTurned ? [labels.length - positives, positives] : [positives, labels.length - positives];
  if (rare === 0) return null;
  const order = rankRows(scores);
  if (isTurned) order.reverse();
  const rareLabel = isTurned ? 0 : 1;
  let [below, sum, squares] = [0, 0, 0];
  for (let start = 0; start < order.length; ) {
    let [end, rareTied] = [start, 0];
    for (; end < order.length && scores[order[end]!] === scores[order[start]!]; end += 1) rareTied += labels[order[end]!] === rareLabel ? 1 : 0;
    const commonTied = end - start - rareTied;
    const share = (below + commonTied / 2) / common;
    sum += rareTied * share;
    squares += rareTied * share * share;
    below += commonTied;
    start = end;
  }
  const mean = sum / rare;
  return { deviation: Math.sqrt(Math.max(0, squares / rare - mean * mean)), share: rare / labels.length };
};

/** The parts of the standard errors; null for a metric to which no row contributes. */
export const samplingErrorsOf = (rows: LabelledRows): QualityReference['samplingErrors'] => {
  const count = rows.labels.length;
  const decisions = Uint8Array.from(rows.scores, decisionOf);
  let [hits, decided, positives, right] = [0, 0, 0, 0];
  for (const [row, decision] of decisions.entries()) {
    const label = rows.labels[row]!;
    hits += label * decision;
    decided += decision;
    positives += label;
    right += Number(label === decision);
  }
  const relevant = decided + positives - hits;
  const per = (ones: number, all: number, factor = 1): SamplingError | null => (all === 0 ? null : { deviation: factor * binaryDeviation(ones, all), share: all / count });
  return {
    rocAuc: rocAucError(rows, positives),
    accuracy: per(right, count),
    precision: per(hits, decided),
    recall: per(hits, positives),
    f1: per(hits, relevant, (2 * relevant) / (decided + positives)),
  };
};

/** Standard error of a metric over so many rows. */
export const standardErrorOf = ({ deviation, share }: SamplingError, rows: number): number => deviation / Math.sqrt(rows * share);
