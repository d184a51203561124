import { describe, expect, it } from 'vitest';
import { AlertsSpec } from '../../../contracts/alert.ts';
import { MonitorSpec, type MonitorWindow } from '../../../contracts/monitor.ts';
import type { RunState } from '../../../contracts/run.ts';
import type { RetrainVerdict } from '../../../contracts/trigger.ts';
import { championConditions, rolloutConditions, runConditions, wantedConditions, windowConditions, type AlertCondition, type RunEnd } from '../../../domain/alerts.ts';
import { monitorWindow } from '../../workflows/support/artifacts.ts';

const at = '2026-01-01T00:00:00.000Z';
const policy = AlertsSpec.parse({ labelsMissingWindows: 3 });
const shape = (conditions: AlertCondition[]) => Object.fromEntries(conditions.map(({ kind, occurrence }) => [kind, occurrence.firing]));

describe('the end of a run', () => {
  const end = (state: RunState, changes: Partial<RunEnd> = {}): RunEnd => ({ pipeline: 'flights', runId: 'flights.7', state, ...changes });
  const say = (run: RunEnd) => runConditions(run, at);

  it('that failed is an alert with its cause; one that was cancelled is none', () => {
    const failure = { code: 'TrainerFailed', message: 'exit 1', fix: '' };
    expect(say(end('failed', { failure }))).toEqual([
      { kind: 'runFailed', subject: 'flights', occurrence: { id: 'flights.7', firing: true, reason: 'run flights.7 failed: TrainerFailed: exit 1', at } },
    ]);
    expect(say(end('cancelled'))).toEqual([]);
  });

  it('that was rejected is an alert, and clears an earlier failure', () => {
    const outcome = { kind: 'rejected' as const, reasons: ['threshold: rocAuc 0.6'] };
    expect(shape(say(end('rejected', { outcome })))).toEqual({ runFailed: false, runRejected: true });
  });

  it('that succeeded clears both; one that was rolled back only the failure', () => {
    expect(shape(say(end('succeeded')))).toEqual({ runFailed: false, runRejected: false });
    expect(shape(say(end('rolledBack')))).toEqual({ runFailed: false });
  });

  it('is cut to what fits a message', () => {
    const failure = { code: 'Internal', message: 'x'.repeat(5_000), fix: '' };
    expect(say(end('failed', { failure }))[0]?.occurrence.reason.length).toBe(500);
  });
});

it('a champion that so many retrains did not beat is an alert, until one does', () => {
  const standing = { model: 'flights', runId: 'flights.7', limit: 3 };
  const say = (verdict: RetrainVerdict, unbeaten: number) => championConditions('flights', { ...standing, verdict, unbeaten, isDue: unbeaten >= 3 }, at);
  expect(say('unbeaten', 2)).toEqual([]);
  expect(say('unbeaten', 3)).toMatchObject([{ kind: 'championNotBeaten', subject: 'flights', occurrence: { id: 'flights.7', firing: true, reason: '3 retrains in a row did not beat the champion' } }]);
  expect(say('undecided', 3)).toEqual([]);
  expect(say('promoted', 0)).toMatchObject([{ occurrence: { firing: false, reason: 'run flights.7 made a new champion' } }]);
});

it('a rollout that rolled back is an alert, one that promoted clears it, one that was aborted says nothing', () => {
  const common = { model: 'flights', version: 3, generation: 9 };
  expect(rolloutConditions('r1', { kind: 'rolledBack', ...common, reason: 'slow', step: 1 }, at)).toEqual([
    { kind: 'rolledBack', subject: 'rollout', occurrence: { id: 'r1', firing: true, reason: 'the rollout of version 3 was rolled back: slow', at } },
  ]);
  expect(shape(rolloutConditions('r1', { kind: 'promoted', ...common, previous: 2 }, at))).toEqual({ rolledBack: false });
  expect(rolloutConditions('r1', { kind: 'aborted', ...common, reason: 'by hand' }, at)).toEqual([]);
});

describe('the newest windows', () => {
  const spec = MonitorSpec.parse({});
  const say = (windows: Parameters<typeof windowConditions>[0]) => windowConditions(windows, spec, { policy, at });

  it('say whether there is drift, whether quality dropped, and whether labels come', () => {
    const drifted = monitorWindow(5, 2, { drifted: true, driftScore: 0.6 });
    const dropped = monitorWindow(3, 2, { labelled: 900, quality: 0.6, qualityDropped: true });
    const both = say({ newest: drifted, labelled: dropped, estimated: null, withoutLabels: 2 });
    expect(shape(both)).toEqual({ drift: true, quality: true, labelsMissing: false });
    expect(both.map(({ occurrence }) => occurrence.id)).toEqual(['2/5', '2/3/900', '2/5/2']);
    expect(say({ newest: drifted, labelled: null, estimated: null, withoutLabels: 3 }).at(-1)).toMatchObject({
      kind: 'labelsMissing',
      occurrence: { firing: true, reason: 'the last 3 windows of version 2 have fewer than 500 labels each' },
    });
    expect(say({ newest: null, labelled: null, estimated: null, withoutLabels: 0 })).toEqual([]);
  });

  it('say that quality dropped when labels do, when the estimate of a newer window does, or when the errors rise', () => {
    const good = monitorWindow(3, 2, { labelled: 900, quality: 0.75, judgedBy: 'labels' });
    const dropped = { ...good, quality: 0.6, qualityDropped: true };
    const estimated = monitorWindow(6, 2, { judgedBy: 'estimate' });
    const quality = (labelled: MonitorWindow | null, estimate: MonitorWindow | null) => shape(say({ newest: estimated, labelled, estimated: estimate, withoutLabels: 1 }))['quality'];
    expect(quality(good, estimated)).toBe(false);
    expect(quality(dropped, estimated)).toBe(true);
    expect(quality(good, { ...estimated, qualityDropped: true })).toBe(true);
    expect(quality({ ...good, concept: { detector: 'adwin', detected: true, detections: [{ label: 7, direction: 'rise' }], mean: 0.4 } as never }, null)).toBe(true);
    expect(quality(null, null)).toBeUndefined();
  });

  it('are an alert only as far as the policy wants it', () => {
    const conditions = say({ newest: monitorWindow(1, 1, { drifted: true }), labelled: null, estimated: null, withoutLabels: 9 });
    expect(shape(wantedConditions(conditions, AlertsSpec.parse({ on: ['labelsMissing', 'runFailed'] })))).toEqual({ labelsMissing: true });
  });
});
