/** Requests that need only PostgreSQL: bad input, pipelines, keys of idempotency, labels, events without subscriber, and outages. */
import type { Client } from '@temporalio/client';
import type { InjectOptions } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestApi, modelPipeline, stepsPipeline, unreachableTemporal, type TestApi } from '../../support/api.ts';
import { startTestPostgres, type TestDatabase, type TestPostgres } from '../../support/database.ts';

let postgres: TestPostgres;
let test: TestDatabase;
let client: Client;
let api: TestApi;

beforeAll(async () => {
  postgres = await startTestPostgres();
  test = await postgres.createDatabase();
  client = await unreachableTemporal();
  api = await createTestApi(test, client);
  await test.database.insertInto('registered_models').values({ name: 'late' }).execute();
});

afterAll(async () => {
  await api?.app.close();
  await test?.drop();
  await postgres?.stop();
});

const put = (name: string, payload: unknown, headers: Record<string, string> = {}) => api.as('author', { method: 'PUT', url: `/api/v1/pipelines/${name}`, payload: payload as object, headers });
const admin = (method: InjectOptions['method'], url: string, others: InjectOptions = {}) => api.as('admin', { method, url, ...others });

describe('bad input', () => {
  const json = { 'content-type': 'application/json' };
  const pipeline = '/api/v1/pipelines/late';
  const labels = '/api/v1/models/late/labels';
  const cases: [string, InjectOptions, number, string][] = [
    ['a body that is no JSON', { method: 'PUT', url: pipeline, payload: '{', headers: json }, 400, 'MalformedBody'],
    ['an empty body', { method: 'PUT', url: pipeline, payload: '', headers: json }, 400, 'MalformedBody'],
    ['no body at all', { method: 'PUT', url: pipeline }, 400, 'MalformedBody'],
    ['a poisoned body', { method: 'PUT', url: pipeline, payload: '{"__proto__":{"x":1}}', headers: json }, 400, 'MalformedBody'],
    ['a poisoned constructor', { method: 'POST', url: labels, payload: '{"constructor":{"prototype":{"x":1}}}', headers: json }, 400, 'MalformedBody'],
    ['a deep body', { method: 'PUT', url: pipeline, payload: `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, headers: json }, 400, 'InvalidPipeline'],
    ['a number too large', { method: 'POST', url: labels, payload: '{"labels":[{"inferenceId":"a","label":1e400}]}', headers: json }, 400, 'InvalidRequest'],
    ['a body that is too large', { method: 'PUT', url: pipeline, payload: JSON.stringify({ a: 'x'.repeat(1_100_000) }), headers: json }, 413, 'PayloadTooLarge'],
    ['YAML that is too large', { method: 'PUT', url: pipeline, payload: `a: ${'x'.repeat(200_000)}`, headers: { 'content-type': 'application/yaml' } }, 413, 'PayloadTooLarge'],
    ['another content type', { method: 'PUT', url: pipeline, payload: '<a/>', headers: { 'content-type': 'text/xml' } }, 415, 'UnsupportedMediaType'],
    ['a content type with a tab', { method: 'POST', url: labels, payload: '{"labels":[]}', headers: { 'content-type': 'application/json\ta' } }, 415, 'UnsupportedMediaType'],
    ['YAML where only JSON is taken', { method: 'POST', url: labels, payload: 'labels: []', headers: { 'content-type': 'application/yaml' } }, 415, 'UnsupportedMediaType'],
    ['a name that is a path', { method: 'GET', url: '/api/v1/models/..%2fetc' }, 400, 'InvalidRequest'],
    ['a name with a backslash', { method: 'GET', url: '/api/v1/pipelines/..%5c' }, 400, 'InvalidRequest'],
    ['a name with NUL', { method: 'GET', url: '/api/v1/datasets/a%00b' }, 400, 'InvalidRequest'],
    ['a name that is too long', { method: 'GET', url: `/api/v1/models/${'a'.repeat(200)}` }, 400, 'InvalidRequest'],
    ['a name that begins with a dash', { method: 'GET', url: '/api/v1/models/-rf' }, 400, 'InvalidRequest'],
    ['a broken percent-encoding', { method: 'GET', url: '/api/v1/models/%zz' }, 400, 'InvalidRequest'],
    ['an unknown query', { method: 'GET', url: '/api/v1/runs?pipelin=late' }, 400, 'InvalidRequest'],
    ['a limit of zero', { method: 'GET', url: '/api/v1/runs?limit=0' }, 400, 'InvalidRequest'],
    ['an injected limit', { method: 'GET', url: '/api/v1/runs?limit=1;drop%20table%20runs' }, 400, 'InvalidRequest'],
    ['an unknown state', { method: 'GET', url: "/api/v1/runs?state='--" }, 400, 'InvalidRequest'],
    ['a run id that is none', { method: 'GET', url: '/api/v1/runs/late' }, 400, 'InvalidRequest'],
    ['a version that is no number', { method: 'GET', url: '/api/v1/models/late/versions/x' }, 400, 'InvalidRequest'],
    ['a role that is none', { method: 'POST', url: '/api/v1/keys', payload: { name: 'a', role: 'root' } }, 400, 'InvalidRequest'],
    ['a key name with a line break', { method: 'POST', url: '/api/v1/keys', payload: { name: 'a\nb', role: 'viewer' } }, 400, 'InvalidRequest'],
    ['an Idempotency-Key with spaces', { method: 'POST', url: '/api/v1/keys', payload: { name: 'a', role: 'viewer' }, headers: { 'idempotency-key': 'a b' } }, 400, 'InvalidRequest'],
    ['a label that is no number', { method: 'POST', url: labels, payload: { labels: [{ inferenceId: 'a', label: 'yes' }] } }, 400, 'InvalidRequest'],
    ['no labels', { method: 'POST', url: labels, payload: { labels: [] } }, 400, 'InvalidRequest'],
    ['too many labels', { method: 'POST', url: labels, payload: { labels: Array.from({ length: 10_001 }, () => ({ inferenceId: 'a', label: 1 })) } }, 400, 'InvalidRequest'],
    ['a text that PostgreSQL cannot hold', { method: 'POST', url: labels, payload: { labels: [{ inferenceId: 'a\u0000b', label: 1 }] } }, 400, 'InvalidRequest'],
    ['a pipeline that PostgreSQL cannot hold', { method: 'PUT', url: '/api/v1/pipelines/nul', payload: { ...stepsPipeline('nul'), description: 'a\u0000b' } }, 400, 'InvalidRequest'],
    ['a time that is none', { method: 'POST', url: labels, payload: { labels: [{ inferenceId: 'a', label: 1, observedAt: 'yesterday' }] } }, 400, 'InvalidRequest'],
    ['an unknown key in a request', { method: 'POST', url: '/api/v1/models/late/rollouts', payload: { version: 1, step: [] } }, 400, 'InvalidRequest'],
    ['a rollout that contradicts itself', { method: 'POST', url: '/api/v1/models/late/rollouts', payload: { version: 1, steps: [{ weight: 50 }] } }, 400, 'InvalidRequest'],
    ['a rollout of no version', { method: 'POST', url: '/api/v1/models/late/rollouts', payload: { version: 7 } }, 404, 'ModelVersionNotFound'],
    ['a model that is not there', { method: 'GET', url: '/api/v1/models/nobody' }, 404, 'ModelNotFound'],
    ['labels of a model that is not there', { method: 'POST', url: '/api/v1/models/nobody/labels', payload: { labels: [{ inferenceId: 'a', label: 1 }] } }, 404, 'ModelNotFound'],
    ['a deployment of a model that is not there', { method: 'GET', url: '/api/v1/models/nobody/deployment' }, 404, 'ModelNotFound'],
    ['a version that is not there', { method: 'GET', url: '/api/v1/models/late/versions/9' }, 404, 'ModelVersionNotFound'],
    ['a pipeline that is not there', { method: 'GET', url: '/api/v1/pipelines/nobody' }, 404, 'PipelineNotFound'],
    ['a run of a pipeline that is not there', { method: 'POST', url: '/api/v1/pipelines/nobody/runs', payload: {} }, 404, 'PipelineNotFound'],
    ['a dataset that is not there', { method: 'GET', url: '/api/v1/datasets/nobody' }, 404, 'DatasetNotFound'],
    ['an event that is none', { method: 'POST', url: '/api/v1/events', payload: '{}', headers: { 'content-type': 'application/cloudevents+json' } }, 400, 'InvalidRequest'],
    ['an event without a content type', { method: 'POST', url: '/api/v1/events', payload: '{}', headers: json }, 400, 'MalformedBody'],
    ['a batch that is no list', { method: 'POST', url: '/api/v1/events', payload: '{}', headers: { 'content-type': 'application/cloudevents-batch+json' } }, 400, 'MalformedBody'],
  ];

  it.each(cases)('%s', async (_what, request, status, code) => {
    const answer = await api.as('admin', request);
    expect([answer.status, answer.body?.code, answer.headers['content-type']]).toEqual([status, code, 'application/problem+json']);
    expect(answer.body).toMatchObject({ type: `urn:perennial:error:${code}`, status, title: expect.any(String), detail: expect.any(String), fix: expect.any(String), instance: expect.any(String) });
    expect(answer.text).not.toMatch(/node_modules|\.ts:\d|select |insert /);
    expect(answer.body.requestId).toBe(answer.headers['x-request-id']);
  });

  it('left Object.prototype alone', () => expect(Object.keys(Object.prototype)).toEqual([]));
});

describe('pipelines', () => {
  it('get a version when they change, and only then', async () => {
    const first = await put('versions', modelPipeline('versions'));
    expect(first).toMatchObject({ status: 201, body: { name: 'versions', version: 1, created: true } });
    const again = await put('versions', { ...modelPipeline('versions'), gates: [], triggers: {} });
    expect(again).toMatchObject({ status: 200, body: { version: 1, created: false, hash: first.body.hash } });
    const changed = await put('versions', modelPipeline('versions', { owner: 'someone' }));
    expect(changed).toMatchObject({ status: 201, body: { version: 2, created: true } });
    const back = await put('versions', modelPipeline('versions'));
    expect(back).toMatchObject({ status: 201, body: { version: 3, hash: first.body.hash } });
  });

  it('are the same in YAML and JSON', async () => {
    const yaml = ['kind: steps', 'steps:', '  - name: first', '    kind: noop', '  - {name: second, kind: noop}'].join('\n');
    expect(await put('same', stepsPipeline('same'))).toMatchObject({ status: 201 });
    for (const type of ['application/yaml', 'text/yaml; charset=utf-8', 'application/x-yaml']) {
      expect(await put('same', yaml, { 'content-type': type })).toMatchObject({ status: 200, body: { version: 1, created: false } });
    }
  });

  it('say with the line what is wrong in YAML', async () => {
    const answer = await put('wrong', 'kind: steps\nsteps:\n  - name: a\n    knd: noop\n', { 'content-type': 'application/yaml' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'InvalidPipeline' } });
    expect(answer.body.errors).toContainEqual({ path: 'steps[0].knd', message: 'there is no key "knd" here', fix: 'Did you mean "kind"? Valid keys here: name, kind, pool, scheduleToStartSeconds.', line: 4 });
  });

  it('get one number each when many apply at once', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => put('race', stepsPipeline('race', [{ name: `step-${index}`, kind: 'noop' }]))));
    expect(answers.map((answer) => answer.body.version).sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
  });

  it('are shown, with older versions, and listed', async () => {
    await put('shown', modelPipeline('shown'));
    await put('shown', modelPipeline('shown', { owner: 'someone' }));
    const current = await admin('GET', '/api/v1/pipelines/shown');
    expect(current.body).toMatchObject({ name: 'shown', version: 2, versions: [1, 2], createdBy: 'the author', spec: { owner: 'someone', kind: 'model' } });
    expect((await admin('GET', '/api/v1/pipelines/shown?version=1')).body.spec.owner).toBeUndefined();
    expect((await admin('GET', '/api/v1/pipelines/shown?version=3')).body.code).toBe('PipelineNotFound');
    expect((await admin('GET', '/api/v1/pipelines')).body.pipelines).toContainEqual(expect.objectContaining({ name: 'shown', version: 2, kind: 'model', owner: 'someone' }));
  });

  it('leave an audit row for each change, and none for an unchanged one', async () => {
    await put('audited', stepsPipeline('audited'));
    await put('audited', stepsPipeline('audited'));
    const rows = await test.database.selectFrom('audit').select(['actor', 'action', 'detail']).where('subject', '=', 'audited').execute();
    expect(rows).toMatchObject([{ actor: 'the author', action: 'pipeline.apply', detail: { version: 1, role: 'author' } }]);
  });
});

describe('labels', () => {
  const send = (labels: unknown[]) => api.as('predictor', { method: 'POST', url: '/api/v1/models/late/labels', payload: { labels } });

  it('are stored once, the first one of an inference', async () => {
    expect((await send([{ inferenceId: 'i1', label: 1 }, { inferenceId: 'i1', label: 0 }, { inferenceId: 'i2', label: false, observedAt: '2026-05-01T10:00:00+02:00' }])).body).toEqual({ received: 3, stored: 2, duplicates: 1 });
    expect((await send([{ inferenceId: 'i2', label: true }, { inferenceId: 'i3', label: true }])).body).toEqual({ received: 2, stored: 1, duplicates: 1 });
    const rows = await test.database.selectFrom('labels').select(['inference_id', 'label', 'observed_at']).where('model', '=', 'late').orderBy('inference_id').execute();
    expect(rows).toEqual([
      { inference_id: 'i1', label: 1, observed_at: null },
      { inference_id: 'i2', label: 0, observed_at: new Date('2026-05-01T08:00:00Z') },
      { inference_id: 'i3', label: 1, observed_at: null },
    ]);
  });

  it('come 10,000 at a time, and twice at once without a deadlock', async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => ({ inferenceId: `many-${index.toString().padStart(36, '0')}`, label: index % 2, observedAt: '2026-05-01T10:00:00Z' }));
    const answers = await Promise.all([send(many), send([...many].reverse())]);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200]);
    expect(answers[0]!.body.stored + answers[1]!.body.stored).toBe(10_000);
  });
});

describe('events that nobody wants', () => {
  const send = (payload: unknown, headers: Record<string, string>) => api.as('operator', { method: 'POST', url: '/api/v1/events', payload: typeof payload === 'string' ? payload : JSON.stringify(payload), headers });
  const event = (id: string, changes: Record<string, unknown> = {}) => ({ specversion: '1.0', id, source: 'test', type: 'perennial.data.arrived', subject: 'unknown', time: '2026-05-01T10:00:00Z', ...changes });
  const rows = () => test.database.selectFrom('triggers').select(['trigger_id', 'outcome', 'rejection', 'reason']).where('pipeline', '=', '').orderBy('recorded_at').execute();
  const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' };

  it('are rows, one each, in all three forms', async () => {
    const one = await send(event('e1'), structured);
    expect(one).toMatchObject({ status: 202, body: { accepted: [{ id: 'e1', source: 'test', pipelines: [] }] } });
    const binary = await send('{"rows":3}', { 'ce-specversion': '1.0', 'ce-id': 'e1', 'ce-source': 'test', 'ce-type': 'perennial.data.arrived', 'ce-subject': 'unknown', 'content-type': 'application/json' });
    expect(binary.body.accepted[0].triggerId).toBe(one.body.accepted[0].triggerId);
    const batch = await send([event('e1'), event('e2', { subject: 'another%C3%A9' }), event('e3', { type: 'some.other.type', subject: undefined })], { 'content-type': 'application/cloudevents-batch+json' });
    expect(batch.body.accepted).toHaveLength(3);
    expect(await rows()).toHaveLength(3);
    expect((await rows())[0]).toMatchObject({ outcome: 'rejected', rejection: 'no subscriber', reason: 'perennial.data.arrived of unknown' });
    expect((await admin('GET', '/api/v1/triggers?pipeline=')).body.triggers).toHaveLength(3);
  });

  it('are refused as a whole when one of a batch is not valid', async () => {
    const before = await rows();
    const answer = await send([event('e8'), event('e9', { specversion: '0.3' })], { 'content-type': 'application/cloudevents-batch+json' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'InvalidRequest', errors: [{ path: '[1].specversion' }] } });
    expect(await send(event('e10', { subject: '' }), structured)).toMatchObject({ status: 400, body: { errors: [{ path: 'subject' }] } });
    expect(await send(event('e11', { Bad_Name: 1 }), structured)).toMatchObject({ status: 400, body: { errors: [{ path: 'Bad_Name' }] } });
    expect(await rows()).toEqual(before);
  });
});

describe('without Temporal', () => {
  it('starts are refused as an outage that passes, and reads go on', async () => {
    await put('down', stepsPipeline('down'));
    const start = await api.as('author', { method: 'POST', url: '/api/v1/pipelines/down/runs', payload: {} });
    expect(start).toMatchObject({ status: 503, body: { code: 'TemporalUnavailable' }, headers: { 'retry-after': '2' } });
    await test.database.insertInto('runs').values({ run_id: 'down.1', pipeline: 'down', pipeline_version: 1, model: 'late', workflow_id: 'run/down/down.1', trigger: JSON.stringify({ kind: 'manual', id: 'm', reason: 'r' }), retry_of: null, started_at: new Date(Date.now() - 60_000) }).execute();
    const run = await api.as('viewer', { method: 'GET', url: '/api/v1/runs/down.1' });
    expect(run).toMatchObject({ status: 200, body: { state: 'running', degraded: expect.stringMatching(/Temporal does not answer/) } });
    expect((await api.as('viewer', { method: 'GET', url: '/api/v1/runs/down.2' })).body.code).toBe('TemporalUnavailable');
    expect((await api.as('viewer', { method: 'GET', url: '/api/v1/runs?pipeline=down' })).body.runs).toMatchObject([{ runId: 'down.1', state: 'running' }]);
    expect((await api.as('viewer', { method: 'GET', url: '/api/v1/models/late/deployment' })).body).toMatchObject({ generation: 0, split: { stable: null }, rollout: null });
    expect(await api.request({ method: 'GET', url: '/readyz' })).toMatchObject({ status: 503, body: { ready: false, postgres: true, temporal: false } });
    expect((await api.request({ method: 'GET', url: '/healthz' })).status).toBe(200);
  });

  it('acts that need a worker say that there is none', async () => {
    expect(await api.as('approver', { method: 'POST', url: '/api/v1/runs/down.1/approve', payload: {} })).toMatchObject({ status: 503, body: { code: 'NoWorkerInPool' } });
    expect(await api.as('operator', { method: 'POST', url: '/api/v1/models/late/rollout/abort', payload: {} })).toMatchObject({ status: 503, body: { code: 'NoWorkerInPool' } });
  });
});

describe('without PostgreSQL', () => {
  afterEach(() => postgres.start());

  it('everything is an outage that passes, never a stack, and it comes back by itself', async () => {
    await api.as('viewer', { method: 'GET', url: '/api/v1/runs' });
    await postgres.kill();
    for (const url of ['/api/v1/runs', '/api/v1/runs/down.1', '/api/v1/models', '/api/v1/triggers', '/api/v1/workers']) {
      const answer = await api.as('viewer', { method: 'GET', url });
      expect([url, answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([url, 503, 'PostgresUnavailable', '2']);
      expect(answer.text).not.toMatch(/ECONN|127\.0\.0\.1|node_modules/);
    }
    expect(await api.request({ method: 'GET', url: '/readyz' })).toMatchObject({ status: 503, body: { postgres: false } });
    await postgres.start();
    expect((await api.as('viewer', { method: 'GET', url: '/api/v1/runs' })).status).toBe(200);
    await postgres.kill();
  });
});
