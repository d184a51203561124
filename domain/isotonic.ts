/**
 * Isotonic regression of labels on scores by pooling adjacent violators (R. E. Barlow et al., "Statistical Inference under Order Restrictions",
 * 1972), as scikit-learn's IsotonicRegression(out_of_bounds="clip"): between the kept points it interpolates, outside of them it clips.
 */
import { rankRows } from './classification-metrics.ts';

/** Points of a rising step curve with straight lines between: `scores` strictly rising, `probabilities` never falling. */
export type IsotonicCurve = { scores: number[]; probabilities: number[] };

type Block = { from: number; to: number; positives: number; rows: number };

const meanOf = ({ positives, rows }: Block): number => positives / rows;

/** One block per distinct score, then neighbours are joined for as long as one is not above the one before. */
const pool = (scores: Float64Array, labels: ArrayLike<number>, order: Iterable<number>): Block[] => {
  const blocks: Block[] = [];
  let last: Block | undefined;
  const joinBack = (): void => {
    while (blocks.length > 1 && meanOf(blocks.at(-2)!) >= meanOf(blocks.at(-1)!)) {
      const upper = blocks.pop()!;
      const lower = blocks.at(-1)!;
      lower.to = upper.to;
      lower.positives += upper.positives;
      lower.rows += upper.rows;
    }
  };
  for (const row of order) {
    const score = scores[row]!;
    if (last !== undefined && last.to === score) {
      last.positives += labels[row]!;
      last.rows += 1;
      continue;
    }
    if (last !== undefined) {
      blocks.push(last);
      joinBack();
    }
    last = { from: score, to: score, positives: labels[row]!, rows: 1 };
  }
  if (last !== undefined) blocks.push(last);
  joinBack();
  return blocks;
};

/**
 * Fits the curve; only the first and the last score of each step are kept. No rows give an empty curve.
 *
 * @param order row numbers by rising score; some of the rows give the curve of those alone
 */
export const fitIsotonic = (scores: Float64Array, labels: ArrayLike<number>, order: Iterable<number> = rankRows(scores)): IsotonicCurve => {
  const curve: IsotonicCurve = { scores: [], probabilities: [] };
  for (const block of pool(scores, labels, order)) {
    curve.scores.push(block.from);
    curve.probabilities.push(meanOf(block));
    if (block.to === block.from) continue;
    curve.scores.push(block.to);
    curve.probabilities.push(meanOf(block));
  }
  return curve;
};

/** The probability of a score on a curve that is not empty. */
const valueAt = ({ scores, probabilities }: IsotonicCurve, score: number): number => {
  let [low, high] = [0, scores.length - 1];
  if (score <= scores[low]!) return probabilities[low]!;
  if (score >= scores[high]!) return probabilities[high]!;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (scores[middle]! <= score) low = middle;
    else high = middle;
  }
  const [left, right] = [scores[low]!, scores[high]!];
  const [from, to] = [probabilities[low]!, probabilities[high]!];
  return from + ((score - left) / (right - left)) * (to - from);
};

/** Turns scores into probabilities. An empty curve changes nothing. */
export const calibrate = (curve: IsotonicCurve, scores: Float64Array): Float64Array => (curve.scores.length === 0 ? scores : scores.map((score) => valueAt(curve, score)));
