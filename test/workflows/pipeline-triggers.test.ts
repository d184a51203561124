import { describe, expect, it } from 'vitest';
import { runWorkflowId } from '../../contracts/ids.ts';
import { triggersStatusQuery } from '../../contracts/messages.ts';
import type { Trigger, TriggerKind } from '../../contracts/trigger.ts';
import type { Environment } from './support/environment.ts';
import { replayedEnvironment } from './support/replayed-environment.ts';
import { modelPipeline, runInput } from './support/specs.ts';
import type { Scenario } from './support/world.ts';

const trigger = (kind: TriggerKind, id: string): Trigger => ({ id, kind, reason: `${kind} ${id}`, at: '2026-01-01T00:00:00.000Z', source: 'a test' });

/** Approval keeps a run in flight for as long as a test wants, without an activity under way. */
const slowPipeline = (name: string, expiresSeconds: number, triggers = {}) =>
  modelPipeline(name, {
    gates: [{ kind: 'approval', expiresSeconds }],
    triggers: { drift: true, quality: true, data: true, cooldownSeconds: 3_600, ...triggers },
  });

let environment: Environment;
replayedEnvironment((started) => {
  environment = started;
});

const ledgerOf = (pipeline: string) => environment.client.workflow.getHandle(`triggers/${pipeline}`);

/** A ledger never ends by itself. It is ended when its run has: the test server stumbles over a child that outlives its parent. */
const end = async (pipeline: string): Promise<void> => {
  await environment.temporal.sleep('3 hours');
  await ledgerOf(pipeline).terminate();
};

const outcomeOf = (scenario: Scenario, id: string) => scenario.triggers.get(id)?.outcome;
const waitForRows = (scenario: Scenario, count: number): Promise<void> => expect.poll(() => scenario.triggers.size, { timeout: 30_000 }).toBe(count);

const runIdOf = (scenario: Scenario, id: string): string => {
  const outcome = outcomeOf(scenario, id);
  if (outcome?.outcome !== 'ran') throw new Error(`${id} did not run: ${JSON.stringify(outcome)}`);
  return outcome.runId;
};

