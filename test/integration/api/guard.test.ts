/** Every route of the live table against every role: nothing is open by being forgotten. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '@temporalio/client';
import type { RouteOptions } from 'fastify';
import { newApiKey } from '../../../api/keys/api-key.ts';
import type { Policy } from '../../../api/http/guard.ts';
import { createApp } from '../../../api/app.ts';
import { ROLES } from '../../../contracts/roles.ts';
import { isAllowed } from '../../../domain/permissions.ts';
import { createTestApi, unreachableTemporal, type TestApi } from '../../support/api.ts';
import { startTestPostgres, type TestDatabase, type TestPostgres } from '../../support/database.ts';

type Route = { method: string; url: string; policy: Policy };

let postgres: TestPostgres;
let test: TestDatabase;
let client: Client;
let api: TestApi;
let routes: Route[];

/** The routes as they are registered, not as a list says. */
const routesOf = async (dependencies: Parameters<typeof createApp>[0]): Promise<Route[]> => {
  const seen: RouteOptions[] = [];
  const app = await createApp({ ...dependencies, onRoute: (route) => void seen.push(route) });
  await app.ready();
  await app.close();
  return seen.flatMap((route) => [route.method].flat().map((method) => ({ method, url: route.url, policy: route.config?.policy as Policy })));
};

beforeAll(async () => {
  postgres = await startTestPostgres();
  test = await postgres.createDatabase();
  client = await unreachableTemporal();
  api = await createTestApi(test, client);
  routes = await routesOf(api.dependencies);
});

afterAll(async () => {
  await api?.app.close();
  await test?.drop();
  await postgres?.stop();
});

const EXAMPLES: Record<string, string> = { name: 'late', model: 'late', id: 'late.1', version: '1', '*': 'x' };
const pathOf = (url: string): string => url.replaceAll(/:([a-z]+)|\*/g, (_, name: string | undefined) => EXAMPLES[name ?? '*'] ?? 'x');
const requestOf = ({ method, url }: Route) => ({ method: method as 'GET', url: pathOf(url) });

/** Routes of MLflow's protocol, whose errors have its form. */
const isTracking = (url: string): boolean => /^\/(api\/[23]\.0\/mlflow|ajax-api\/|version$|health$)/.test(url);

const OPEN = ['/health', '/healthz', '/readyz', '/openapi.json', '/', '/console', '/console/*', '/console/assets/*', '/api/v1/session'];

