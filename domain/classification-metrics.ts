/**
 * Metrics of binary classification over rows that fall into groups (days), each group with a weight. `scores` are of the positive class, `labels` 0 or 1.
 *
 * Whatever is costly (ranking rows, a row's loss) is done once per model; a metric under new weights is then one pass,
 * which is what makes a bootstrap of a thousand resamples take less than a second. A metric is null, never NaN, where it
 * is not defined: no rows, or one class for ROC AUC. Definitions are those of scikit-learn.
 */
import type { ClassificationMetric } from '../contracts/metric.ts';
import { finite, meanOf, type ScoredRows, type WeightedMetric } from './weighted-metric.ts';

/** Probabilities are clipped to this distance from 0 and 1, so that a certain mistake has a finite loss. */
const CLIP = 1e-15;
const DECISION_THRESHOLD = 0.5;

/** Row numbers by rising score. */
export const rankRows = (scores: Float64Array): Uint32Array =>
  Uint32Array.from(scores, (_, row) => row).sort((a, b) => scores[a]! - scores[b]!);

type Ranked = { labels: Uint8Array; groups: Uint32Array; endsTie: Uint8Array };

const rank = ({ scores, labels, groups }: ScoredRows): Ranked => {
  const order = rankRows(scores);
  return {
    labels: Uint8Array.from(order, (row) => labels[row]!),
    groups: Uint32Array.from(order, (row) => groups[row]!),
    endsTie: Uint8Array.from(order, (row, position) => (position + 1 === order.length || scores[order[position + 1]!] !== scores[row] ? 1 : 0)),
  };
};

/** Share of (positive, negative) pairs that are in the right order; a tie counts half, which is the mid-rank. */
const rocAuc = (rows: ScoredRows): WeightedMetric => {
  const { labels, groups, endsTie } = rank(rows);
  return (weights) => {
    let [positives, negatives, tiedPositives, tiedNegatives, ordered] = [0, 0, 0, 0, 0];
    for (let position = 0; position < labels.length; position += 1) {
      const weight = weights[groups[position]!]!;
      // Without a branch: labels come in no order, and a processor guesses half of them wrong.
      const positive = labels[position]! * weight;
      tiedPositives += positive;
      tiedNegatives += weight - positive;
      if (endsTie[position] === 0) continue;
      ordered += tiedPositives * (negatives + tiedNegatives / 2);
      positives += tiedPositives;
      negatives += tiedNegatives;
      tiedPositives = 0;
      tiedNegatives = 0;
    }
    return finite(ordered / (positives * negatives));
  };
};

const logLossOf = (score: number, label: number): number => {
  const probability = Math.min(1 - CLIP, Math.max(CLIP, score));
  return -Math.log(label === 1 ? probability : 1 - probability);
};

/** A score of exactly the threshold counts as positive. */
export const decisionOf = (score: number): 0 | 1 => (score >= DECISION_THRESHOLD ? 1 : 0);

export type Confusion = { threshold: number; truePositives: number; falsePositives: number; trueNegatives: number; falseNegatives: number };

/** Decisions by what they were and what they should have been. */
export const confusionOf = ({ scores, labels }: Pick<ScoredRows, 'scores' | 'labels'>): Confusion => {
  const counts = [0, 0, 0, 0];
  for (let row = 0; row < scores.length; row += 1) counts[decisionOf(scores[row]!) * 2 + labels[row]!]! += 1;
  const [trueNegatives, falseNegatives, falsePositives, truePositives] = counts as [number, number, number, number];
  return { threshold: DECISION_THRESHOLD, truePositives, falsePositives, trueNegatives, falseNegatives };
};

/** Prepares each metric for many weightings. */
export const CLASSIFICATION_METRICS: Record<ClassificationMetric, (rows: ScoredRows) => WeightedMetric> = {
  rocAuc,
  logLoss: meanOf(logLossOf),
  brier: meanOf((score, label) => (score - label) ** 2),
  accuracy: meanOf((score, label) => (decisionOf(score) === label ? 1 : 0)),
};
