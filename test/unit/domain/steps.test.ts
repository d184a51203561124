import { describe, expect, it } from 'vitest';
import { MODEL_STEPS } from '../../../contracts/run.ts';
import { SearchSpec } from '../../../contracts/search.ts';
import { checkRefusal, positionOf, reusableOutputs } from '../../../domain/steps.ts';

const search = { search: SearchSpec.parse({ space: {} }) };
const proven = Object.fromEntries(MODEL_STEPS.map((step) => [step, { passed: true, of: step }]));

describe('the steps of a model pipeline', () => {
  it('have the order of the contract', () => expect(MODEL_STEPS.map(positionOf)).toEqual(MODEL_STEPS.map((_, index) => index)));
});

describe('reusableOutputs', () => {
  it('uses the proven steps before the one to begin from', () => {
    expect(Object.keys(reusableOutputs(proven, 'train', search))).toEqual(['ingest', 'check', 'features', 'search']);
    expect(reusableOutputs(proven, 'ingest', search)).toEqual({});
    expect(Object.keys(reusableOutputs(proven, 'rollout', search))).toEqual(MODEL_STEPS.slice(0, 8));
  });

  it('ends at a gap: what comes after it was made of something else', () => {
    const { features: _gap, ...others } = proven;
    expect(Object.keys(reusableOutputs(others, 'rollout', search))).toEqual(['ingest', 'check']);
    expect(Object.keys(reusableOutputs({ ...proven, features: null }, 'rollout', search))).toEqual(['ingest', 'check']);
  });

  it('knows that a pipeline without a search has no such step', () => {
    const { search: _absent, ...others } = proven;
    expect(Object.keys(reusableOutputs(others, 'evaluate', {}))).toEqual(['ingest', 'check', 'features', 'train']);
    expect(Object.keys(reusableOutputs(others, 'evaluate', search))).toEqual(['ingest', 'check', 'features']);
  });

  it('asks a check or a gate anew that said no', () => {
    expect(Object.keys(reusableOutputs({ ...proven, check: { passed: false } }, 'rollout', search))).toEqual(['ingest']);
    expect(Object.keys(reusableOutputs({ ...proven, gate: { passed: false } }, 'rollout', search))).toEqual(['ingest', 'check', 'features', 'search', 'train', 'evaluate']);
  });
});

describe('checkRefusal', () => {
  const result = (message: string, severity: 'error' | 'warn') =>
    ({ check: 'range', table: 'flights', passed: false, severity, failingRows: 1, rows: 9, share: 1 / 9, message, examples: [] });
  const report = { checks: 9, warned: 1, report: { uri: '', sha256: '', bytes: 0 } };

  it('is null when the checks passed', () => expect(checkRefusal({ ...report, passed: true, failed: 0, results: [] })).toBeNull());

  it('names the first failing checks, warnings left out', () => {
    const results = [result('a', 'warn'), result('b', 'error'), result('c', 'error'), result('d', 'error'), result('e', 'error')];
    expect(checkRefusal({ ...report, passed: false, failed: 4, results })).toBe('4 of 9 checks failed: flights: b; flights: c; flights: d');
  });
});
