/** Calibration: how well scores are probabilities, as a reliability curve and as one number. */
import type { CalibrationBin } from '../contracts/quality.ts';

const BINS = 10;

/**
 * The reliability curve: rows in ten bins of equal width by score, the last one with 1 in it, each with the mean score and the share of positives.
 * Calibrated scores lie on the diagonal.
 */
export const calibrationOf = ({ scores, labels }: { scores: Float64Array; labels: ArrayLike<number> }): CalibrationBin[] => {
  const sums = Array.from({ length: BINS }, () => ({ rows: 0, score: 0, positives: 0 }));
  for (let row = 0; row < scores.length; row += 1) {
    const bin = sums[Math.min(BINS - 1, Math.max(0, Math.floor(scores[row]! * BINS)))]!;
    bin.rows += 1;
    bin.score += scores[row]!;
    bin.positives += labels[row]!;
  }
  return sums.map(({ rows, score, positives }, index) => ({
    from: index / BINS,
    to: (index + 1) / BINS,
    rows,
    meanScore: rows === 0 ? null : score / rows,
    positiveShare: rows === 0 ? null : positives / rows,
  }));
};

/**
 * Expected calibration error: the mean distance of the curve from the diagonal, each bin weighted by its rows (M. P. Naeini, G. F. Cooper,
 * M. Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015). Null without rows.
 */
export const expectedCalibrationError = (bins: readonly CalibrationBin[]): number | null => {
  const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
  if (rows === 0) return null;
  return bins.reduce((sum, bin) => sum + (bin.rows / rows) * Math.abs((bin.meanScore ?? 0) - (bin.positiveShare ?? 0)), 0);
};
