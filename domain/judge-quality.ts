/** Judges the quality of a window against the held-out rows on which its version was judged: by labels, or until they come by the estimate. */
import type { Task } from '../contracts/features.ts';
import type { MonitorWindow } from '../contracts/monitor.ts';
import type { EstimatedMetric, EstimatedQuality, QualityMetric, QualityReference, QualitySpec, WindowQuality } from '../contracts/quality.ts';
import { calibrationOf } from './calibration.ts';
import { estimateQuality } from './performance-estimate/estimate.ts';
import type { LabelledWindow } from './ports/monitoring.ts';
import { dropOf, qualityMetricsOf, slicesOf, watchedMetricOf } from './window-quality.ts';

/** `reference` is null for a version that was evaluated before there were any: then there is no estimate. `judged` is the value of the watched metric. */
export type JudgedVersion = { task: Task; reference: QualityReference | null; judged: number | null };

export type QualityJudgement = Pick<MonitorWindow, 'labelled' | 'quality' | 'judgedQuality' | 'qualityDropped'> & Required<Pick<MonitorWindow, 'metric' | 'judgedBy' | 'estimatedQuality' | 'performance' | 'estimate'>>;

const positivesOf = (labels: ArrayLike<number>): number => {
  let positives = 0;
  for (let row = 0; row < labels.length; row += 1) positives += labels[row]!;
  return positives;
};

const performanceOf = (task: Task, rows: number, labelled: LabelledWindow, spec: QualitySpec): WindowQuality => ({
  coverage: rows === 0 ? 0 : labelled.labels.length / rows,
  labels: labelled.times,
  positives: task === 'regression' ? null : positivesOf(labelled.labels),
  metrics: qualityMetricsOf(task, labelled),
  calibration: task === 'regression' ? [] : calibrationOf(labelled),
  slices: slicesOf(task, labelled, labelled.slices, spec),
});

type Watched = { metric: QualityMetric; maximumDrop: number };

/** A drop that sampling alone could explain is none: the whole band must be worse than what was judged, and the estimate by more than is allowed. */
const isEstimatedDrop = (estimate: EstimatedQuality | null, judged: number, { metric, maximumDrop }: Watched): boolean | null => {
  const estimated = estimate?.[metric as EstimatedMetric];
  if (estimated === null || estimated === undefined) return null;
  return estimated.high < judged && dropOf(metric, judged, estimated.value) > maximumDrop;
};

const isDrop = (now: number, judged: number, { metric, maximumDrop }: Watched): boolean => dropOf(metric, judged, now) > maximumDrop;

/** Everything about the quality of a window. Labels go first, whatever the estimate says. */
export const judgeQuality = ({ task, reference, judged }: JudgedVersion, window: { rows: number; scores: Float64Array; labelled: LabelledWindow }, spec: QualitySpec): QualityJudgement => {
  const watched = { metric: watchedMetricOf(spec, task), maximumDrop: spec.maximumDrop };
  const performance = performanceOf(task, window.rows, window.labelled, spec);
  const estimate = reference === null ? null : estimateQuality(reference, window.scores);
  const labelled = window.labelled.labels.length;
  const quality = labelled < spec.minimumLabels ? null : (performance.metrics[watched.metric] ?? null);
  const estimatedQuality = estimate?.[watched.metric as EstimatedMetric]?.value ?? null;
  const judgement = { metric: watched.metric, labelled, quality, judgedQuality: judged, estimatedQuality, performance, estimate };
  if (judged === null) return { ...judgement, judgedBy: null, qualityDropped: false };
  if (quality !== null) return { ...judgement, judgedBy: 'labels', qualityDropped: isDrop(quality, judged, watched) };
  const estimated = spec.estimate ? isEstimatedDrop(estimate, judged, watched) : null;
  return { ...judgement, judgedBy: estimated === null ? null : 'estimate', qualityDropped: estimated ?? false };
};
