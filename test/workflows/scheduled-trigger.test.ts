import { Client } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { runWorkflowId } from '../../contracts/ids.ts';
import type { TickInput, TickResult } from '../../contracts/schedule.ts';
import type { Environment } from './support/environment.ts';
import { replayedEnvironment } from './support/replayed-environment.ts';
import { modelPipeline } from './support/specs.ts';
import { evaluationReport } from './support/artifacts.ts';

const atOnce = { steps: [{ weight: 100, seconds: 0, minimumRequests: 0 }] };
const tickOf = (pipeline: string, changes: Partial<TickInput> = {}): TickInput => ({ pipeline, schedule: 'weekly', timeZone: 'UTC', once: 'perInstant', ...changes });

let environment: Environment;
replayedEnvironment((started) => {
  environment = started;
});

const scenarioOf = (name: string, changes: Parameters<typeof modelPipeline>[1] = {}, overrides = {}) => {
  const scenario = environment.world.scenario(name, { spec: modelPipeline(name, { rollout: atOnce, ...changes }), overrides });
  scenario.connected = true;
  return scenario;
};

/**
 * Skips time, and then waits for the result without skipping: the test environment's own `result` would let time run on to the time-out of an idle
 * ledger, and two of them at once lock each other out.
 */
const resultOf = async (tick: { workflowId: string; firstExecutionRunId: string }, after: string): Promise<TickResult> => {
  await environment.temporal.sleep(after as '1 hour');
  return new Client({ connection: environment.temporal.connection }).workflow.getHandle(tick.workflowId, tick.firstExecutionRunId).result() as Promise<TickResult>;
};

const ticked = async (input: TickInput, scheduledAt: string): Promise<TickResult> => resultOf(await environment.startTick(input, scheduledAt), '10 minutes');

const end = async (pipeline: string): Promise<void> => {
  await environment.temporal.sleep('1 hour');
  await environment.client.workflow.getHandle(`triggers/${pipeline}`).terminate();
};

const rowsOf = (scenario: ReturnType<typeof scenarioOf>) => [...scenario.triggers.entries()].map(([id, { outcome }]) => [id, outcome.outcome]);

