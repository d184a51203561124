/** The console's session: what its cookie opens, to whom, and for how long. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newApiKey } from '../../../api/keys/api-key.ts';
import { createTestApi, unreachableTemporal, type TestApi } from '../../support/api.ts';
import { startTestPostgres, type TestDatabase, type TestPostgres } from '../../support/database.ts';

let postgres: TestPostgres;
let test: TestDatabase;
let api: TestApi;

beforeAll(async () => {
  postgres = await startTestPostgres();
  test = await postgres.createDatabase();
  api = await createTestApi(test, await unreachableTemporal());
});

afterAll(async () => {
  await api?.app.close();
  await test?.drop();
  await postgres?.stop();
});

const FROM_CONSOLE = { 'x-perennial-console': '1', host: 'perennial.example', origin: 'http://perennial.example' };

const signIn = (key: string, headers: Record<string, string> = FROM_CONSOLE) => api.request({ method: 'POST', url: '/api/v1/session', payload: { key }, headers });
const cookieOf = (answer: { headers: Record<string, unknown> }): string => String(answer.headers['set-cookie']).split(';', 1)[0] ?? '';
const makeKey = (cookie: string, headers: Record<string, string>) => api.request({ method: 'POST', url: '/api/v1/keys', payload: { name: 'x', role: 'viewer' }, headers: { cookie, ...headers } });

it('is a cookie that no script reads and no other site sends, and says what its role may', async () => {
  const answer = await signIn(await api.keyOf('operator'));
  expect(answer).toMatchObject({ status: 200, body: { name: 'the operator', role: 'operator', permissions: expect.arrayContaining(['read', 'rollouts:write']) } });
  expect(answer.headers['set-cookie']).toMatch(/^perennial_session=perennial_[\w-]{43}; Path=\/api; HttpOnly; SameSite=Strict$/);
  expect(answer.headers['cache-control']).toBe('no-store');
  const me = await api.request({ method: 'GET', url: '/api/v1/session', headers: { cookie: `theme=dark; ${cookieOf(answer)}` } });
  expect(me.body).toEqual(answer.body);
});

it('changes something only for the console of the same host and port', async () => {
  const cookie = cookieOf(await signIn(await api.keyOf('admin')));
  const { 'x-perennial-console': header, ...without } = FROM_CONSOLE;
  const refused = [without, { ...without, 'x-perennial-console': header, origin: 'http://evil.example' }, { ...without, 'x-perennial-console': header, origin: 'http://perennial.example:8080' }, { ...without, 'x-perennial-console': header, origin: 'null' }];
  for (const headers of refused) expect([headers, (await makeKey(cookie, headers as Record<string, string>)).body.code]).toEqual([headers, 'PermissionDenied']);
  expect((await makeKey(cookie, FROM_CONSOLE)).status).toBe(201);
  // A page of another site can neither sign its reader in nor out.
  expect((await signIn(await api.keyOf('admin'), { ...FROM_CONSOLE, origin: 'http://evil.example' })).status).toBe(403);
  expect((await api.request({ method: 'DELETE', url: '/api/v1/session', headers: without })).status).toBe(403);
});

it('is refused for a key that is not there and for a role that sees nothing', async () => {
  expect((await signIn(newApiKey())).body).toMatchObject({ status: 401, code: 'Unauthenticated', fix: expect.stringContaining('perennial_') });
  expect((await signIn(await api.keyOf('predictor'))).body).toMatchObject({ status: 403, code: 'PermissionDenied' });
  for (const cookie of ['perennial_session=x', `perennial_session=${newApiKey()}`, `perennial_session=; perennial_session=`]) {
    expect((await api.request({ method: 'GET', url: '/api/v1/session', headers: { cookie } })).status).toBe(401);
  }
  // A key in the header counts alone, also when it is wrong.
  const cookie = cookieOf(await signIn(await api.keyOf('viewer')));
  expect((await api.request({ method: 'GET', url: '/api/v1/runs', headers: { cookie, authorization: 'Bearer x' } })).status).toBe(401);
});

it('ends when it is signed out, and with its key', async () => {
  const made = await api.as('admin', { method: 'POST', url: '/api/v1/keys', payload: { name: 'short', role: 'viewer' } });
  const { id, key } = made.body as { id: string; key: string };
  const cookie = cookieOf(await signIn(key));
  const out = await api.request({ method: 'DELETE', url: '/api/v1/session', headers: { ...FROM_CONSOLE, cookie } });
  expect([out.status, out.headers['set-cookie']]).toEqual([204, expect.stringMatching(/^perennial_session=; .*Max-Age=0$/)]);
  expect((await api.request({ method: 'GET', url: '/api/v1/session', headers: { cookie } })).status).toBe(200);
  await api.as('admin', { method: 'DELETE', url: `/api/v1/keys/${id}` });
  expect((await api.request({ method: 'GET', url: '/api/v1/session', headers: { cookie } })).status).toBe(401);
});

it('has pages that need no key, and data that does', async () => {
  expect((await api.request({ method: 'GET', url: '/' })).headers['location']).toBe('/console');
  // This app was given no built console.
  expect((await api.request({ method: 'GET', url: '/console/runs' })).body).toMatchObject({ status: 404, fix: expect.stringContaining('console:build') });
  expect((await api.request({ method: 'GET', url: '/api/v1/overview' })).status).toBe(401);
  const overview = await api.as('viewer', { method: 'GET', url: '/api/v1/overview' });
  expect(overview.body).toEqual({ runs: [], ended: [], alerts: [], models: [] });
  expect((await api.as('viewer', { method: 'GET', url: '/api/v1/audit?limit=1' })).body).toMatchObject({ entries: [{ action: 'key.revoke' }], next: expect.any(Number) as number });
});
