import { describe, expect, it } from 'vitest';
import { championChangedSignal, monitorStatusQuery } from '../../contracts/messages.ts';
import { MonitorSpec, type MonitorInput } from '../../contracts/monitor.ts';
import { columnDrift } from '../support/fakes.ts';
import { monitorWindow } from './support/artifacts.ts';
import type { Environment } from './support/environment.ts';
import { replayedEnvironment } from './support/replayed-environment.ts';

const DAY = 86_400;
const spec = MonitorSpec.parse({ everySeconds: DAY });
const monitorInput = (model: string, changes: Partial<MonitorInput> = {}): MonitorInput => ({ model, pipeline: model, version: 1, spec, ...changes });

let environment: Environment;
replayedEnvironment((started) => {
  environment = started;
});

/** A monitor never ends by itself; one left open would go on through the time of the next test. */
const end = async (model: string): Promise<void> => {
  await environment.temporal.sleep('1s');
  await environment.client.workflow.getHandle(`monitor/${model}`).terminate();
};

const drifted = { drifted: true, driftScore: 0.5, columns: [columnDrift('distance', 0.41)] };
const dropped = { labelled: 800, quality: 0.678, qualityDropped: true };

describe('a monitor', () => {
  it('hands drift and a quality drop to the ledger, each once, with the numbers', async () => {
    let looks = 0;
    const evaluateMonitorWindows = async () => {
      looks += 1;
      if (looks === 1) return { nextWindow: 1, changed: [monitorWindow(0, 1, drifted)] };
      // Late labels change window 0 twice: its drift is old news, its quality is news once.
      return { nextWindow: 1, changed: [monitorWindow(0, 1, { ...drifted, ...dropped })] };
    };
    const scenario = environment.world.scenario('watched', { overrides: { evaluateMonitorWindows } });
    const handle = await environment.startMonitor(monitorInput('watched'));
    await environment.temporal.sleep('5 days');
    expect(scenario.submitted.map(({ id, kind, source, reason }) => [id, kind, source, reason])).toEqual([
      ['monitor/watched/1/0/drift', 'drift', 'monitor/watched', 'drift score 0.5 (limit 0.5) in window 0: distance (wasserstein 0.41)'],
      [
        'monitor/watched/1/0/quality',
        'quality',
        'monitor/watched',
        'rocAuc 0.678 in window 0 (800 labels), judged with 0.76, a drop of at most 0.05 allowed',
      ],
    ]);
    expect(await handle.query(monitorStatusQuery)).toMatchObject({ version: 1, windows: 1, lastWindow: { window: 0 }, lastDecision: 'nothing to report' });
    await end('watched');
  });

  it('hands an estimated drop, what the labels say of it later, and concept drift to the ledger as matters of quality', async () => {
    let looks = 0;
    const estimate = { rocAuc: { value: 0.69, low: 0.68, high: 0.7 }, accuracy: null, precision: null, recall: null, f1: null };
    const concept = { detector: 'ddm' as const, labels: 800, mean: 0.3, detected: true, warning: false, detections: [{ label: 1_234, direction: 'rise' as const }] };
    const evaluateMonitorWindows = async () => {
      looks += 1;
      if (looks === 1) return { nextWindow: 1, changed: [monitorWindow(0, 1, { estimate, judgedBy: 'estimate', qualityDropped: true })] };
      if (looks === 15) return { nextWindow: 1, changed: [monitorWindow(0, 1, { ...dropped, estimate, judgedBy: 'labels', concept })] };
      return { nextWindow: 1, changed: looks === 16 ? [monitorWindow(0, 1, { ...dropped, estimate, judgedBy: 'labels', concept })] : [] };
    };
    const scenario = environment.world.scenario('estimated', { overrides: { evaluateMonitorWindows } });
    await environment.startMonitor(monitorInput('estimated'));
    await environment.temporal.sleep('20 days');
    expect(scenario.submitted.map(({ id, kind }) => [id, kind])).toEqual([
      ['monitor/estimated/1/0/estimate', 'quality'],
      ['monitor/estimated/1/0/quality', 'quality'],
      ['monitor/estimated/1/0/concept', 'quality'],
    ]);
    await end('estimated');
  });

  it('looks at once when the champion changes, and only at the new version', async () => {
    const scenario = environment.world.scenario('changing');
    const handle = await environment.startMonitor(monitorInput('changing'));
    await environment.temporal.sleep('3 days');
    const before = scenario.calls.length;
    await handle.signal(championChangedSignal, { version: 9, pipeline: 'changing', spec });
    await expect.poll(() => scenario.calls.length, { timeout: 10_000 }).toBeGreaterThan(before);
    await environment.temporal.sleep('1 minute');
    expect(await handle.query(monitorStatusQuery)).toMatchObject({ version: 9, windows: 1, lastWindow: { version: 9, window: 0 } });
    await end('changing');
  });

  it('has its alerts judged after each window, once the decision on it is recorded', async () => {
    const looked: string[] = [];
    const evaluateMonitorWindows = async ({ nextWindow }: { nextWindow: number }) => ({ nextWindow: nextWindow + 1, changed: [monitorWindow(nextWindow, 1)] });
    const alertOnWindows = async ({ pipeline, version }: { pipeline: string; version: number }) => void looked.push(`${pipeline}/${version}`);
    const scenario = environment.world.scenario('alerted', { overrides: { evaluateMonitorWindows, alertOnWindows } });
    await environment.startMonitor(monitorInput('alerted', { pipeline: 'alerted' }));
    await environment.temporal.sleep('84 hours');
    expect(looked).toEqual(['alerted/1', 'alerted/1', 'alerted/1']);
    expect(scenario.calls.slice(0, 3)).toEqual(['evaluateMonitorWindows', 'recordMonitorDecision', 'alertOnWindows']);
    await end('alerted');
  });

  it('says that it could not look, and looks again', async () => {
    let isBroken = true;
    const evaluateMonitorWindows = async ({ nextWindow }: { nextWindow: number }) => {
      if (isBroken) throw new Error('the log cannot be read');
      return { nextWindow: nextWindow + 1, changed: [monitorWindow(nextWindow, 1)] };
    };
    environment.world.scenario('blind', { overrides: { evaluateMonitorWindows } });
    const handle = await environment.startMonitor(monitorInput('blind'));
    await environment.temporal.sleep('26 hours');
    expect((await handle.query(monitorStatusQuery)).lastDecision).toBe('the windows could not be evaluated: the log cannot be read');
    isBroken = false;
    await environment.temporal.sleep('2 days');
    expect((await handle.query(monitorStatusQuery)).windows).toBeGreaterThanOrEqual(1);
    await end('blind');
  });
});
