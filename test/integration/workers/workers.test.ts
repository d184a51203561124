import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorkflowControl } from '../../../adapters/temporal/workflow-control.ts';
import { historyFromJson } from '../../../adapters/temporal/history-json.ts';
import { createWorkerLeases } from '../../../adapters/postgres/worker-leases.ts';
import type { ArtifactRef } from '../../../contracts/artifact.ts';
import { runWorkflowId } from '../../../contracts/ids.ts';
import { StepsPipelineSpec } from '../../../contracts/pipeline.ts';
import type { RunInput } from '../../../contracts/run.ts';
import { ensureWorkflowBundle } from '../../../workers/bundle.ts';
import { startOrchestration, type Orchestration } from '../../support/orchestration.ts';

let stack: Orchestration;

beforeAll(async () => {
  await ensureWorkflowBundle();
  stack = await startOrchestration({ pools: ['workflows', 'data'] });
}, 180_000);
afterAll(() => stack?.stop());

const startRun = async (steps: { name: string; pool?: string }[]) => {
  const runId = `chain.${randomUUID()}`;
  const spec = StepsPipelineSpec.parse({ kind: 'steps', name: 'chain', steps: steps.map((step) => ({ ...step, kind: 'noop' })) });
  const input: RunInput = { runId, pipeline: 'chain', pipelineVersion: 1, spec, trigger: { kind: 'manual', id: runId, reason: 'test' } };
  const handle = await stack.client.workflow.start('pipelineRun', { workflowId: runWorkflowId('chain', runId), taskQueue: 'workflows', args: [input] });
  return { runId, handle };
};

const names = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `s${index + 1}` }));
const runRow = (runId: string) => stack.test.database.selectFrom('runs').selectAll().where('run_id', '=', runId).executeTakeFirst();
const stepRows = (runId: string) => stack.test.database.selectFrom('run_steps').selectAll().where('run_id', '=', runId).orderBy('position').execute();
const isSettled = async (runId: string): Promise<boolean> => ((await runRow(runId))?.history ?? null) !== null;
const artifactPath = ({ sha256 }: ArtifactRef): string => join(stack.home, 'artifacts', 'sha256', sha256.slice(0, 2), sha256);
/** True while a statement waits for the lock of a table. */
const isBlocked = async ({ test }: Orchestration): Promise<boolean> => {
  const { rows } = await test.pool.query("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'");
  return rows.length > 0;
};
const livePools = () => createWorkerLeases(stack.test.database).live();

