import { describe, expect, it } from 'vitest';
import { MonitorSpec, type MonitorWindow } from '../../../contracts/monitor.ts';
import { columnDrift } from '../../support/fakes.ts';
import { findingsOf, findingTriggerId, qualityStandingOf, rememberReports } from '../../../domain/monitor.ts';

const spec = MonitorSpec.parse({});
const window = (changes: Partial<MonitorWindow> = {}): MonitorWindow => ({
  window: 4, version: 2, from: '2013-07-01T00:00:00Z', to: '2013-07-02T00:00:00Z', rows: 1_000, labelled: 700, driftScore: 0.41, drifted: false,
  columns: [], prediction: null, quality: 0.678, judgedQuality: 0.756, qualityDropped: false, ...changes,
});

describe('findingsOf', () => {
  it('finds nothing in a healthy window', () => expect(findingsOf(window(), spec, new Set())).toEqual([]));

  it('names the worst columns of a drift, at most three', () => {
    const columns = ['a', 'b', 'c', 'd'].map((column, index) => columnDrift(column, 0.3 + index / 10));
    const [finding] = findingsOf(window({ drifted: true, columns: [...columns, columnDrift('calm', 0.01)] }), spec, new Set());
    expect(finding).toEqual({ kind: 'drift', key: '4/drift', reason: 'drift score 0.41 (limit 0.5) in window 4: d (wasserstein 0.6), c (wasserstein 0.5), b (wasserstein 0.4)' });
  });

  it('names columns that went missing, and puts p-values and distances in one order', () => {
    const columns = [
      columnDrift('distance', 0.2),
      columnDrift('carrier', 1e-9, { method: 'ks', threshold: 0.05, drifted: true }),
      columnDrift('gust', 0.01, { missing: { reference: 0.1, current: 0.95, drifted: true } }),
    ];
    const [finding] = findingsOf(window({ drifted: true, columns }), spec, new Set());
    expect(finding?.reason).toBe('drift score 0.41 (limit 0.5) in window 4: carrier (ks 1e-9), distance (wasserstein 0.2), gust (missing 0.1 to 0.95)');
  });

  it('says by how much quality dropped', () => {
    const [finding] = findingsOf(window({ qualityDropped: true }), spec, new Set());
    expect(finding?.reason).toBe('rocAuc 0.678 in window 4 (700 labels), judged with 0.756, a drop of at most 0.05 allowed');
  });

  it('says that a drop is only estimated, with its band, and under a key of its own', () => {
    const band = { value: 0.701, low: 0.684, high: 0.718 };
    const estimated = window({ labelled: 0, quality: null, qualityDropped: true, judgedBy: 'estimate', estimate: { rocAuc: band, accuracy: null, precision: null, recall: null, f1: null } });
    expect(findingsOf(estimated, spec, new Set())).toEqual([
      { kind: 'quality', key: '4/estimate', reason: 'rocAuc is estimated at 0.701 (0.684 to 0.718) in window 4, before its labels, judged with 0.756, a drop of at most 0.05 allowed' },
    ]);
    // What the labels say later is news.
    expect(findingsOf(window({ qualityDropped: true, judgedBy: 'labels' }), spec, new Set(['4/estimate'])).map(({ key }) => key)).toEqual(['4/quality']);
  });

  it('reports a rise of errors that the detector found as a matter of quality, and no fall', () => {
    const concept = { detector: 'adwin', labels: 900, mean: 0.3123, detected: true, warning: false, detections: [{ label: 3_000, direction: 'fall' }, { label: 3_412, direction: 'rise' }] } as const;
    const [finding] = findingsOf(window({ concept: { ...concept, detections: [...concept.detections] } }), spec, new Set());
    expect(finding).toEqual({ kind: 'quality', key: '4/concept', reason: 'adwin found the errors to rise at label 3412 of version 2, in window 4 (mean 0.312)' });
    expect(findingsOf(window({ concept: { ...concept, detected: false, detections: [] } }), spec, new Set())).toEqual([]);
  });

  it('reports each kind once per window, however often the window changes', () => {
    const both = window({ drifted: true, qualityDropped: true });
    const findings = findingsOf(both, spec, new Set(['4/drift']));
    expect(findings.map(({ key }) => key)).toEqual(['4/quality']);
    const reported = rememberReports(['4/drift'], findings);
    expect(findingsOf(both, spec, new Set(reported))).toEqual([]);
  });
});

describe('the standing of the quality, which a drift trigger carries', () => {
  it('is what the labels say, or until they come the estimate where it may judge', () => {
    expect(qualityStandingOf(window({ qualityDropped: true }))).toBe('dropped');
    expect(qualityStandingOf(window())).toBe('holds');
    expect(qualityStandingOf(window({ quality: null }))).toBe('unknown');
    expect(qualityStandingOf(window({ quality: null, judgedBy: 'estimate' }))).toBe('holds');
    expect(qualityStandingOf(window({ quality: null, judgedBy: 'estimate', qualityDropped: true }))).toBe('dropped');
  });
});

describe('the ids of reports', () => {
  it('name model, version, window and kind', () => {
    expect(findingTriggerId('flights', 2, { kind: 'drift', key: '4/drift', reason: '' })).toBe('monitor/flights/2/4/drift');
  });

  it('are remembered up to a bound, the oldest forgotten first', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => `${index}/drift`);
    const remembered = rememberReports(many, [{ kind: 'drift', key: '1000/drift', reason: '' }]);
    expect(remembered.length).toBe(1_000);
    expect([remembered[0], remembered.at(-1)]).toEqual(['1/drift', '1000/drift']);
  });
});
