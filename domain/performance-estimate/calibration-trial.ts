/**
 * Turning scores into probabilities, where that makes them better: fitted on the held-out rows, whose labels the model has never seen. Whether it is
 * better is tried as NannyML tries it: ten times on nine tenths of the rows, measured on the other tenth.
 */
import { rankRows } from '../classification-metrics.ts';
import { calibrate, fitIsotonic, type IsotonicCurve } from '../isotonic.ts';
import { seededRandom } from '../random.ts';
import type { LabelledRows } from '../window-quality.ts';
import { metricOf } from '../metrics.ts';
import { oneGroup } from '../weighted-metric.ts';

const TRIALS = 10;
const TRIAL_SHARE = 0.1;
const TRIAL_BINS = 10;
const TRIAL_SEED = 42;
/** With fewer rows a curve is fitted to chance. */
const FEWEST_ROWS = 200;
/** A model that separates the classes has nothing between them to calibrate. */
const PERFECT_AUC = 0.999;

/** Mean distance of scores from shares of positives over bins with the same number of rows each. */
const calibrationError = ({ scores, labels }: LabelledRows): number => {
  const order = rankRows(scores);
  const width = Math.floor(order.length / TRIAL_BINS);
  let error = 0;
  for (let bin = 0; bin < TRIAL_BINS; bin += 1) {
    const rows = order.subarray(bin * width, bin + 1 === TRIAL_BINS ? order.length : (bin + 1) * width);
    error += Math.abs(rows.reduce((sum, row) => sum + scores[row]! - labels[row]!, 0)) / order.length;
  }
  return error;
};

/** Draws a tenth of each class. */
const drawTrial = (classes: readonly Uint32Array[], random: () => number): Set<number> => {
  const drawn = new Set<number>();
  for (const rows of classes) {
    const count = Math.round(rows.length * TRIAL_SHARE);
    for (let place = 0; place < count; place += 1) {
      const other = place + Math.floor(random() * (rows.length - place));
      [rows[place], rows[other]] = [rows[other]!, rows[place]!];
      drawn.add(rows[place]!);
    }
  }
  return drawn;
};

const concatenate = (parts: readonly Float64Array[]): Float64Array => {
  const joined = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
};

/** Whether scores are nearer to the truth after a calibration on other rows. */
const isCalibrationBetter = ({ scores, labels }: LabelledRows, order: Uint32Array): boolean => {
  const random = seededRandom(TRIAL_SEED);
  const classes = [0, 1].map((label) => order.filter((row) => labels[row] === label));
  const tested: { rows: Uint32Array; raw: Float64Array; calibrated: Float64Array }[] = [];
  for (let trial = 0; trial < TRIALS; trial += 1) {
    const drawn = drawTrial(classes, random);
    const rows = Uint32Array.from(drawn);
    const raw = Float64Array.from(rows, (row) => scores[row]!);
    const curve = fitIsotonic(scores, labels, order.filter((row) => !drawn.has(row)));
    tested.push({ rows, raw, calibrated: calibrate(curve, raw) });
  }
  const truth = Uint8Array.from(tested.flatMap(({ rows }) => Array.from(rows, (row) => labels[row]!)));
  const [before, after] = [tested.map(({ raw }) => raw), tested.map(({ calibrated }) => calibrated)].map((parts) => calibrationError({ scores: concatenate(parts), labels: truth }));
  return before! > after!;
};

/** The curve of these rows; null where scores are better as they are, or nothing can be said. */
export const calibrationCurveOf = (rows: LabelledRows): IsotonicCurve | null => {
  const auc = metricOf('rocAuc', oneGroup(rows.scores, rows.labels));
  if (rows.scores.length < FEWEST_ROWS || auc === null || auc > PERFECT_AUC) return null;
  const order = rankRows(rows.scores);
  return isCalibrationBetter(rows, order) ? fitIsotonic(rows.scores, rows.labels, order) : null;
};