describe('a tick', () => {
  it('lasts until its run has ended, and says what it led to', async () => {
    const scenario = scenarioOf('ticked');
    expect(await ticked(tickOf('ticked'), '2026-01-05T06:00:00Z')).toMatchObject({ outcome: 'ran', triggerId: 'schedule/ticked/weekly/2026-01-05T06:00:00Z', run: 'ended' });
    expect(rowsOf(scenario)).toEqual([['schedule/ticked/weekly/2026-01-05T06:00:00Z', 'ran']]);
    expect([...scenario.ends.values()]).toMatchObject([{ state: 'succeeded' }]);
    expect(scenario.submitted[0]).toMatchObject({ kind: 'schedule', at: '2026-01-05T06:00:00.000Z', source: 'schedule/ticked/weekly' });
    await end('ticked');
  });

  it('that comes again, late or doubled, starts no second run', async () => {
    const scenario = scenarioOf('again');
    const first = await ticked(tickOf('again'), '2026-01-05T06:00:00Z');
    expect(await ticked(tickOf('again'), '2026-01-05T06:00:00Z')).toEqual(first);
    const berlin = tickOf('again', { schedule: 'nightly', timeZone: 'Europe/Berlin', once: 'perLocalTime' });
    const summer = await ticked(berlin, '2026-10-25T00:30:00Z');
    expect(await ticked(berlin, '2026-10-25T01:30:00Z')).toEqual(summer);
    expect(rowsOf(scenario)).toHaveLength(2);
    expect(scenario.calls.filter((name) => name === 'ingest')).toHaveLength(2);
    await end('again');
  });

  it('fails when its run fails, and not when a gate refuses or the policy rejects it', async () => {
    const failing = scenarioOf('failing', { checks: [{ kind: 'rowCount', table: 'flights', min: 1 }] }, { check: async () => ({ passed: false, checks: 1, failed: 1, warned: 0, results: [], report: evaluationReport.report }) });
    await expect(ticked(tickOf('failing'), '2026-01-05T06:00:00Z')).rejects.toMatchObject({ cause: { type: 'ScheduledRunFailed', message: expect.stringContaining('failing.') } });
    expect([...failing.ends.values()]).toMatchObject([{ state: 'failed' }]);
    scenarioOf('refused', {}, { evaluate: async () => ({ ...evaluationReport, candidate: { ...evaluationReport.candidate, rocAuc: 0.5 } }) });
    expect(await ticked(tickOf('refused'), '2026-01-05T06:00:00Z')).toMatchObject({ outcome: 'ran', run: 'ended' });
    const poor = scenarioOf('poor', { triggers: { budget: { runs: 1 } } });
    poor.facts = () => ({ spent: { runs: 1, trainSeconds: 0 } });
    expect(await ticked(tickOf('poor'), '2026-01-05T06:00:00Z')).toEqual({
      outcome: 'rejected',
      triggerId: 'schedule/poor/weekly/2026-01-05T06:00:00Z',
      reason: 'the budget of 1 runs in 2592000 s is used up',
    });
    for (const name of ['failing', 'refused', 'poor']) await end(name);
  });

  it('that is coalesced follows the run that took it in', async () => {
    const scenario = scenarioOf('crowded', { gates: [{ kind: 'approval', expiresSeconds: 120 }] });
    const ticks = await Promise.all(['06', '07', '08'].map((hour) => environment.startTick(tickOf('crowded'), `2026-01-05T${hour}:00:00Z`)));
    const results: TickResult[] = [];
    for (const tick of ticks) results.push(await resultOf(tick, '10 minutes'));
    const runsOf = (outcome: string) => results.flatMap((result) => (result.outcome === outcome && 'runId' in result ? [result.runId] : []));
    expect([runsOf('ran').length, runsOf('coalesced').length]).toEqual([2, 1]);
    expect(runsOf('ran')).toContain(runsOf('coalesced')[0]);
    expect(scenario.retrains.map(({ unbeaten, isDue }) => [unbeaten, isDue])).toEqual([[1, false], [2, false]]);
    await end('crowded');
  });

  it('is told to the ledger again when a ledger that was ended by hand has forgotten it', async () => {
    const scenario = scenarioOf('forgotten');
    scenario.connected = false;
    const tick = await environment.startTick(tickOf('forgotten'), '2026-01-05T06:00:00Z');
    await expect.poll(() => scenario.submitted.length, { timeout: 30_000 }).toBe(1);
    scenario.connected = true;
    expect(await resultOf(tick, '30 minutes')).toMatchObject({ outcome: 'ran', run: 'ended' });
    await end('forgotten');
  });

  it('that is cancelled cancels its own run, and ends after it', async () => {
    const scenario = scenarioOf('replaced', { gates: [{ kind: 'approval', expiresSeconds: 3_600 }] });
    const tick = await environment.startTick(tickOf('replaced'), '2026-01-05T06:00:00Z');
    await expect.poll(() => scenario.triggers.size, { timeout: 30_000 }).toBe(1);
    await environment.temporal.sleep('30 seconds');
    await tick.cancel();
    await expect(resultOf(tick, '10 minutes')).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect([...scenario.ends.values()]).toMatchObject([{ state: 'cancelled' }]);
    await end('replaced');
  });
});

describe('a run that the ledger did not start', () => {
  it('is in flight too: drift is coalesced into it, and a tick waits for its end', async () => {
    const scenario = scenarioOf('handmade', { gates: [{ kind: 'approval', expiresSeconds: 600 }], triggers: { drift: true } });
    const runId = 'handmade.byhand';
    const spec = scenario.spec as NonNullable<typeof scenario.spec>;
    await environment.startRun({ runId, pipeline: 'handmade', pipelineVersion: 1, spec, trigger: { kind: 'manual', id: 'manual/1', reason: 'by hand' } });
    scenario.facts = () => ({ openRuns: ['handmade.gone', runId] });
    await environment.submitTrigger('handmade', { id: 'monitor/d', kind: 'drift', reason: 'd', at: '2026-01-01T00:00:00Z', source: 'monitor/handmade' });
    const tick = await environment.startTick(tickOf('handmade'), '2026-01-05T06:00:00Z');
    await expect.poll(() => scenario.triggers.get('monitor/d')?.outcome, { timeout: 30_000 }).toEqual({ outcome: 'coalesced', into: runId });
    await environment.temporal.sleep('5 minutes');
    expect(scenario.triggers.size).toBe(1);
    // Its row stays open, as after a crash: the run itself says that it has ended.
    const result = await resultOf(tick, '30 minutes');
    expect(result).toMatchObject({ outcome: 'ran', run: 'ended' });
    expect(scenario.retrains.map((retrain) => retrain.runId)).toEqual([runId, 'runId' in result ? result.runId : '']);
    expect((await environment.client.workflow.getHandle(runWorkflowId('handmade', runId)).describe()).status.name).toBe('COMPLETED');
    await end('handmade');
  });
});
