/**
 * Which conditions the end of a run, the end of a rollout and the newest windows of a monitor make true or clear. Each becomes an occurrence for the
 * incident of its key (domain/incident.ts). Occurrence ids depend on what was seen alone, so that seeing it again is the same occurrence.
 */
import type { AlertKey, AlertKind, AlertOccurrence, AlertsSpec } from '../contracts/alert.ts';
import type { MonitorSpec, MonitorWindow } from '../contracts/monitor.ts';
import type { RolloutOutcome } from '../contracts/rollout.ts';
import type { FailureRecord, RunOutcome, RunState } from '../contracts/run.ts';
import type { ChampionStanding } from '../contracts/trigger.ts';
import { findingsOf } from './monitor.ts';

export type AlertCondition = Pick<AlertKey, 'kind' | 'subject'> & { occurrence: AlertOccurrence };

/** Subject of what a monitor sees: it watches the champion. */
const CHAMPION_SUBJECT = 'champion';
const ROLLOUT_SUBJECT = 'rollout';

/** A reason goes into histories, rows and messages: longer ones are cut. */
const LONGEST_REASON = 500;

type Report = { kind: AlertKind; subject: string; id: string; firing: boolean; reason: string };

const conditionOf = ({ kind, subject, id, firing, reason }: Report, at: string): AlertCondition => ({
  kind,
  subject,
  occurrence: { id, firing, reason: reason.slice(0, LONGEST_REASON), at },
});

/** Only what the policy names opens an incident; one that was opened under another policy is still cleared. */
export const wantedConditions = (conditions: AlertCondition[], policy: AlertsSpec): AlertCondition[] =>
  conditions.filter(({ kind, occurrence }) => !occurrence.firing || policy.on.includes(kind));

const runReports = (end: RunEnd): Omit<Report, 'subject'>[] => {
  const { runId, state, outcome, failure } = end;
  // What became of a repeated training says nothing of the next model.
  if (outcome !== undefined && 'reproduction' in outcome) return [];
  const named = { id: runId, reason: `run ${runId} ${state}` };
  if (state === 'failed' || state === 'terminated') {
    const why = failure === undefined ? '' : `: ${failure.code}: ${failure.message}`;
    return [{ ...named, kind: 'runFailed', firing: true, reason: `${named.reason}${why}` }];
  }
  if (state !== 'succeeded' && state !== 'rejected' && state !== 'rolledBack') return [];
  const succeeded: Omit<Report, 'subject'> = { ...named, kind: 'runFailed', firing: false };
  if (state === 'rejected' && outcome?.kind === 'rejected') {
    return [succeeded, { ...named, kind: 'runRejected', firing: true, reason: `${named.reason}: ${outcome.reasons.join('; ')}` }];
  }
  return state === 'succeeded' ? [succeeded, { ...named, kind: 'runRejected', firing: false }] : [succeeded];
};

export type RunEnd = { pipeline: string; runId: string; state: RunState; outcome?: RunOutcome; failure?: FailureRecord };

/** What the end of a run says. */
export const runConditions = (end: RunEnd, at: string): AlertCondition[] => runReports(end).map((report) => conditionOf({ ...report, subject: end.pipeline }, at));

/** What a retrain says of the champion; one that failed says nothing. */
export const championConditions = (pipeline: string, { runId, verdict, unbeaten, isDue }: ChampionStanding, at: string): AlertCondition[] => {
  if (verdict === 'undecided' || (verdict === 'unbeaten' && !isDue)) return [];
  const firing = verdict === 'unbeaten';
  const reason = firing ? `${unbeaten} retrains in a row did not beat the champion` : `run ${runId} made a new champion`;
  return [conditionOf({ kind: 'championNotBeaten', subject: pipeline, id: runId, firing, reason }, at)];
};

/** What the end of a rollout says; one that a person aborted, or that changed nothing, says nothing. */
export const rolloutConditions = (rolloutId: string, outcome: RolloutOutcome, at: string): AlertCondition[] => {
  if (outcome.kind === 'aborted' || outcome.kind === 'observed') return [];
  const firing = outcome.kind === 'rolledBack';
  const reason = firing ? `the rollout of version ${outcome.version} was rolled back: ${outcome.reason}` : `version ${outcome.version} was promoted`;
  return [conditionOf({ kind: 'rolledBack', subject: ROLLOUT_SUBJECT, id: rolloutId, firing, reason }, at)];
};

/**
 * What is known of a version's windows: the newest, the newest with enough labels, the newest that an estimate has judged since, and how many came after the
 * newest with enough labels.
 */
export type NewestWindows = { newest: MonitorWindow | null; labelled: MonitorWindow | null; estimated: MonitorWindow | null; withoutLabels: number };

const reasonsIn = (windows: MonitorWindow[], kind: 'drift' | 'quality', spec: MonitorSpec): string[] =>
  windows.flatMap((window) => findingsOf(window, spec, new Set()).filter((finding) => finding.kind === kind).map(({ reason }) => reason));

const driftReport = (newest: MonitorWindow, spec: MonitorSpec): Report => {
  const reasons = reasonsIn([newest], 'drift', spec);
  const id = `${newest.version}/${newest.window}`;
  return { kind: 'drift', subject: CHAMPION_SUBJECT, id, firing: reasons.length > 0, reason: reasons[0] ?? `window ${newest.window} of version ${newest.version} has not drifted` };
};

/** Labels of an older window and the estimate of a newer one both count: an estimate does not see what only labels can show. More labels may turn a verdict. */
const qualityReport = (judged: MonitorWindow[], spec: MonitorSpec): Report => {
  const reasons = reasonsIn(judged, 'quality', spec);
  const id = judged.map(({ version, window, labelled }) => `${version}/${window}/${labelled}`).join('+');
  return { kind: 'quality', subject: CHAMPION_SUBJECT, id, firing: reasons.length > 0, reason: reasons.length > 0 ? reasons.join('; ') : 'the quality holds' };
};

const labelsReport = ({ newest, withoutLabels }: { newest: MonitorWindow; withoutLabels: number }, minimumLabels: number, limit: number): Report => {
  const firing = withoutLabels >= limit;
  const windows = `the last ${withoutLabels} windows of version ${newest.version} have fewer than ${minimumLabels} labels each`;
  return { kind: 'labelsMissing', subject: CHAMPION_SUBJECT, id: `${newest.version}/${newest.window}/${withoutLabels}`, firing, reason: firing ? windows : 'labels have come' };
};

/** What the newest windows of the champion say. */
export const windowConditions = ({ newest, labelled, estimated, withoutLabels }: NewestWindows, spec: MonitorSpec, { policy, at }: { policy: AlertsSpec; at: string }): AlertCondition[] => {
  if (newest === null) return [];
  const judged = [labelled, estimated].filter((window) => window !== null);
  const reports = [
    driftReport(newest, spec),
    ...(judged.length === 0 ? [] : [qualityReport(judged, spec)]),
    labelsReport({ newest, withoutLabels }, spec.quality.minimumLabels, policy.labelsMissingWindows),
  ];
  return reports.map((report) => conditionOf(report, at));
};