describe('the ledger', () => {
  it('makes one run and a thousand rows of a thousand drift events', async () => {
    const scenario = environment.world.scenario('stormy', { spec: slowPipeline('stormy', 7_200) });
    const ids = Array.from({ length: 1_000 }, (_, index) => `drift-${index}`);
    await environment.submitTrigger('stormy', trigger('drift', 'drift-0'));
    await Promise.all(ids.slice(1).map((id) => ledgerOf('stormy').signal('submitTrigger', trigger('drift', id))));
    await waitForRows(scenario, 1_000);
    const outcomes = [...scenario.triggers.values()].map(({ outcome }) => outcome);
    expect(outcomes.filter(({ outcome }) => outcome === 'ran').length).toBe(1);
    const runId = runIdOf(scenario, 'drift-0');
    expect(outcomes.filter((outcome) => outcome.outcome === 'coalesced' && outcome.into === runId).length).toBe(999);
    const run = environment.client.workflow.getHandle(runWorkflowId('stormy', runId));
    expect(await run.result()).toMatchObject({ kind: 'rejected' });
    await end('stormy');
  });

  it('cools down after an automatic run, not after others', async () => {
    const scenario = environment.world.scenario('cooling', { spec: slowPipeline('cooling', 60) });
    await environment.submitTrigger('cooling', trigger('quality', 'first'));
    await waitForRows(scenario, 1);
    await environment.temporal.sleep('10 minutes');
    await environment.submitTrigger('cooling', trigger('drift', 'too soon'));
    await waitForRows(scenario, 2);
    expect(outcomeOf(scenario, 'too soon')).toMatchObject({ outcome: 'rejected', reason: expect.stringMatching(/^cool-down until 20\d\d-/) });
    await environment.submitTrigger('cooling', trigger('manual', 'a person'));
    await waitForRows(scenario, 3);
    expect(outcomeOf(scenario, 'a person')).toMatchObject({ outcome: 'ran' });
    await environment.temporal.sleep('1 hour');
    await environment.submitTrigger('cooling', trigger('drift', 'later'));
    await waitForRows(scenario, 4);
    expect(outcomeOf(scenario, 'later')).toMatchObject({ outcome: 'ran' });
    await end('cooling');
  });

  it('queues data that comes while a run is in flight, and coalesces what comes after it', async () => {
    const scenario = environment.world.scenario('feeding', { spec: slowPipeline('feeding', 600) });
    await environment.submitTrigger('feeding', trigger('data', 'january'));
    await waitForRows(scenario, 1);
    for (const id of ['february', 'march', 'april']) await environment.submitTrigger('feeding', trigger('data', id));
    await environment.submitTrigger('feeding', trigger('drift', 'shift'));
    await waitForRows(scenario, 4);
    expect(outcomeOf(scenario, 'march')).toEqual({ outcome: 'coalesced', into: 'february' });
    expect(outcomeOf(scenario, 'shift')).toEqual({ outcome: 'coalesced', into: runIdOf(scenario, 'january') });
    expect(scenario.triggers.has('february')).toBe(false);
    expect(await ledgerOf('feeding').query(triggersStatusQuery)).toMatchObject({ pending: 1, inFlight: runIdOf(scenario, 'january') });
    await environment.temporal.sleep('11 minutes');
    await waitForRows(scenario, 5);
    expect(runIdOf(scenario, 'february')).not.toBe(runIdOf(scenario, 'january'));
    await end('feeding');
  });

  it('rejects what the pipeline does not want, and events of a pipeline that is not there', async () => {
    const scenario = environment.world.scenario('modest', { spec: slowPipeline('modest', 60, { drift: false, data: false }) });
    await environment.submitTrigger('modest', trigger('drift', 'd'));
    await environment.submitTrigger('modest', trigger('data', 'n'));
    await waitForRows(scenario, 2);
    expect(outcomeOf(scenario, 'd')).toEqual({ outcome: 'rejected', reason: 'the pipeline does not retrain on drift' });
    expect(outcomeOf(scenario, 'n')).toEqual({ outcome: 'rejected', reason: 'the pipeline does not retrain on data' });
    const gone = environment.world.scenario('gone');
    await environment.submitTrigger('gone', trigger('manual', 'm'));
    await waitForRows(gone, 1);
    expect(outcomeOf(gone, 'm')).toEqual({ outcome: 'rejected', reason: 'there is no such pipeline' });
    await end('modest');
    await end('gone');
  });

  it('never runs one trigger twice, even when a new ledger knows nothing of the old one', async () => {
    const scenario = environment.world.scenario('twice', { spec: slowPipeline('twice', 60) });
    await environment.submitTrigger('twice', trigger('manual', 'once'));
    await environment.submitTrigger('twice', trigger('manual', 'once'));
    await waitForRows(scenario, 1);
    const runId = runIdOf(scenario, 'once');
    await environment.temporal.sleep('10 minutes');
    await end('twice');
    await environment.submitTrigger('twice', trigger('manual', 'once'));
    await environment.submitTrigger('twice', trigger('manual', 'another'));
    await environment.temporal.sleep('10 minutes');
    await waitForRows(scenario, 2);
    expect(runIdOf(scenario, 'another')).not.toBe(runId);
    expect(scenario.calls.filter((name) => name === 'ingest').length).toBe(2);
    await end('twice');
  });

  it('finds the end of a run that it cannot watch, and then starts the queued one', async () => {
    const scenario = environment.world.scenario('forgetful', { spec: slowPipeline('forgetful', 3_600) });
    const run = runInput(slowPipeline('forgetful', 3_600));
    await environment.startRun(run);
    const inFlight = { runId: run.runId, triggerId: 'long' };
    // What the ledger carries over when its history is long while a run is in flight.
    const resume = { recentIds: ['long'], pending: [], inFlight, next: [trigger('data', 'waiting')], lastAutomaticRunAtMs: null };
    await environment.startLedger({ pipeline: 'forgetful', resume });
    await environment.temporal.sleep('30 minutes');
    expect(await ledgerOf('forgetful').query(triggersStatusQuery)).toMatchObject({ inFlight: inFlight.runId, pending: 1 });
    await environment.temporal.sleep('45 minutes');
    await waitForRows(scenario, 1);
    expect(outcomeOf(scenario, 'waiting')).toMatchObject({ outcome: 'ran' });
    await end('forgetful');
  });

  it('continues as new without losing a trigger', async () => {
    const scenario = environment.world.scenario('lasting', { spec: slowPipeline('lasting', 60, { drift: false }) });
    const first = await environment.submitTrigger('lasting', trigger('drift', 'x-0'));
    for (let batch = 0; batch < 3; batch += 1) {
      const ids = Array.from({ length: 700 }, (_, index) => `x-${batch}-${index}`);
      await Promise.all(ids.map((id) => ledgerOf('lasting').signal('submitTrigger', trigger('drift', id))));
    }
    await waitForRows(scenario, 2_101);
    await environment.submitTrigger('lasting', trigger('manual', 'last'));
    await waitForRows(scenario, 2_102);
    expect(outcomeOf(scenario, 'last')).toMatchObject({ outcome: 'ran' });
    expect((await ledgerOf('lasting').describe()).runId).not.toBe((first as unknown as { signaledRunId: string }).signaledRunId);
    await end('lasting');
  });
});
