/** Judges the quality of a window against the held-out rows on which its version was judged: by labels, or until they come by the estimate. */
import type { MonitorWindow } from '../contracts/monitor.ts';
import type { EstimatedMetric, EstimatedQuality, QualityMetric, QualityReference, QualitySpec, WindowQuality } from '../contracts/quality.ts';
import { calibrationOf } from './calibration.ts';
import { estimateQuality } from './performance-estimate/estimate.ts';
import type { LabelledWindow } from './ports/monitoring.ts';
import { dropOf, qualityMetricsOf, slicesOf } from './window-quality.ts';

/** `reference` is null for a version that was evaluated before there were any: then there is no estimate. `judged` is the value of the declared metric. */
export type JudgedVersion = { reference: QualityReference | null; judged: number | null };

export type QualityJudgement = Pick<MonitorWindow, 'labelled' | 'quality' | 'judgedQuality' | 'qualityDropped'> & Required<Pick<MonitorWindow, 'judgedBy' | 'estimatedQuality' | 'performance' | 'estimate'>>;

const performanceOf = (rows: number, labelled: LabelledWindow, spec: QualitySpec): WindowQuality => ({
  coverage: rows === 0 ? 0 : labelled.labels.length / rows,
  labels: labelled.times,
  positives: labelled.labels.reduce((sum, label) => sum + label, 0),
  metrics: qualityMetricsOf(labelled),
  calibration: calibrationOf(labelled),
  slices: slicesOf(labelled, labelled.slices, spec),
});

/** A drop that sampling alone could explain is none: the whole band must be worse than what was judged, and the estimate by more than is allowed. */
const isEstimatedDrop = (estimate: EstimatedQuality | null, judged: number, { metric, maximumDrop }: QualitySpec): boolean | null => {
  const estimated = estimate?.[metric as EstimatedMetric];
  if (estimated === null || estimated === undefined) return null;
  return estimated.high < judged && dropOf(metric, judged, estimated.value) > maximumDrop;
};

const isDrop = (now: number, judged: number, { metric, maximumDrop }: { metric: QualityMetric; maximumDrop: number }): boolean => dropOf(metric, judged, now) > maximumDrop;

/** Everything about the quality of a window. Labels go first, whatever the estimate says. */
export const judgeQuality = ({ reference, judged }: JudgedVersion, window: { rows: number; scores: Float64Array; labelled: LabelledWindow }, spec: QualitySpec): QualityJudgement => {
  const performance = performanceOf(window.rows, window.labelled, spec);
  const estimate = reference === null ? null : estimateQuality(reference, window.scores);
  const labelled = window.labelled.labels.length;
  const quality = labelled < spec.minimumLabels ? null : (performance.metrics[spec.metric] ?? null);
  const estimatedQuality = estimate?.[spec.metric as EstimatedMetric]?.value ?? null;
  const judgement = { labelled, quality, judgedQuality: judged, estimatedQuality, performance, estimate };
  if (judged === null) return { ...judgement, judgedBy: null, qualityDropped: false };
  if (quality !== null) return { ...judgement, judgedBy: 'labels', qualityDropped: isDrop(quality, judged, spec) };
  const estimated = spec.estimate ? isEstimatedDrop(estimate, judged, spec) : null;
  return { ...judgement, judgedBy: estimated === null ? null : 'estimate', qualityDropped: estimated ?? false };
};
