/**
 * Which trials are stopped early, by values that they report at rungs: fixed shares of their training.
 *
 * `median` (Golovin et al. 2017; Optuna's MedianPruner): a trial whose best value so far is worse than the median of the finished trials at the same rung.
 * `asha` (Li et al.: A System for Massively Parallel Hyperparameter Tuning, 2020), in the form without resumption: a trial goes on past a rung
 * only as one of the best quarter of those that came to it.
 */
import type { FinishedTrial, SearchSpec, TrialReport } from '../../contracts/search.ts';

type Pruner = SearchSpec['pruner'];

const REDUCTION = 4;
/** Finished trials before which the median stops nobody. */
const STARTUP_TRIALS = 5;

const RUNGS: Record<Pruner, number[]> = {
  none: [],
  median: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
  asha: [REDUCTION ** -3, REDUCTION ** -2, REDUCTION ** -1],
};

/** Shares of a training at which a trial reports, in rising order. */
export const rungsOf = (pruner: Pruner): number[] => RUNGS[pruner];

const medianOf = (values: readonly number[]): number => {
  const sorted = [...values].sort((first, second) => first - second);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

type Known = { reports: readonly TrialReport[]; finished: readonly FinishedTrial[]; lossOf: (value: number) => number };

const byMedian = ({ number, rung }: TrialReport, { reports, finished, lossOf }: Known): boolean => {
  const complete = new Set(finished.filter(({ state }) => state === 'succeeded').map((trial) => trial.number));
  if (complete.size < STARTUP_TRIALS) return false;
  const others = reports.filter((report) => report.rung === rung && complete.has(report.number)).map(({ value }) => lossOf(value));
  if (others.length === 0) return false;
  const own = reports.filter((report) => report.number === number && report.rung <= rung).map(({ value }) => lossOf(value));
  return Math.min(...own) > medianOf(others);
};

const byRung = ({ rung, value }: TrialReport, { reports, lossOf }: Known): boolean => {
  const losses = reports.filter((report) => report.rung === rung).map((report) => lossOf(report.value)).sort((first, second) => first - second);
  const last = Math.max(0, Math.floor(losses.length / REDUCTION) - 1);
  return !(lossOf(value) <= losses[last]!);
};

/** Whether a trial is stopped at the rung that it has just reported; `known.reports` holds that report too. */
export const isPruned = (pruner: Pruner, report: TrialReport, known: Known): boolean => {
  if (pruner === 'none') return false;
  // What is no number can become nothing good.
  if (!Number.isFinite(report.value)) return true;
  return pruner === 'median' ? byMedian(report, known) : byRung(report, known);
};
