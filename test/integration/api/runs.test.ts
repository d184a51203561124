/** Runs through the API on a real Temporal server with real workers: started once, shown truthfully, waiting out loud. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestApi, eventually, modelPipeline, stepsPipeline, type AnswerBody, type TestApi } from '../../support/api.ts';
import { startOrchestration, type Orchestration } from '../../support/orchestration.ts';

let orchestration: Orchestration;
let api: TestApi;
let url: string;

beforeAll(async () => {
  orchestration = await startOrchestration({ pools: ['workflows', 'data'] });
  api = await createTestApi(orchestration.test, orchestration.client);
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  await api.as('author', { method: 'PUT', url: '/api/v1/pipelines/noops', payload: stepsPipeline('noops') });
});

afterAll(async () => {
  await api?.app.close();
  await orchestration?.stop();
});

const start = (pipeline: string, others: { payload?: object; headers?: Record<string, string> } = {}) => api.as('author', { method: 'POST', url: `/api/v1/pipelines/${pipeline}/runs`, ...others });
const show = async (runId: string): Promise<AnswerBody> => (await api.as('viewer', { method: 'GET', url: `/api/v1/runs/${runId}` })).body;
const until = (runId: string, what: (run: AnswerBody) => boolean, boundMs?: number): Promise<AnswerBody> =>
  eventually(`the run ${runId}`, async () => {
    const run = await show(runId);
    return what(run) ? run : undefined;
  }, boundMs);
/** A pool keeps its lease for up to 7 s after its worker died. */
const isWithoutWorker = (run: AnswerBody): boolean => String(run.waitingFor).endsWith('none is running');
/** Whatever a test finds out while a worker is away, the next one has it back. */
const without = async (worker: string, look: () => Promise<void>): Promise<void> => {
  await orchestration.processes.pause(worker);
  try {
    await look();
  } finally {
    await orchestration.processes.resume(worker);
  }
};
const executions = async (query: string): Promise<string[]> => {
  const found: string[] = [];
  for await (const { workflowId } of orchestration.client.workflow.list({ query })) found.push(workflowId);
  return found;
};

