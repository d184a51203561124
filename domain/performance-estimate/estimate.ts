/**
 * CBPE, confidence-based performance estimation, as NannyML describes it (https://nannyml.readthedocs.io/en/stable/how_it_works/performance_estimation.html):
 * where a score is the probability of the positive class, it says how many of the decisions will turn out right, before any label comes. It
 * sees what another mix of rows does to the quality; it cannot see a concept drift, in which the probabilities themselves are wrong.
 */
import type { Task } from '../../contracts/features.ts';
import type { EstimatedMetric, EstimatedQuality, EstimatedValue, QualityReference } from '../../contracts/quality.ts';
import { decisionOf, rankRows } from '../classification-metrics.ts';
import { calibrate } from '../isotonic.ts';
import { qualityMetricsOf, type LabelledRows } from '../window-quality.ts';
import { calibrationCurveOf } from './calibration-trial.ts';
import { samplingErrorsOf, standardErrorOf } from './sampling-error.ts';

/** The band is this many standard errors wide on either side, as in NannyML. */
const BAND_ERRORS = 3;

/** What estimates and comparisons of a deployed version rest on, from the held-out rows on which it was judged. */
export const qualityReferenceOf = (task: Task, rows: LabelledRows): QualityReference => {
  const metrics = qualityMetricsOf(task, rows);
  if (task === 'binaryClassification') return { task, metrics, curve: calibrationCurveOf(rows), samplingErrors: samplingErrorsOf(rows) };
  return { task, metrics, curve: null, samplingErrors: { rocAuc: null, accuracy: null, precision: null, recall: null, f1: null } };
};

/** Expected ROC AUC of rows whose labels are not known: like that of known ones, with parts of a positive. */
const expectedRocAuc = (scores: Float64Array, probabilities: Float64Array): number => {
  let [positives, negatives, ordered] = [0, 0, 0];
  const order = rankRows(scores);
  for (let start = 0; start < order.length; ) {
    let [end, tied] = [start, 0];
    for (; end < order.length && scores[order[end]!] === scores[order[start]!]; end += 1) tied += probabilities[order[end]!]!;
    const tiedNegatives = end - start - tied;
    ordered += tied * (negatives + tiedNegatives / 2);
    positives += tied;
    negatives += tiedNegatives;
    start = end;
  }
  return ordered / (positives * negatives);
};

const expectedMetrics = (scores: Float64Array, probabilities: Float64Array): Record<EstimatedMetric, number> => {
  let [truePositives, falsePositives, falseNegatives, trueNegatives] = [0, 0, 0, 0];
  scores.forEach((score, row) => {
    const probability = probabilities[row]!;
    if (decisionOf(score) === 1) {
      truePositives += probability;
      falsePositives += 1 - probability;
    } else {
      falseNegatives += probability;
      trueNegatives += 1 - probability;
    }
  });
  return {
    rocAuc: expectedRocAuc(scores, probabilities),
    accuracy: (truePositives + trueNegatives) / scores.length,
    precision: truePositives / (truePositives + falsePositives),
    recall: truePositives / (truePositives + falseNegatives),
    f1: truePositives / (truePositives + (falsePositives + falseNegatives) / 2),
  };
};

/**
 * Estimates the quality of rows from their scores alone.
 * @returns null when there are no rows, a score is no finite number, or scores are no probabilities
 */
export const estimateQuality = ({ task, curve, samplingErrors }: QualityReference, scores: Float64Array): EstimatedQuality | null => {
  if (task === 'regression' || scores.length === 0 || !scores.every((score) => Number.isFinite(score))) return null;
  const expected = expectedMetrics(scores, curve === null ? scores : calibrate(curve, scores));
  const bandOf = (metric: EstimatedMetric): EstimatedValue | null => {
    const value = expected[metric];
    const samplingError = samplingErrors[metric];
    if (!Number.isFinite(value) || samplingError === null) return null;
    const width = BAND_ERRORS * standardErrorOf(samplingError, scores.length);
    return { value, low: Math.max(0, value - width), high: Math.min(1, value + width) };
  };
  return { rocAuc: bandOf('rocAuc'), accuracy: bandOf('accuracy'), precision: bandOf('precision'), recall: bandOf('recall'), f1: bandOf('f1') };
};
