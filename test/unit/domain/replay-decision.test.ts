import { describe, expect, it } from 'vitest';
import type { EvaluationReport } from '../../../contracts/model.ts';
import { GateSpec } from '../../../contracts/pipeline.ts';
import { decideGates } from '../../../domain/gates.ts';
import { replayDecision } from '../../../domain/replay-decision.ts';
import { evaluationReport } from '../../workflows/support/artifacts.ts';

const gates = (...specs: unknown[]): GateSpec[] => specs.map((spec) => GateSpec.parse(spec));
const threshold = (min: number) => ({ kind: 'threshold', metric: 'rocAuc', min });

const report: EvaluationReport = { ...evaluationReport, candidate: { rocAuc: 0.75 } } as EvaluationReport;
const recorded = (specs: GateSpec[], answers: { passed: boolean }[] = []) => ({
  report,
  decided: [...decideGates(report, specs), ...answers.map(({ passed }) => ({ gate: 'approval', passed, reason: `${passed ? 'approved' : 'rejected'} by ann` }))],
});

describe('a past decision', () => {
  it('is the same under the same gates', () => {
    for (const min of [0.7, 0.8]) {
      const { then, now, changed } = replayDecision(recorded(gates(threshold(min))), gates(threshold(min)));
      expect([now, changed]).toEqual([then, false]);
    }
  });

  it('changes with the threshold, and says the number', () => {
    expect(replayDecision(recorded(gates(threshold(0.7))), gates(threshold(0.8)))).toMatchObject({
      then: { passed: true },
      now: { passed: false, gates: [{ gate: 'threshold rocAuc', passed: false, reason: 'rocAuc 0.75 is below 0.8' }] },
      changed: true,
    });
  });

  it('keeps what people said, and asks nobody anew', () => {
    const approval = { kind: 'approval', expiresSeconds: 60 };
    expect(replayDecision(recorded(gates(threshold(0.7)), [{ passed: true }]), gates(threshold(0.6), approval))).toMatchObject({ now: { passed: true }, changed: false });
    expect(replayDecision(recorded(gates(threshold(0.7)), [{ passed: false }]), gates(threshold(0.6), approval))).toMatchObject({ now: { passed: false }, changed: false });
    expect(replayDecision(recorded(gates(threshold(0.7))), gates(approval)).now).toEqual({ passed: false, gates: [{ gate: 'approval', passed: false, reason: 'nobody was asked then' }] });
  });

  it('cannot be made on a comparison that was not made', () => {
    const compared = { ...recorded(gates(threshold(0.7))), report: { ...report, champion: { version: 1, metrics: {} }, comparisons: [] } as unknown as EvaluationReport };
    expect(replayDecision(compared, gates({ kind: 'champion', metric: 'rocAuc', minimumEffect: 0 })).now).toMatchObject({ passed: false, gates: [{ reason: expect.stringContaining('was not compared') }] });
  });
});
