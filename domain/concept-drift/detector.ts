/**
 * Reads the errors of a model with a detector of concept drift, window by window. The state is plain data of a few hundred numbers at most:
 * it lies in the row of the window in PostgreSQL, not in the workflow, because the errors are read where the rows are, and a state that
 * rode through the history would be there twice per look. A chain of rows also makes each window count once: the state
 * after a window is written with it, and never again.
 */
import type { ConceptDetection, ConceptReport, ConceptSpec } from '../../contracts/concept-drift.ts';
import { decisionOf } from '../classification-metrics.ts';
import { newAdwin, updateAdwin, type AdwinState } from './adwin.ts';
import type { Change } from './change.ts';
import { newDdm, updateDdm, type DdmState } from './ddm.ts';
import { newPageHinkley, updatePageHinkley, type PageHinkleyState } from './page-hinkley.ts';

type DetectorState = { adwin: AdwinState } | { ddm: DdmState } | { pageHinkley: PageHinkleyState };

/** A detector between two windows. `labels` is how many it has read; another spec begins anew. */
export type ConceptState = { spec: ConceptSpec; labels: number; detector: DetectorState };

const MOST_DETECTIONS = 10;

const newDetector = ({ detector }: ConceptSpec): DetectorState => {
  if (detector === 'adwin') return { adwin: newAdwin() };
  return detector === 'ddm' ? { ddm: newDdm() } : { pageHinkley: newPageHinkley() };
};

const update = (spec: ConceptSpec, state: DetectorState, value: number): Change => {
  if (spec.detector === 'adwin' && 'adwin' in state) return updateAdwin(state.adwin, value, spec);
  if (spec.detector === 'ddm' && 'ddm' in state) return updateDdm(state.ddm, value, spec);
  if (spec.detector === 'pageHinkley' && 'pageHinkley' in state) return updatePageHinkley(state.pageHinkley, value, spec);
  throw new RangeError(`the state is not one of the detector "${spec.detector}"`);
};

/** What is read of one row: see ConceptSpec. */
const signalOf = (spec: ConceptSpec, score: number, label: number): number =>
  spec.detector !== 'ddm' && spec.signal === 'squaredError' ? (score - label) ** 2 : Number(decisionOf(score) !== label);

/**
 * How long a window waits for its labels is no matter of the detector: changing it must not forget what was read. Keys are sorted, because
 * PostgreSQL gives them back in an order of its own.
 */
const detectorText = (spec: ConceptSpec): string => JSON.stringify(Object.entries({ ...spec, minimumCoverage: 0, patienceSeconds: 0 }).sort(([first], [second]) => (first < second ? -1 : 1)));

const begin = (spec: ConceptSpec, before: ConceptState | undefined): ConceptState => {
  if (before === undefined || detectorText(before.spec) !== detectorText(spec)) return { spec, labels: 0, detector: newDetector(spec) };
  return { ...structuredClone(before), spec };
};

/** Whether a window is read now: see ConceptSpec. Times in milliseconds since the epoch. */
export const isReadable = (spec: ConceptSpec, window: { rows: number; labelled: number; closedAtMs: number }, nowMs: number): boolean =>
  window.labelled >= spec.minimumCoverage * window.rows || nowMs - window.closedAtMs >= spec.patienceSeconds * 1_000;

/**
 * Reads the labelled rows of the next window, in their order. After a change the detector begins anew.
 *
 * @param before the state after the window before, which is not changed; undefined for the first
 */
export const readWindow = (spec: ConceptSpec, before: ConceptState | undefined, rows: { scores: Float64Array; labels: ArrayLike<number> }): { report: ConceptReport; state: ConceptState } => {
  const state = begin(spec, before);
  const detections: ConceptDetection[] = [];
  let [sum, warning, detected] = [0, false, false];
  for (let row = 0; row < rows.scores.length; row += 1) {
    const value = signalOf(spec, rows.scores[row]!, rows.labels[row]!);
    const change = update(spec, state.detector, value);
    sum += value;
    state.labels += 1;
    warning = change === 'warning';
    detected ||= change === 'rise';
    if (change !== 'rise' && change !== 'fall') continue;
    if (detections.length < MOST_DETECTIONS) detections.push({ label: state.labels, direction: change });
    state.detector = newDetector(spec);
  }
  const labels = rows.scores.length;
  return { state, report: { detector: spec.detector, labels, mean: labels === 0 ? null : sum / labels, detected, warning, detections } };
};
