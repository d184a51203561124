/** Gates on slices, groups, calibration, time, size, signature and decisions: what holds, what does not, and that what is missing is a no. */
import { describe, expect, it } from 'vitest';
import { GateSpec, type GateMeasurements } from '../../../contracts/gate.ts';
import type { EvaluationReport } from '../../../contracts/model.ts';
import { gateColumnsOf, measureForGates } from '../../../domain/gate-measurements.ts';
import { decideGate } from '../../../domain/gates.ts';
import { signatureDifferences } from '../../../domain/signature.ts';
import { evaluationReport, signature } from '../../support/fakes.ts';

const nothing: GateMeasurements = { slices: [], fairness: [], mcnemar: null, calibrationError: null, latency: null, modelBytes: 1_000, signatureDifferences: null };
type Measured = Parameters<typeof decideGate>[1];
const decide = (gate: object, measured: Partial<GateMeasurements> | null, report: Partial<EvaluationReport> = {}) =>
  decideGate({ ...evaluationReport(), ...(measured === null ? {} : { measured: { ...nothing, ...measured } }), ...report }, GateSpec.parse(gate) as Measured);

const champion = { version: 3, metrics: {} };
const slice = (values: [string | null, number, number | null][], distinct = values.length) => [{ column: 'origin', metric: 'rocAuc' as const, distinct, values: values.map(([value, rows, metric]) => ({ value, rows, metric })) }];
const sliceGate = { kind: 'slice', column: 'origin', metric: 'rocAuc', min: 0.6 };

describe('a gate of which nothing was measured', () => {
  it.each([sliceGate, { kind: 'fairness', column: 'origin', measure: 'disparateImpact', min: 0.8 }, { kind: 'calibration', max: 0.1 }, { kind: 'latency', maxP95Ms: 5 }, { kind: 'size', maxBytes: 5 }, { kind: 'signature' }])('$kind says no', (gate) => {
    expect(decide(gate, null, { champion })).toMatchObject({ passed: false, reason: 'it was not measured' });
  });
  it('mcnemar says no where there is a champion', () => expect(decide({ kind: 'champion', metric: 'accuracy', test: 'mcnemar' }, {}, { champion })).toMatchObject({ passed: false }));
});

describe('a slice gate', () => {
  it.each<[string, [string | null, number, number | null][], object, boolean, RegExp]>([
    ['every slice holds', [['EWR', 90, 0.7], ['JFK', 60, 0.61]], {}, true, /holds in 2 slices/],
    ['one does not', [['EWR', 90, 0.7], [null, 60, 0.51]], {}, false, /in 1 of 2 slices: \(missing\): 0.51 is below 0.6/],
    ['one is not defined', [['EWR', 90, 0.7], ['JFK', 60, null]], {}, false, /JFK: rocAuc is not defined/],
    ['one is too small', [['EWR', 90, 0.7], ['JFK', 49, 0.9]], {}, false, /too few rows to judge, 50 needed: JFK has 49/],
    ['the small one is ignored', [['EWR', 90, 0.7], ['JFK', 49, 0.1]], { small: 'ignore' }, true, /holds in 1 slices/],
    ['all are ignored', [['EWR', 9, 0.7]], { small: 'ignore' }, false, /no slice has 50 rows/],
  ])('%s', (_what, values, changes, passed, reason) => expect(decide({ ...sliceGate, ...changes }, { slices: slice(values) })).toMatchObject({ passed, reason: expect.stringMatching(reason) as string }));

  it('says no to a column of too many values', () => expect(decide(sliceGate, { slices: slice([], 4_000) })).toMatchObject({ passed: false, reason: 'origin has 4000 values: too many for slices' }));
});

describe('gates of numbers', () => {
  it('hold within their bounds only', () => {
    expect(decide({ kind: 'calibration', max: 0.05 }, { calibrationError: 0.04 }).passed).toBe(true);
    expect(decide({ kind: 'calibration', max: 0.05 }, { calibrationError: 0.06 }).passed).toBe(false);
    expect(decide({ kind: 'calibration', max: 0.05 }, { calibrationError: Number.NaN }).passed).toBe(false);
    const latency = { requests: 200, p50Ms: 1, p95Ms: 2, p99Ms: 9 };
    expect(decide({ kind: 'latency', maxP95Ms: 2 }, { latency }).passed).toBe(true);
    expect(decide({ kind: 'latency', maxP95Ms: 1.9 }, { latency })).toMatchObject({ passed: false, reason: 'p95 2 ms of 200 single rows is above 1.9 ms' });
    expect(decide({ kind: 'size', maxBytes: 1_000 }, {}).passed).toBe(true);
    expect(decide({ kind: 'size', maxBytes: 999 }, {})).toMatchObject({ passed: false, reason: '1000 bytes are more than 999' });
  });
});

