/** What a monitor makes of a window: at most one report of each kind per window and version. */
import type { ConceptReport } from '../contracts/concept-drift.ts';
import type { ColumnDrift, MonitorSpec, MonitorWindow } from '../contracts/monitor.ts';
import type { EstimatedMetric } from '../contracts/quality.ts';
import type { QualityStanding } from '../contracts/trigger.ts';
import { severityOf } from './drift/methods.ts';
import { isInLabelUnits } from './metrics.ts';

/** A rise of errors that a detector of concept drift found, and a drop that is only estimated, are reports of quality with keys of their own. */
export type MonitorFinding = { kind: 'drift' | 'quality'; key: string; reason: string };

/** Reports kept per version to say each thing once; older ones are still refused by the ledger, by their id. */
const KEPT_REPORTS = 1_000;

const show = (value: number): string => String(Number(value.toPrecision(3)));

const keyOf = (window: number, kind: MonitorFinding['kind'] | 'estimate' | 'concept'): string => `${window}/${kind}`;

const driftOfColumn = ({ column, method, score, drifted, missing }: ColumnDrift): string =>
  drifted && score !== null ? `${column} (${method} ${show(score)})` : `${column} (missing ${show(missing.reference)} to ${show(missing.current)})`;

const driftReason = (window: MonitorWindow, spec: MonitorSpec): string => {
  const changed = window.columns.filter(({ drifted, missing }) => drifted || missing.drifted).sort((first, second) => severityOf(second) - severityOf(first));
  const columns = changed.length === 0 ? '' : `: ${changed.slice(0, 3).map(driftOfColumn).join(', ')}`;
  return `drift score ${show(window.driftScore)} (limit ${show(spec.drift.shareThreshold)}) in window ${window.window}${columns}`;
};

const shown = (value: number | null | undefined): string => (value === null || value === undefined ? 'unknown' : show(value));

const qualityReason = (window: MonitorWindow, spec: MonitorSpec): string => {
  const { metric = 'rocAuc' } = window;
  const most = isInLabelUnits(metric) ? `${show(spec.quality.maximumDrop * 100)} % more` : `a drop of at most ${show(spec.quality.maximumDrop)}`;
  const allowed = `judged with ${shown(window.judgedQuality)}, ${most} allowed`;
  if (window.judgedBy !== 'estimate') return `${metric} ${shown(window.quality)} in window ${window.window} (${window.labelled} labels), ${allowed}`;
  const estimated = window.estimate?.[metric as EstimatedMetric];
  return `${metric} is estimated at ${shown(estimated?.value)} (${shown(estimated?.low)} to ${shown(estimated?.high)}) in window ${window.window}, before its labels, ${allowed}`;
};

const conceptReason = (window: MonitorWindow, { detector, detections, mean }: ConceptReport): string => {
  const label = detections.find(({ direction }) => direction === 'rise')?.label;
  return `${detector} found the errors to rise at label ${label ?? 'unknown'} of version ${window.version}, in window ${window.window} (mean ${shown(mean)})`;
};

/** Findings of a changed window that have not been reported; the flags were computed where the rows are. */
export const findingsOf = (window: MonitorWindow, spec: MonitorSpec, reported: ReadonlySet<string>): MonitorFinding[] => {
  const findings: MonitorFinding[] = [];
  if (window.drifted) findings.push({ kind: 'drift', key: keyOf(window.window, 'drift'), reason: driftReason(window, spec) });
  const judgement = window.judgedBy === 'estimate' ? 'estimate' : 'quality';
  if (window.qualityDropped) findings.push({ kind: 'quality', key: keyOf(window.window, judgement), reason: qualityReason(window, spec) });
  if (window.concept?.detected === true) findings.push({ kind: 'quality', key: keyOf(window.window, 'concept'), reason: conceptReason(window, window.concept) });
  return findings.filter((finding) => !reported.has(finding.key));
};

/** The reports to remember, oldest first, bounded. */
export const rememberReports = (reported: string[], findings: MonitorFinding[]): string[] =>
  [...reported, ...findings.map((finding) => finding.key)].slice(-KEPT_REPORTS);

/** Id of the trigger for a finding: the same finding gives the same id, whoever reports it again. */
export const findingTriggerId = (model: string, version: number, finding: MonitorFinding): string => `monitor/${model}/${version}/${finding.key}`;

/** What the labels of a window say of the quality, or until they come the estimate where that may judge; for the trigger of a finding in it. */
export const qualityStandingOf = ({ quality, judgedQuality, qualityDropped, judgedBy }: MonitorWindow): QualityStanding => {
  if (qualityDropped) return 'dropped';
  if (judgedBy === 'estimate') return 'holds';
  return quality === null || judgedQuality === null ? 'unknown' : 'holds';
};
