/**
 * Gates: the rules that must hold before a model is registered. They fail closed: a number that is missing, not a number, or
 * based on too little data is "no", and the reason says which number it was.
 */
import type { EvaluationReport } from '../contracts/model.ts';
import type { Gate, GateSpec } from '../contracts/gate.ts';
import type { GateDecision } from '../contracts/run.ts';
import { gateName, isNumber, no, outside, show, yes } from './gate-words.ts';
import { decideCalibration, decideFairness, decideLatency, decideMcnemar, decideSignature, decideSize, decideSlice } from './measured-gates.ts';
import { isInLabelUnits } from './metrics.ts';

/** A bootstrap over fewer groups has an interval that means nothing: with one group it is a single point. */
const LEAST_GROUPS = 5;

const decideThreshold = (report: EvaluationReport, gate: Gate<'threshold'>): GateDecision => {
  const name = gateName(gate);
  const value = report.candidate[gate.metric];
  if (!isNumber(value)) return no(name, `${gate.metric} was not measured`);
  if (gate.min === undefined && gate.max === undefined) return no(name, 'the gate names neither min nor max');
  const where = outside(value, gate);
  return where === null ? yes(name, `${gate.metric} is ${show(value)}`) : no(name, `${gate.metric} ${show(value)} is ${where}`);
};

const decideRows = (report: EvaluationReport, gate: Gate<'rows'>): GateDecision => {
  const passed = isNumber(report.rows) && report.rows >= gate.min;
  return { gate: gateName(gate), passed, reason: `${report.rows} held-out rows, ${gate.min} needed` };
};

/** In units of the metric; undefined when it is a share of an error that is not known. */
const smallestEffect = ({ metric, minimumEffect }: Gate<'champion'>, champion: number | null | undefined): number | undefined => {
  if (!isInLabelUnits(metric)) return minimumEffect;
  return isNumber(champion) ? minimumEffect * champion : undefined;
};

const decideChampion = (report: EvaluationReport, gate: Gate<'champion'>): GateDecision => {
  const name = gateName(gate);
  if (report.champion === null) return yes(name, 'there is no champion to compare with');
  const comparison = report.comparisons.find(
    ({ metric, confidence, resamples, cluster }) => metric === gate.metric && confidence === gate.confidence && resamples === gate.resamples && cluster === gate.cluster,
  );
  const against = `champion version ${report.champion.version}`;
  if (comparison === undefined) return no(name, `${gate.metric} was not compared with the ${against}`);
  const { difference, low, high, groups } = comparison;
  if (!isNumber(low) || !isNumber(high) || !isNumber(difference)) return no(name, `the difference to the ${against} could not be measured`);
  if (!(groups >= LEAST_GROUPS)) return no(name, `too few groups to compare with the ${against}: ${groups}, ${LEAST_GROUPS} needed`);
  const effect = smallestEffect(gate, report.champion.metrics[gate.metric]);
  if (effect === undefined) return no(name, `${gate.metric} of the ${against} was not measured`);
  const numbers =
    `difference ${show(difference)}, ${show(gate.confidence * 100)} % interval ${show(low)} to ${show(high)}, ` +
    `minimum effect ${show(effect)}, against the ${against}`;
  if (low > effect) return yes(name, `better: ${numbers}`);
  if (high < 0) return no(name, `worse: ${numbers}`);
  if (high <= effect) return no(name, `not better: ${numbers}`);
  return no(name, `inconclusive: ${numbers}`);
};

/** Decides one gate that needs no person. */
export const decideGate = (report: EvaluationReport, gate: Exclude<GateSpec, Gate<'approval'>>): GateDecision => {
  const { measured } = report;
  switch (gate.kind) {
    case 'threshold':
      return decideThreshold(report, gate);
    case 'champion':
      return gate.test === 'mcnemar' ? decideMcnemar(report, gate) : decideChampion(report, gate);
    case 'rows':
      return decideRows(report, gate);
    case 'slice':
      return decideSlice(measured, gate);
    case 'fairness':
      return decideFairness(measured, gate);
    case 'calibration':
      return decideCalibration(measured, gate);
    case 'latency':
      return decideLatency(measured, gate);
    case 'size':
      return decideSize(measured, gate);
    case 'signature':
      return decideSignature(report, gate);
  }
};

const isMeasured = (gate: GateSpec): gate is Exclude<GateSpec, Gate<'approval'>> => gate.kind !== 'approval';

/** Decides every gate but the approvals, in their order: people are asked only when all of these hold. */
export const decideGates = (report: EvaluationReport, gates: readonly GateSpec[]): GateDecision[] =>
  gates.filter(isMeasured).map((gate) => decideGate(report, gate));

/** The gates that wait for a person, in their order. */
export const approvalGates = (gates: readonly GateSpec[]): Gate<'approval'>[] =>
  gates.filter((gate): gate is Gate<'approval'> => gate.kind === 'approval');

export type Approval = { approved: boolean; by: string; comment: string };

/** Decides an approval gate; `null` when nobody decided in time, which is "no". */
export const decideApproval = (gate: Gate<'approval'>, approval: Approval | null): GateDecision => {
  if (approval === null) return no(gateName(gate), `nobody approved within ${gate.expiresSeconds} s`);
  const comment = approval.comment === '' ? '' : `: ${approval.comment}`;
  return { gate: gateName(gate), passed: approval.approved, reason: `${approval.approved ? 'approved' : 'rejected'} by ${approval.by}${comment}` };
};

/** Reasons of the gates that said no; empty when all hold. */
export const refusals = (decisions: readonly GateDecision[]): string[] =>
  decisions.filter((decision) => !decision.passed).map((decision) => `${decision.gate}: ${decision.reason}`);