describe('the route table', () => {
  it('has the routes that the design names', () => {
    const table = new Set(routes.map(({ method, url }) => `${method} ${url}`));
    const names = [
      'PUT /api/v1/pipelines/:name', 'GET /api/v1/pipelines', 'GET /api/v1/pipelines/:name', 'POST /api/v1/pipelines/:name/runs',
      'GET /api/v1/runs', 'GET /api/v1/runs/:id', 'GET /api/v1/runs/:id/events',
      'POST /api/v1/runs/:id/cancel', 'POST /api/v1/runs/:id/retry', 'POST /api/v1/runs/:id/approve', 'POST /api/v1/runs/:id/reject',
      'GET /api/v1/models', 'GET /api/v1/models/:model', 'GET /api/v1/models/:model/versions/:version', 'POST /api/v1/models/:model/rollouts',
      'GET /api/v1/models/:model/deployment', 'POST /api/v1/models/:model/rollout/promote', 'POST /api/v1/models/:model/rollout/pause',
      'POST /api/v1/models/:model/rollout/resume', 'POST /api/v1/models/:model/rollout/abort', 'POST /api/v1/models/:model/rollback',
      'POST /api/v1/models/:model/labels', 'GET /api/v1/models/:model/monitor', 'POST /api/v1/events', 'GET /api/v1/triggers',
      'GET /api/v1/datasets', 'GET /api/v1/datasets/:name', 'GET /api/v1/datasets/:name/:version',
      'GET /api/v1/alerts', 'GET /api/v1/alerts/:id', 'POST /api/v1/alerts/:id/acknowledge', 'POST /api/v1/alerts/:id/resolve',
      'GET /api/v1/silences', 'GET /api/v1/silences/:id', 'POST /api/v1/silences', 'PUT /api/v1/silences/:id', 'DELETE /api/v1/silences/:id',
      'GET /api/v1/keys', 'POST /api/v1/keys', 'DELETE /api/v1/keys/:id', 'GET /api/v1/workers',
      'HEAD /healthz', 'GET /healthz', 'GET /readyz', 'GET /metrics', 'GET /openapi.json',
    ];
    expect(names.filter((name) => !table.has(name))).toEqual([]);
  });

  it('is documented as OpenAPI 3.1, with references that resolve', async () => {
    const { body } = await api.request({ method: 'GET', url: '/openapi.json' });
    expect(body.openapi).toMatch(/^3\.1\./);
    const documented = new Set(Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)));
    const expected = routes.filter(({ method, url }) => url.startsWith('/api/') && method !== 'HEAD' && !url.endsWith('mlflow/*') && !url.endsWith('mlflow-artifacts/*')).map(({ method, url }) => `${method} ${url.replaceAll(/:([a-z]+)/g, '{$1}').replace(/\*$/, '{*}')}`);
    expect(expected.filter((name) => !documented.has(name))).toEqual([]);
    const references = new Set([...JSON.stringify(body).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]));
    expect([...references].filter((reference) => body.components.schemas[String(reference).replace('#/components/schemas/', '')] === undefined)).toEqual([]);
    const docs = await api.request({ method: 'GET', url: '/docs' });
    expect(docs).toMatchObject({ status: 200, headers: { 'content-security-policy': expect.stringContaining("default-src 'self'") } });
  });

  it('has a policy for each route, and few are open', () => {
    expect(routes.filter(({ policy }) => policy === undefined)).toEqual([]);
    const open = routes.filter(({ policy, url }) => policy === 'open' && !/^\/docs(\/|$)/.test(url)).map(({ url }) => url);
    expect([...new Set(open)].sort()).toEqual([...OPEN].sort());
  });

  it('answers 401 without a key, and with one that is malformed, unknown or revoked', async () => {
    const revoked = newApiKey();
    const wrong = [undefined, 'Bearer x', `Bearer ${newApiKey()}`, `Bearer ${revoked}`, `Basic ${newApiKey()}`];
    for (const route of routes.filter(({ policy }) => policy !== 'open')) {
      for (const authorization of wrong) {
        const answer = await api.request({ ...requestOf(route), headers: authorization === undefined ? {} : { authorization } });
        // The answer to HEAD has no body.
        const code = route.method === 'HEAD' ? undefined : isTracking(route.url) ? 'UNAUTHENTICATED' : 'Unauthenticated';
        expect([route.method, route.url, answer.status, answer.body?.code ?? answer.body?.error_code]).toEqual([route.method, route.url, 401, code]);
      }
    }
  });

  it('lets each role do what the table says, and nothing else', async () => {
    for (const role of ROLES) {
      for (const route of routes.filter(({ policy }) => policy !== 'open')) {
        const { status } = await api.as(role, requestOf(route));
        const allowed = isAllowed(role, route.policy as Exclude<Policy, 'open'>);
        expect([role, route.method, route.url, status === 403]).toEqual([role, route.method, route.url, !allowed]);
        expect([route.method, route.url, status]).not.toEqual([route.method, route.url, 500]);
        expect(status).not.toBe(401);
      }
    }
  }, 60_000);

  it('does not tell whether a route exists without a key', async () => {
    expect((await api.request({ method: 'GET', url: '/api/v1/nothing' })).status).toBe(401);
    expect((await api.as('viewer', { method: 'GET', url: '/api/v1/nothing' })).body).toMatchObject({ status: 404, code: 'RouteNotFound' });
    expect((await api.as('viewer', { method: 'PATCH', url: '/api/v1/runs' })).status).toBe(404);
  });

  it('keeps /metrics for keys unless it was opened, and opens it where it was', async () => {
    expect((await api.request({ method: 'GET', url: '/metrics' })).status).toBe(401);
    const metrics = await api.as('viewer', { method: 'GET', url: '/metrics' });
    expect(metrics.text).toMatch(/perennial_api_request_duration_seconds_bucket\{.*route="\/api\/v1\/runs"/);
    const opened = (await routesOf({ ...api.dependencies, openMetrics: true })).find(({ url }) => url === '/metrics');
    expect(opened?.policy).toBe('open');
  });
});