describe('a run', () => {
  it('is accepted, found at once, and shown to its end', async () => {
    const started = await start('noops', { payload: { reason: 'for the test' } });
    const { runId, workflowId, links } = started.body;
    expect(started).toMatchObject({ status: 202, headers: { location: `/api/v1/runs/${runId}` } });
    expect(runId).toMatch(/^noops\.[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(workflowId).toBe(`run/noops/${runId}`);
    expect(links.temporal).toContain(`/namespaces/default/workflows/${encodeURIComponent(workflowId)}`);
    expect(await show(runId)).toMatchObject({ runId, pipeline: 'noops', pipelineVersion: 1, trigger: { kind: 'manual', reason: 'for the test' } });
    const done = await until(runId, (run) => run.state !== 'running');
    expect(done).toMatchObject({ state: 'succeeded', outcome: { kind: 'succeeded' }, step: null, waitingFor: null, failure: null, degraded: null });
    expect(done.steps).toMatchObject([{ name: 'first', state: 'succeeded', pool: 'data', attempts: 1, output: { done: true } }, { name: 'second', state: 'succeeded' }]);
    expect(done.steps[0].durationMs).toBeGreaterThanOrEqual(0);
    expect((await api.as('viewer', { method: 'GET', url: '/api/v1/runs?pipeline=noops&state=succeeded' })).body.runs).toContainEqual(expect.objectContaining({ runId, state: 'succeeded' }));
    const description = await orchestration.client.workflow.getHandle(workflowId).describe();
    expect(description.memo).toMatchObject({ pipelineVersion: 1 });
    expect(description.searchAttributes).toMatchObject({ PerennialPipeline: ['noops'], PerennialTrigger: ['manual'] });
  });

  it('is one run for one Idempotency-Key, at once, later and after a crash in between', async () => {
    const headers = { 'idempotency-key': 'the-key' };
    const together = await Promise.all(Array.from({ length: 8 }, () => start('noops', { headers })));
    const ids = new Set(together.map((answer) => answer.body.runId));
    expect(ids.size).toBe(1);
    const [runId] = [...ids];
    await until(runId, (run) => run.state === 'succeeded');
    expect((await start('noops', { headers })).body.runId).toBe(runId);
    expect(await eventually('one execution', async () => ((await executions(`WorkflowId = 'run/noops/${runId}'`)).length === 1 ? true : undefined))).toBe(true);
    expect(await start('noops', { headers, payload: { reason: 'another body' } })).toMatchObject({ status: 409, body: { code: 'IdempotencyKeyReused' } });
    // The claim was written and the process died before the start: the request is sent again.
    await orchestration.test.database.insertInto('idempotency_keys').values({ scope: 'test-author run noops', key: 'crashed', request_hash: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a', status: null, response: null }).execute();
    const again = await start('noops', { headers: { 'idempotency-key': 'crashed' } });
    expect(again.status).toBe(202);
    expect((await start('noops', { headers: { 'idempotency-key': 'crashed' } })).body.runId).toBe(again.body.runId);
  });

  it('of an older version is that version, and of a missing one is refused', async () => {
    await api.as('author', { method: 'PUT', url: '/api/v1/pipelines/noops', payload: stepsPipeline('noops', [{ name: 'only', kind: 'noop' }]) });
    const old = await start('noops', { payload: { pipelineVersion: 1 } });
    expect((await until(old.body.runId, (run) => run.state === 'succeeded')).steps).toHaveLength(2);
    const current = await start('noops');
    expect(await until(current.body.runId, (run) => run.state === 'succeeded')).toMatchObject({ pipelineVersion: 2, steps: [{ name: 'only' }] });
    expect((await start('noops', { payload: { pipelineVersion: 9 } })).body.code).toBe('PipelineNotFound');
  });

  it('lists by pages', async () => {
    const first = (await api.as('viewer', { method: 'GET', url: '/api/v1/runs?limit=2' })).body;
    const second = (await api.as('viewer', { method: 'GET', url: `/api/v1/runs?limit=2&before=${first.next}` })).body;
    const ids = [...first.runs, ...second.runs].map((run: { runId: string }) => run.runId);
    expect(new Set(ids).size).toBe(4);
  });
});

describe('a run that waits for a worker', () => {
  it('says so within 10 seconds for a pool that was never started, and can be cancelled', async () => {
    await api.as('author', { method: 'PUT', url: '/api/v1/pipelines/on-gpu', payload: stepsPipeline('on-gpu', [{ name: 'first', kind: 'noop' }, { name: 'second', kind: 'noop', pool: 'gpu' }]) });
    const { runId } = (await start('on-gpu')).body;
    const waiting = await until(runId, (run) => isWithoutWorker(run), 10_000);
    expect(waiting).toMatchObject({ state: 'running', step: 'second', waitingFor: 'a worker of pool gpu: none is running' });
    expect(waiting.steps[1]).toMatchObject({ state: 'waiting', waitingFor: 'a worker of pool gpu: none is running', pool: 'gpu' });
    expect((await api.as('author', { method: 'POST', url: `/api/v1/runs/${runId}/retry` })).body).toMatchObject({ code: 'InvalidRequest' });
    expect(await api.as('author', { method: 'POST', url: `/api/v1/runs/${runId}/cancel` })).toMatchObject({ status: 202 });
    const cancelled = await until(runId, (run) => run.state !== 'running');
    expect(cancelled).toMatchObject({ state: 'cancelled', waitingFor: null });
    expect((await api.as('author', { method: 'POST', url: `/api/v1/runs/${runId}/cancel` })).status).toBe(202);
    expect((await api.as('approver', { method: 'POST', url: `/api/v1/runs/${runId}/approve` })).body.code).toBe('RunAlreadyFinished');
  });

  it('says so within 10 seconds of the death of the pool, and goes on when it is back', async () => {
    let runId = '';
    await without('worker-data', async () => {
      const killedAt = Date.now();
      runId = (await start('noops')).body.runId;
      const waiting = await until(runId, isWithoutWorker, 10_000);
      expect(Date.now() - killedAt).toBeLessThan(10_000);
      expect(waiting.waitingFor).toBe('a worker of pool data: none is running');
      expect((await api.as('viewer', { method: 'GET', url: '/api/v1/workers' })).body.pools).toContainEqual({ pool: 'data', workers: [] });
    });
    await until(runId, (run) => run.state === 'succeeded');
  });

  it('says so for the pool of workflows itself, before anything of the run exists', async () => {
    let runId = '';
    await without('worker-workflows', async () => {
      runId = (await start('noops')).body.runId;
      const waiting = await until(runId, isWithoutWorker, 10_000);
      expect(waiting).toMatchObject({ state: 'running', waitingFor: 'a worker of pool workflows: none is running', pipelineVersion: 2 });
    });
    await until(runId, (run) => run.state === 'succeeded');
  });
});

describe('a run that fails', () => {
  it('tells code, message and fix, and its end is true even without a row that says so', async () => {
    const impatient = stepsPipeline('impatient', [{ name: 'first', kind: 'noop' }, { name: 'second', kind: 'noop', pool: 'gpu', scheduleToStartSeconds: 1 }, { name: 'third', kind: 'noop' }]);
    await api.as('author', { method: 'PUT', url: '/api/v1/pipelines/impatient', payload: impatient });
    const { runId, workflowId } = (await start('impatient')).body;
    const failed = await until(runId, (run) => run.state === 'failed');
    expect(failed.failure).toEqual({ code: 'NoWorkerInPool', message: expect.stringContaining('"gpu"'), fix: expect.stringContaining('Start a worker') });
    expect(failed.steps[2]).toMatchObject({ name: 'third', state: 'skipped' });
    // As if the worker had died before it could write the end.
    await orchestration.test.database.updateTable('runs').set({ state: 'running', failure: null, finished_at: null }).where('workflow_id', '=', workflowId).execute();
    expect(await until(runId, (run) => run.state !== 'running')).toMatchObject({ state: 'failed', failure: failed.failure });
  });

  it('is retried as a new run that names it, once per Idempotency-Key', async () => {
    await api.as('author', { method: 'PUT', url: '/api/v1/pipelines/late', payload: modelPipeline('late', { source: { tables: { orders: { files: '/nowhere/*.parquet' } } } }) });
    const { runId } = (await start('late')).body;
    const failed = await until(runId, (run) => run.state === 'failed', 20_000);
    expect(failed.failure).toMatchObject({ code: expect.stringMatching(/^Source/), message: expect.any(String), fix: expect.any(String) });
    expect(failed.steps[0]).toMatchObject({ name: 'ingest', state: 'failed', failure: { code: failed.failure.code } });
    expect(failed.steps[7]).toMatchObject({ name: 'rollout', state: 'skipped' });
    const retry = () => api.as('author', { method: 'POST', url: `/api/v1/runs/${runId}/retry`, payload: { from: 'train' }, headers: { 'idempotency-key': 'again' } });
    const retried = await retry();
    expect(retried.status).toBe(202);
    expect((await retry()).body.runId).toBe(retried.body.runId);
    expect(await until(retried.body.runId, (run) => run.state === 'failed', 20_000)).toMatchObject({ retryOf: runId, trigger: { reason: `retry of ${runId} from train` } });
    expect((await api.as('author', { method: 'POST', url: `/api/v1/runs/${runId}/retry`, payload: { from: 'trian' } })).body.errors).toMatchObject([{ path: 'from', fix: expect.stringContaining('"train"') }]);
  });

  it('that was terminated by hand says so', async () => {
    const { runId, workflowId } = (await start('on-gpu')).body;
    await until(runId, (run) => run.step === 'second');
    await orchestration.client.workflow.getHandle(workflowId).terminate('by hand');
    expect(await until(runId, (run) => run.state !== 'running')).toMatchObject({ state: 'terminated', failure: { code: 'RunTerminated', message: 'the run was terminated: by hand' } });
  });
});

describe('an approval', () => {
  it('of a run that waits for none is refused', async () => {
    const { runId } = (await start('on-gpu')).body;
    await until(runId, (run) => run.step === 'second');
    const answer = await api.as('approver', { method: 'POST', url: `/api/v1/runs/${runId}/approve` });
    expect([answer.status, answer.body.code]).toEqual([409, 'RunNotWaiting']);
    await api.as('author', { method: 'POST', url: `/api/v1/runs/${runId}/cancel` });
  });
});

describe('events of a run', () => {
  const read = async (runId: string, role: 'viewer' | 'predictor' = 'viewer') =>
    fetch(`${url}/api/v1/runs/${runId}/events`, { headers: { authorization: `Bearer ${await api.keyOf(role)}`, 'last-event-id': '7' }, signal: AbortSignal.timeout(20_000) });

  it('tell each step and the end, then the stream is closed', async () => {
    const { runId } = (await start('noops')).body;
    const response = await read(runId);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const events = (await response.text()).split('\n\n').filter(Boolean).map((block) => ({ event: /^event: (.*)$/m.exec(block)?.[1], data: JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? 'null') as AnswerBody }));
    expect(events.at(-1)).toMatchObject({ event: 'end', data: { state: 'succeeded', outcome: { kind: 'succeeded' } } });
    expect(events.some(({ event, data }) => event === 'step' && data.name === 'only' && data.state === 'succeeded')).toBe(true);
  });

  it('are problem documents where there is no stream to give', async () => {
    expect((await read('noops.nothing')).status).toBe(404);
    expect((await read('noops.nothing', 'predictor')).status).toBe(403);
  });

  it('are at most 20 streams per key, and the API closes with them open', async () => {
    const { runId } = (await start('on-gpu')).body;
    await until(runId, (run) => run.step === 'second');
    const streams = await Promise.all(Array.from({ length: 20 }, () => read(runId)));
    expect(streams.every((stream) => stream.status === 200)).toBe(true);
    const refused = await read(runId);
    expect(refused.status).toBe(429);
    await streams[0]!.body?.cancel();
    await eventually('a free place', async () => {
      const response = await read(runId);
      void response.body?.cancel();
      return response.status === 200 ? true : undefined;
    });
    await api.as('author', { method: 'POST', url: `/api/v1/runs/${runId}/cancel` });
    const texts = await Promise.all(streams.slice(1).map((stream) => stream.text()));
    expect(texts.every((text) => text.includes('event: end'))).toBe(true);
  });
});

describe('data that arrived', () => {
  it('asks the ledger of every pipeline that wants it, once per event', async () => {
    const dataset = { source: { dataset: 'orders-2026', tables: { orders: { files: '/nowhere/*.parquet' } } }, triggers: { data: true } };
    await api.as('author', { method: 'PUT', url: '/api/v1/pipelines/first-reader', payload: modelPipeline('first-reader', dataset) });
    await api.as('author', { method: 'PUT', url: '/api/v1/pipelines/second-reader', payload: modelPipeline('second-reader', { ...dataset, triggers: { data: false } }) });
    const send = () => api.as('operator', { method: 'POST', url: '/api/v1/events', headers: { 'content-type': 'application/cloudevents+json' }, payload: JSON.stringify({ specversion: '1.0', id: 'arrival-1', source: 'lake', type: 'perennial.data.arrived', subject: 'orders-2026' }) });
    const accepted = await send();
    expect(accepted).toMatchObject({ status: 202, body: { accepted: [{ pipelines: ['first-reader', 'second-reader'] }] } });
    await send();
    const ledger = async (pipeline: string) => (await api.as('viewer', { method: 'GET', url: `/api/v1/triggers?pipeline=${pipeline}` })).body.triggers;
    const ran = await eventually('the ledger of the first', async () => ((await ledger('first-reader')).length > 0 ? await ledger('first-reader') : undefined));
    expect(ran).toMatchObject([{ kind: 'data', outcome: 'ran', source: 'lake', reason: 'perennial.data.arrived of orders-2026' }]);
    expect(await until(ran[0].runId, () => true)).toMatchObject({ pipeline: 'first-reader', trigger: { kind: 'data' } });
    const rejected = await eventually('the ledger of the second', async () => ((await ledger('second-reader')).length > 0 ? await ledger('second-reader') : undefined));
    expect(rejected).toMatchObject([{ outcome: 'rejected', runId: null }]);
  });
});

describe('Temporal that was away', () => {
  it('is found again by itself, and nothing that was accepted is lost', async () => {
    await without('temporal', async () => {
      const refused = await start('noops', { headers: { 'idempotency-key': 'while-away' } });
      expect([refused.status, refused.body.code]).toEqual([503, 'TemporalUnavailable']);
    });
    const accepted = await eventually('a start', async () => {
      const answer = await start('noops', { headers: { 'idempotency-key': 'while-away' } });
      return answer.status === 202 ? answer : undefined;
    }, 20_000);
    await until(accepted.body.runId, (run) => run.state === 'succeeded', 30_000);
  });
});
