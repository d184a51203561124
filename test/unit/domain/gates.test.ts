import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Comparison, EvaluationReport } from '../../../contracts/model.ts';
import { GateSpec } from '../../../contracts/pipeline.ts';
import { approvalGates, decideApproval, decideGate, decideGates, refusals } from '../../../domain/gates.ts';

const artifact = { uri: `artifact:sha256/${'a'.repeat(64)}`, sha256: 'a'.repeat(64), bytes: 1 };
const comparison = (changes: Partial<Comparison> = {}): Comparison => ({
  metric: 'rocAuc', difference: 0.032, low: 0.01, high: 0.055, confidence: 0.95, resamples: 1_000, groups: 30, ...changes,
});
const report = (changes: Partial<EvaluationReport> = {}): EvaluationReport => ({
  rows: 1_000,
  positives: 200,
  candidate: { rocAuc: 0.756, logLoss: 0.468, brier: 0.15, accuracy: 0.8 },
  champion: { version: 1, metrics: { rocAuc: 0.724, logLoss: 0.47, brier: 0.15, accuracy: 0.8 } },
  comparisons: [comparison()],
  parity: null,
  report: artifact,
  ...changes,
});
const gate = (spec: object): Exclude<GateSpec, { kind: 'approval' }> => GateSpec.parse(spec) as never;
const champion = gate({ kind: 'champion', metric: 'rocAuc', minimumEffect: 0.005 });

describe('the champion gate', () => {
  it('passes when the whole interval lies above the minimum effect', () => {
    expect(decideGate(report(), champion)).toEqual({
      gate: 'champion rocAuc',
      passed: true,
      reason: 'better: difference 0.032, 95 % interval 0.01 to 0.055, minimum effect 0.005, against the champion version 1',
    });
  });

  it.each([
    [{ low: -0.01, high: 0.02, difference: 0.004 }, /^inconclusive: difference 0.004, 95 % interval -0.01 to 0.02/],
    [{ low: 0.005, high: 0.02 }, /^inconclusive/],
    [{ low: -0.03, high: -0.01 }, /^worse/],
    [{ low: 0.001, high: 0.004 }, /^not better/],
    [{ low: null }, /could not be measured/],
    [{ high: Number.NaN }, /could not be measured/],
    [{ difference: Number.POSITIVE_INFINITY }, /could not be measured/],
    [{ groups: 1 }, /^too few groups/],
    [{ groups: Number.NaN }, /^too few groups/],
    [{ metric: 'logLoss' as const }, /was not compared/],
    [{ confidence: 0.9 }, /was not compared/],
    [{ resamples: 100 }, /was not compared/],
  ])('says no to %j', (changes, reason) => {
    const decision = decideGate(report({ comparisons: [comparison(changes)] }), champion);
    expect(decision.passed).toBe(false);
    expect(decision.reason).toMatch(reason);
  });

  it('takes the minimum effect on an error for a share of the champion\'s', () => {
    const errors = gate({ kind: 'champion', metric: 'rmse', minimumEffect: 0.05 });
    const regression = (low: number, rmse: number | null = 40): EvaluationReport =>
      report({ champion: { version: 1, metrics: { rmse } }, comparisons: [comparison({ metric: 'rmse', difference: 3, low, high: 4 })] });
    expect(decideGate(regression(2.1), errors)).toMatchObject({ passed: true, reason: expect.stringMatching(/minimum effect 2,/) as string });
    expect(decideGate(regression(1.9), errors)).toMatchObject({ passed: false, reason: expect.stringMatching(/^inconclusive/) as string });
    expect(decideGate(regression(2.1, null), errors)).toMatchObject({ passed: false, reason: expect.stringMatching(/was not measured/) as string });
  });

  it('passes when there is no champion', () => {
    expect(decideGate(report({ champion: null, comparisons: [] }), champion).passed).toBe(true);
  });

  it('never passes with a low end at or below the minimum effect, whatever the numbers', () => {
    const number = fc.oneof(fc.double(), fc.constant(null));
    fc.assert(
      fc.property(number, number, number, fc.integer({ min: 0, max: 60 }), (difference, low, high, groups) => {
        const decision = decideGate(report({ comparisons: [comparison({ difference, low, high, groups })] }), champion);
        if (decision.passed) expect(low !== null && low > 0.005 && groups >= 5).toBe(true);
      }),
    );
  });
});

describe('the other gates', () => {
  it.each([
    [{ min: 0.75 }, true],
    [{ min: 0.756 }, true],
    [{ min: 0.76 }, false],
    [{ max: 0.7 }, false],
    [{ min: 0.7, max: 0.8 }, true],
    [{}, false],
  ])('threshold %j', (bounds, passed) => {
    expect(decideGate(report(), gate({ kind: 'threshold', metric: 'rocAuc', ...bounds })).passed).toBe(passed);
  });

  it.each([null, Number.NaN, Number.POSITIVE_INFINITY])('a threshold says no to %s', (rocAuc) => {
    const candidate = { ...report().candidate, rocAuc };
    expect(decideGate(report({ candidate }), gate({ kind: 'threshold', metric: 'rocAuc', min: 0 }))).toMatchObject({ passed: false, reason: 'rocAuc was not measured' });
  });

  it.each([[1_000, true], [999, false], [Number.NaN, false]])('rows: %s of 1000', (rows, passed) => {
    expect(decideGate(report({ rows }), gate({ kind: 'rows', min: 1_000 })).passed).toBe(passed);
  });

  it('are decided in their order, approvals left for people', () => {
    const gates = [{ kind: 'rows', min: 10 }, { kind: 'approval' }, { kind: 'threshold', metric: 'brier', max: 0.1 }].map((spec) => GateSpec.parse(spec));
    const decisions = decideGates(report(), gates);
    expect(decisions.map(({ gate: name }) => name)).toEqual(['rows', 'threshold brier']);
    expect(refusals(decisions)).toEqual(['threshold brier: brier 0.15 is above 0.1']);
    expect(approvalGates(gates)).toEqual([{ kind: 'approval', expiresSeconds: 604_800 }]);
  });

  it('an approval that nobody gave is no', () => {
    const approval = { kind: 'approval' as const, expiresSeconds: 60 };
    expect(decideApproval(approval, null)).toMatchObject({ passed: false, reason: 'nobody approved within 60 s' });
    expect(decideApproval(approval, { approved: true, by: 'ada', comment: '' })).toMatchObject({ passed: true, reason: 'approved by ada' });
    expect(decideApproval(approval, { approved: false, by: 'ada', comment: 'no' })).toMatchObject({ passed: false, reason: 'rejected by ada: no' });
  });
});
