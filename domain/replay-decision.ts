/** Judging past models again under other gates, from the measurements that were recorded then: what would the answer have been? */
import type { EvaluationReport } from '../contracts/model.ts';
import type { GateSpec } from '../contracts/pipeline.ts';
import type { GateDecision } from '../contracts/run.ts';
import { gateName } from './gate-words.ts';
import { approvalGates, decideGates, refusals } from './gates.ts';

/** What a run measured, and what its gates said of it. */
export type RecordedDecision = { report: EvaluationReport; decided: readonly GateDecision[] };

export type ReplayedDecision = {
  then: { passed: boolean; gates: readonly GateDecision[] };
  now: { passed: boolean; gates: readonly GateDecision[] };
  /** True when the answer as a whole is another. */
  changed: boolean;
};

/** People's answers are taken over in their order; where nobody was asked then, nobody has approved. */
const takeApprovals = (decided: readonly GateDecision[], gates: readonly GateSpec[]): GateDecision[] => {
  const approvals = approvalGates(gates);
  const answers = decided.filter(({ gate }) => approvals.some((approval) => gateName(approval) === gate));
  return approvals.map((approval, index) => answers[index] ?? { gate: gateName(approval), passed: false, reason: 'nobody was asked then' });
};

const hold = (decisions: readonly GateDecision[]): boolean => refusals(decisions).length === 0;

/**
 * Decides with `gates` on what was recorded, as the gate step does: measured gates first, people only when all of these hold. A
 * comparison that was not made then (another metric, confidence or number of resamples) cannot be made up: its gate says no and why.
 */
export const replayDecision = ({ report, decided }: RecordedDecision, gates: readonly GateSpec[]): ReplayedDecision => {
  const measured = decideGates(report, gates);
  const all = hold(measured) ? [...measured, ...takeApprovals(decided, gates)] : measured;
  const [then, now] = [hold(decided), hold(all)];
  return { then: { passed: then, gates: decided }, now: { passed: now, gates: all }, changed: then !== now };
};