describe('keys', () => {
  it('are told once, hashed, listed without themselves, and stop when revoked', async () => {
    const made = await api.as('admin', { method: 'POST', url: '/api/v1/keys', payload: { name: 'ci', role: 'viewer' } });
    expect(made).toMatchObject({ status: 201, body: { name: 'ci', role: 'viewer', key: expect.stringMatching(/^perennial_[\w-]{43}$/) } });
    const { id, key } = made.body as { id: string; key: string };
    const read = () => api.request({ method: 'GET', url: '/api/v1/runs', headers: { authorization: `Bearer ${key}` } });
    expect((await read()).status).toBe(200);
    const listed = await api.as('admin', { method: 'GET', url: '/api/v1/keys' });
    expect(listed.body.keys).toContainEqual(expect.objectContaining({ id, name: 'ci', role: 'viewer', revokedAt: null }));
    expect(listed.text).not.toContain(key);
    expect(JSON.stringify(await test.database.selectFrom('api_keys').selectAll().execute())).not.toContain(key);
    expect((await api.as('admin', { method: 'DELETE', url: `/api/v1/keys/${id}` })).status).toBe(204);
    expect((await read()).status).toBe(401);
    expect((await api.as('admin', { method: 'DELETE', url: `/api/v1/keys/${id}` })).status).toBe(204);
    const actions = await test.database.selectFrom('audit').select(['actor', 'action', 'subject']).where('subject', '=', id).orderBy('id').execute();
    expect(actions).toEqual([{ actor: 'the admin', action: 'key.create', subject: id }, { actor: 'the admin', action: 'key.revoke', subject: id }]);
  });

  it('stop within 5 seconds where another process revoked them', async () => {
    const key = await api.keyOf('approver');
    const read = () => api.request({ method: 'GET', url: '/api/v1/runs', headers: { authorization: `Bearer ${key}` } });
    expect((await read()).status).toBe(200);
    const revokedAt = Date.now();
    await test.database.updateTable('api_keys').set({ revoked_at: new Date() }).where('id', '=', 'test-approver').execute();
    while ((await read()).status !== 401) {
      expect(Date.now() - revokedAt).toBeLessThan(5_000);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });

  it('are not told again when the request is repeated', async () => {
    const request = { method: 'POST' as const, url: '/api/v1/keys', payload: { name: 'once', role: 'viewer' }, headers: { 'idempotency-key': 'k-1' } };
    const first = await api.as('admin', request);
    const second = await api.as('admin', request);
    expect(second).toMatchObject({ status: 201, body: { id: first.body.id, key: null } });
    expect(await test.database.selectFrom('api_keys').select('id').where('name', '=', 'once').execute()).toHaveLength(1);
    expect(JSON.stringify(await test.database.selectFrom('idempotency_keys').selectAll().execute())).not.toContain(first.body.key);
  });

  it('cannot all be taken from the admins', async () => {
    await api.keyOf('admin');
    const answer = await api.as('admin', { method: 'DELETE', url: '/api/v1/keys/test-admin' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'InvalidRequest', detail: expect.stringMatching(/last admin/) } });
  });
});