describe('workers', () => {
  it('run a pipeline of steps, its rows and its exported history', async () => {
    const { runId, handle } = await startRun(names(7));
    expect(await handle.result()).toEqual({ kind: 'succeeded' });
    expect(await runRow(runId)).toMatchObject({ state: 'succeeded', outcome: { kind: 'succeeded' } });
    const steps = await stepRows(runId);
    expect(steps.map((step) => [step.step, step.state, step.attempts])).toEqual(names(7).map(({ name }) => [name, 'succeeded', 1]));
    await expect.poll(() => isSettled(runId), { timeout: 30_000 }).toBe(true);
    const { artifact, events } = (await runRow(runId))?.history as { artifact: ArtifactRef; events: number };
    const history = historyFromJson(readFileSync(artifactPath(artifact), 'utf8'));
    expect(history.events).toHaveLength(events);
    await Worker.runReplayHistory({ workflowBundle: await ensureWorkflowBundle() }, history, handle.workflowId);
  });

  it('tell the truth about a run that was terminated', async () => {
    const { runId, handle } = await startRun([{ name: 's1' }, { name: 's2', pool: 'nobody' }]);
    await expect.poll(async () => (await stepRows(runId)).map((step) => step.state), { timeout: 30_000 }).toEqual(['succeeded']);
    await handle.terminate('by the test');
    await expect.poll(() => isSettled(runId), { timeout: 30_000 }).toBe(true);
    expect(await runRow(runId)).toMatchObject({ state: 'terminated', failure: { code: 'RunTerminated', message: 'the run was terminated: by the test' } });
  });

  it('decide a trigger once, and say when Temporal cannot take it', async () => {
    const control = createWorkflowControl(stack.client);
    const trigger = { id: 't1', kind: 'data' as const, reason: 'new data', at: new Date().toISOString(), source: 'test' };
    const rows = () => stack.test.database.selectFrom('triggers').select(['trigger_id', 'outcome', 'rejection']).execute();
    await control.submitTrigger('nowhere', trigger);
    await control.submitTrigger('nowhere', trigger);
    await expect.poll(rows, { timeout: 20_000 }).toEqual([{ trigger_id: 't1', outcome: 'rejected', rejection: 'there is no such pipeline' }]);
    await stack.processes.pause('temporal');
    await expect(control.submitTrigger('nowhere', { ...trigger, id: 't2' })).rejects.toMatchObject({ code: 'TemporalUnavailable', retryable: true });
    await stack.processes.resume('temporal');
    await control.submitTrigger('nowhere', { ...trigger, id: 't3' });
    await expect.poll(async () => (await rows()).map((row) => row.trigger_id), { timeout: 30_000 }).toEqual(['t1', 't3']);
  });

  it('lose no run when a worker, the Temporal server or the database is killed', async () => {
    const runs = await Promise.all(Array.from({ length: 6 }, () => startRun(names(12))));
    stack.processes.kill('worker-data');
    const afterWorker = await startRun(names(12));
    stack.processes.kill('worker-workflows');
    await stack.processes.waitReady('worker-data');
    stack.processes.kill('temporal');
    await stack.processes.waitReady('temporal');
    await stack.postgres.kill();
    await stack.postgres.start();
    for (const { runId, handle } of [...runs, afterWorker]) {
      expect(await handle.result()).toEqual({ kind: 'succeeded' });
      expect(await runRow(runId)).toMatchObject({ state: 'succeeded' });
      expect((await stepRows(runId)).map((step) => step.state)).toEqual(names(12).map(() => 'succeeded'));
      await expect.poll(() => isSettled(runId), { timeout: 60_000 }).toBe(true);
    }
  }, 300_000);

  it('that are asked to end finish what they run, and exit with 0', async () => {
    await stack.addWorker('cpu');
    const lock = await stack.test.pool.connect();
    await lock.query('begin; lock table run_steps in access exclusive mode');
    const { runId, handle } = await startRun([{ name: 's1', pool: 'cpu' }]);
    await expect.poll(() => isBlocked(stack), { timeout: 20_000 }).toBe(true);
    stack.processes.kill('worker-cpu', 'SIGTERM');
    await expect.poll(() => stack.linesOf('worker-cpu').some((line) => line.includes('"state":"STOPPING"')), { timeout: 10_000 }).toBe(true);
    await lock.query('commit');
    lock.release();
    expect(await handle.result()).toEqual({ kind: 'succeeded' });
    expect(await stepRows(runId)).toMatchObject([{ state: 'succeeded', attempts: 1 }]);
    await expect.poll(() => stack.linesOf('worker-cpu').some((line) => line.includes('ended with exit code 0')), { timeout: 20_000 }).toBe(true);
  });

  it('hold a lease that ends with them', async () => {
    await stack.processes.waitReady('worker-data');
    await stack.addWorker('gpu');
    await expect.poll(livePools, { timeout: 15_000 }).toMatchObject({ workflows: 1, data: 1, gpu: 1 });
    await stack.processes.pause('worker-gpu');
    await expect.poll(async () => (await livePools())['gpu'], { timeout: 10_000 }).toBeUndefined();
    await stack.processes.resume('worker-gpu');
    await expect.poll(async () => (await livePools())['gpu'], { timeout: 15_000 }).toBe(1);
    await stack.processes.restart('worker-gpu');
    expect(stack.linesOf('worker-gpu').filter((line) => line.includes('drained'))).toHaveLength(1);
  });
});