describe('a signature gate', () => {
  it('holds for the same inputs and outputs, or without a champion', () => {
    expect(decide({ kind: 'signature' }, {}).passed).toBe(true);
    expect(decide({ kind: 'signature' }, { signatureDifferences: [] }, { champion }).passed).toBe(true);
  });

  it('names what is different', () => {
    const [input] = signature.inputs;
    const other = { ...signature, inputs: [{ ...input!, datatype: 'BYTES' as const, missing: 'allowed' as const }, { ...input!, name: 'gone' }] };
    const differences = signatureDifferences({ ...signature, inputs: [...signature.inputs, { ...input!, name: 'fresh' }] }, other);
    expect(differences).toEqual(['the input "fresh" is new', 'the input "distance" is FP32, it was BYTES', 'the input "distance" may not be missing any more', 'the input "gone" is gone']);
    expect(decide({ kind: 'signature' }, { signatureDifferences: differences }, { champion })).toMatchObject({ passed: false, reason: differences.join('; ') });
    expect(signatureDifferences(signature, signature)).toEqual([]);
  });
});

describe('a McNemar gate', () => {
  const gate = { kind: 'champion', metric: 'accuracy', test: 'mcnemar', minimumEffect: 0.02 };
  const of = (candidateOnly: number, championOnly: number, pValue: number) => decide(gate, { mcnemar: { bothRight: 800, candidateOnly, championOnly, bothWrong: 1_000 - 800 - candidateOnly - championOnly, pValue, exact: true } }, { champion });
  it.each<[number, number, number, boolean, RegExp]>([
    [60, 20, 0.001, true, /^better: right alone in 60 rows, the champion version 3 in 20; difference 0.04/],
    [35, 20, 0.04, false, /^not better: .* difference 0.015, minimum effect 0.02/],
    [20, 60, 0.001, false, /^worse/],
    [25, 20, 0.5, false, /^inconclusive/],
    [25, 20, Number.NaN, false, /not measured/],
  ])('%i against %i at p %f', (own, rival, pValue, passed, reason) => expect(of(own, rival, pValue)).toMatchObject({ passed, reason: expect.stringMatching(reason) as string }));
  it('passes without a champion', () => expect(decide(gate, {}).passed).toBe(true));
});

describe('what is measured for gates', () => {
  const rows = {
    task: 'binaryClassification' as const,
    labels: Float64Array.of(1, 0, 1, 0),
    candidate: Float64Array.of(0.9, 0.2, 0.4, 0.1),
    champion: Float64Array.of(0.9, 0.8, 0.7, 0.1),
    days: { codes: Uint32Array.of(0, 0, 1, 1), values: ['a', 'b'] },
    columns: { origin: { codes: Uint32Array.of(0, 0, 1, 1), values: ['EWR', null] } },
    seed: 7,
  };
  const measure = (...gates: object[]) => measureForGates(rows, gates.map((gate) => GateSpec.parse(gate)));

  it('is what they ask for', () => {
    expect(measure({ kind: 'rows', min: 1 })).toEqual({ slices: [], fairness: [], mcnemar: null, calibrationError: null });
    const all = measure({ kind: 'slice', column: 'origin', metric: 'accuracy', min: 0.5 }, { kind: 'champion', metric: 'accuracy', test: 'mcnemar' }, { kind: 'calibration', max: 0.5 }, { kind: 'fairness', column: 'origin', measure: 'demographicParityDifference', max: 0.1, minimumRows: 1 });
    expect(all.slices).toEqual([{ column: 'origin', metric: 'accuracy', distinct: 2, values: [{ value: 'EWR', rows: 2, metric: 1 }, { value: null, rows: 2, metric: 0.5 }] }]);
    expect(all.mcnemar).toMatchObject({ bothRight: 2, candidateOnly: 1, championOnly: 1, bothWrong: 0, pValue: 1, exact: true });
    expect(all.calibrationError).toBeCloseTo((0.1 + 0.2 + 0.6 + 0.1) / 4, 12);
    expect(all.fairness[0]).toMatchObject({ value: 0.5, groups: [{ value: 'EWR', rows: 2, selectionRate: 0.5, truePositiveRate: 1, falsePositiveRate: 0 }, { value: null, selectionRate: 0, truePositiveRate: 0 }] });
  });

  it('needs the columns that they name', () => {
    const gates = [{ kind: 'slice', column: 'a', metric: 'rocAuc', min: 0 }, { kind: 'champion', metric: 'rocAuc', cluster: 'b' }, { kind: 'fairness', column: 'a', measure: 'disparateImpact', min: 0.8, cluster: 'c' }];
    expect(gateColumnsOf(gates.map((gate) => GateSpec.parse(gate)))).toEqual(['a', 'b', 'c']);
  });
});
