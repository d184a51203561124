/**
 * Alerts from end to end: a run fails, its incident is told to real receivers by a worker that dies in mid-send, people take care of it through the API,
 * a silence holds messages back. PostgreSQL, a Temporal server and worker processes are real.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createAlertBook } from '../../../adapters/postgres/alert-book.ts';
import { createAlertFacts } from '../../../adapters/postgres/alert-facts.ts';
import { createMonitorWindows } from '../../../adapters/postgres/monitor-windows.ts';
import { runCommandLine } from '../../../cli/command-line.ts';
import type { AlertView } from '../../../contracts/alert.ts';
import { alertView } from '../../support/alert-view.ts';
import { createTestApi, eventually, modelPipeline, type Answer, type AnswerBody, type TestApi } from '../../support/api.ts';
import { startOrchestration, type Orchestration } from '../../support/orchestration.ts';
import { monitorWindow } from '../../workflows/support/artifacts.ts';
import { startHttpReceiver, startSmtpReceiver, type HttpReceiver, type SmtpReceiver } from '../notify/support/receivers.ts';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;

let folder: string;
let http: HttpReceiver;
let smtp: SmtpReceiver;
let stack: Orchestration;
let api: TestApi;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-alerts-'));
  [http, smtp] = await Promise.all([startHttpReceiver(), startSmtpReceiver()]);
  const receivers = join(folder, 'receivers.json');
  writeFileSync(
    receivers,
    JSON.stringify({
      allow: [{ scheme: 'http', host: '127.0.0.1', port: http.port, private: true }],
      receivers: {
        team: { kind: 'webhook', url: `http://127.0.0.1:${http.port}/hook`, secret: { env: 'PERENNIAL_SECRET_TEAM' } },
        mail: { kind: 'email', host: '127.0.0.1', port: smtp.port, tls: 'none', from: 'perennial@example.com', to: ['team@example.com'] },
      },
    }),
  );
  stack = await startOrchestration({
    pools: ['workflows', 'data'],
    environment: { PERENNIAL_ALERT_RECEIVERS: receivers, PERENNIAL_SECRET_TEAM: SECRET, PERENNIAL_FAULT_POINTS: 'alert.after-send' },
  });
  api = await createTestApi(stack.test, stack.client);
});

afterAll(async () => {
  await api?.app.close();
  await stack?.stop();
  await Promise.all([http?.stop(), smtp?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const get = async (url: string): Promise<AnswerBody> => (await api.as('viewer', { method: 'GET', url })).body;
const post = (url: string, payload: object = {}, role: 'operator' | 'approver' | 'viewer' | 'predictor' = 'operator'): Promise<Answer> => api.as(role, { method: 'POST', url, payload });

const apply = async (name: string, alerts: object): Promise<void> => {
  const answer = await api.as('author', { method: 'PUT', url: `/api/v1/pipelines/${name}`, payload: modelPipeline(name, { alerts }) });
  expect(answer.status).toBeLessThan(300);
};
/** The files are not there: the first step fails. */
const failRun = async (name: string): Promise<void> => {
  expect((await post(`/api/v1/pipelines/${name}/runs`)).status).toBe(202);
};
const incident = (name: string, holds: (alert: AnswerBody) => boolean): Promise<AnswerBody> =>
  eventually(
    `an incident of ${name}`,
    async () => {
      const { alerts } = await get(`/api/v1/alerts?model=${name}&limit=1`);
      const shown = alerts[0] === undefined ? undefined : await get(`/api/v1/alerts/${alerts[0].alertId}`);
      return shown !== undefined && holds(shown) ? shown : undefined;
    },
    40_000,
  );
const allSent = (alert: AnswerBody): boolean => alert.deliveries.length > 0 && alert.deliveries.every(({ status }: { status: string }) => status === 'sent');

describe('a failed run', () => {
  it('is an incident, and a receiver that drops repeats sees one message although the worker died in mid-send', async () => {
    await apply('late', { receivers: ['team', 'mail'], labels: { team: 'risk' } });
    await failRun('late');
    const shown = await incident('late', allSent);
    expect(shown).toMatchObject({ kind: 'runFailed', subject: 'late', state: 'open', occurrences: 1, labels: { team: 'risk' }, reason: expect.stringMatching(/^run late\.\S+ failed: Source/) });
    expect(shown.deliveries.map((row: AnswerBody) => [row.receiver, row.state, row.deliveryId, row.attempts])).toEqual(['mail', 'team'].map((receiver) => [receiver, 'open', `${shown.alertId}.open`, 1]));
    expect(stack.linesOf('worker-data').length).toBeGreaterThan(0);
    const history = await stack.client.workflow.getHandle('alert/late/runFailed/late').fetchHistory();
    const rows = await stack.test.database.selectFrom('alert_deliveries').selectAll().execute();
    for (const text of [JSON.stringify(history), JSON.stringify(rows), stack.linesOf('worker-data').join('\n')]) expect(text).not.toContain(SECRET);
    // It went out more than once in all, under one id; each receiver kept one.
    expect(http.arrived.length + smtp.arrived.length).toBeGreaterThan(2);
    expect([...http.kept.keys()]).toEqual([`${shown.alertId}.open`]);
    expect([...smtp.kept.keys()]).toEqual([`<${shown.alertId}.open@example.com>`]);
  });

  it('is counted among the metrics', async () => {
    const { text } = await api.as('viewer', { method: 'GET', url: '/metrics' });
    expect(text).toContain('perennial_alerts_firing{model="late",kind="runFailed",state="open"} 1');
    expect(text).toContain('perennial_alert_messages_total{status="sent"} 2');
  });

  it('is acknowledged and resolved by people, who are named; both are told once', async () => {
    const { alertId } = await incident('late', allSent);
    expect((await post(`/api/v1/alerts/${alertId}/acknowledge`, {}, 'viewer')).status).toBe(403);
    expect((await post(`/api/v1/alerts/${alertId}/acknowledge`, { comment: 'looking' }, 'approver')).status).toBe(202);
    await incident('late', (alert) => alert.state === 'acknowledged' && allSent(alert));
    await failRun('late');
    expect(await incident('late', (alert) => alert.occurrences === 2)).toMatchObject({ alertId, state: 'acknowledged', acknowledgedBy: 'the approver', comment: 'looking' });
    expect((await post(`/api/v1/alerts/${alertId}/resolve`, { comment: 'the files are there' })).status).toBe(202);
    const over = await incident('late', (alert) => alert.state === 'resolved' && allSent(alert));
    expect(over).toMatchObject({ alertId, resolvedBy: 'the operator', comment: 'the files are there' });
    expect([...http.kept.keys()]).toEqual(['open', 'acknowledged', 'resolved'].map((state) => `${alertId}.${state}`));
    expect(await post(`/api/v1/alerts/${alertId}/resolve`)).toMatchObject({ status: 409, body: { code: 'AlertNotOpen' } });
    expect(await post('/api/v1/alerts/00000000-0000-4000-8000-000000000000/resolve')).toMatchObject({ status: 404, body: { code: 'AlertNotFound' } });
    const actions = await stack.test.database.selectFrom('audit').select(['action', 'actor']).where('subject', '=', alertId).orderBy('id').execute();
    expect(actions).toEqual([{ action: 'alert.acknowledge', actor: 'the approver' }, { action: 'alert.resolve', actor: 'the operator' }]);
  });

  it('is no incident when the policy does not want it; a receiver that nobody declared is a warning', async () => {
    const alerts = { on: ['drift'], receivers: ['team'], escalateTo: ['tema'] };
    const applied = await api.as('author', { method: 'PUT', url: '/api/v1/pipelines/quiet', payload: modelPipeline('quiet', { alerts }) });
    expect(applied.body.warnings.slice(0, 1)).toEqual(['alerts.on names only what a monitor sees, but there is no monitor part.']);
    expect(applied.body.warnings.at(-1)).toBe('alerts.escalateTo names "tema", which is not in the operator\'s file of receivers: nobody would be told. Did you mean "team"?');
    await failRun('quiet');
    await eventually('the end of the run', async () => ((await get('/api/v1/runs?pipeline=quiet')).runs[0]?.state === 'failed' ? true : undefined), 30_000);
    expect((await get('/api/v1/alerts?pipeline=quiet')).alerts).toEqual([]);
  });
});

describe('a silence', () => {
  const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();

  it('holds messages back until it is ended; the incident is shown meanwhile', async () => {
    await apply('hushed', { receivers: ['team'] });
    const made = await post('/api/v1/silences', { matcher: { model: 'hu*', labels: { pipeline: 'hushed' } }, endsAt: inAnHour(), comment: 'the line is being mended' });
    expect(made).toMatchObject({ status: 201, body: { active: true, createdBy: 'the operator', comment: 'the line is being mended' } });
    const { silenceId } = made.body;
    await failRun('hushed');
    const held = await incident('hushed', (alert) => alert.deliveries[0]?.status === 'silenced');
    expect(held).toMatchObject({ state: 'open', deliveries: [{ receiver: 'team', silenceId, sentAt: null }] });
    expect((await get('/api/v1/silences')).silences).toMatchObject([{ silenceId, active: true }]);
    const before = http.arrived.length;
    expect((await api.as('operator', { method: 'DELETE', url: `/api/v1/silences/${silenceId}` })).status).toBe(204);
    await incident('hushed', allSent);
    expect(http.arrived.length).toBe(before + 1);
    expect((await get('/api/v1/silences')).silences).toEqual([]);
    expect((await get('/api/v1/silences?all=true')).silences).toMatchObject([{ silenceId, active: false }]);
  });

  it('is made, changed and ended by operators, and says what is wrong with it', async () => {
    const silence = { matcher: { kind: 'drift' }, endsAt: inAnHour(), comment: 'because' };
    expect((await post('/api/v1/silences', silence, 'approver')).status).toBe(403);
    expect(await post('/api/v1/silences', { ...silence, matcher: {} })).toMatchObject({ status: 400, body: { detail: 'matcher: matches everything' } });
    expect(await post('/api/v1/silences', { ...silence, endsAt: '2020-01-01T00:00:00Z' })).toMatchObject({ status: 400, body: { detail: expect.stringMatching(/^endsAt: is not after startsAt/) } });
    const key = { method: 'POST' as const, url: '/api/v1/silences', payload: silence, headers: { 'idempotency-key': 'once' } };
    const [made, again] = [await api.as('operator', key), await api.as('operator', key)];
    expect(again.body).toEqual(made.body);
    const later = new Date(Date.now() + 7_200_000).toISOString();
    const changed = await api.as('operator', { method: 'PUT', url: `/api/v1/silences/${made.body.silenceId}`, payload: { ...silence, endsAt: later, comment: 'longer' } });
    expect(changed).toMatchObject({ status: 200, body: { endsAt: later, comment: 'longer', startsAt: made.body.startsAt } });
    expect(await api.as('operator', { method: 'DELETE', url: '/api/v1/silences/silence-none' })).toMatchObject({ status: 404, body: { code: 'SilenceNotFound' } });
  });
});

describe('the command line', () => {
  const perennial = async (...args: string[]): Promise<AnswerBody> => {
    const out: string[] = [];
    const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => out.push(String(chunk)) > 0);
    try {
      expect(await runCommandLine(['node', 'perennial', ...args, '--json'])).toBe(0);
    } finally {
      stdout.mockRestore();
    }
    return JSON.parse(out.join(''));
  };

  it('lists, shows, acknowledges and resolves alerts, and makes, lists and ends silences', async () => {
    vi.stubEnv('PERENNIAL_URL', await api.app.listen({ host: '127.0.0.1', port: 0 }));
    vi.stubEnv('PERENNIAL_API_KEY', await api.keyOf('operator'));
    const listed = await perennial('alert', 'list', '--model', 'hushed', '--state', 'unresolved');
    const [{ alertId }] = listed.alerts;
    expect(listed.alerts.length).toBe(1);
    expect(await perennial('alert', 'ack', alertId, '--comment', 'seen')).toEqual({ alertId, accepted: 'acknowledge' });
    await incident('hushed', (alert) => alert.state === 'acknowledged');
    expect(await perennial('alert', 'resolve', alertId)).toEqual({ alertId, accepted: 'resolve' });
    await incident('hushed', (alert) => alert.state === 'resolved');
    expect(await perennial('alert', 'get', alertId)).toMatchObject({ alertId, comment: 'seen', deliveries: [{ state: 'open' }, { state: 'acknowledged' }, { state: 'resolved' }] });
    const made = await perennial('silence', 'add', '--model', 'x*', '--label', 'team=a', '--label', 'env=b*', '--for', '2h', '--why', 'a test');
    expect(made.matcher).toEqual({ model: 'x*', labels: { team: 'a', env: 'b*' } });
    expect(Date.parse(made.endsAt) - Date.parse(made.startsAt)).toBeGreaterThan(7_100_000);
    expect((await perennial('silence', 'list')).silences.map((silence: AnswerBody) => silence.silenceId)).toContain(made.silenceId);
    expect(await perennial('silence', 'remove', made.silenceId)).toEqual({ silenceId: made.silenceId, removed: true });
    vi.unstubAllEnvs();
  });
});

describe('the rows', () => {
  const view = (alertId: string, changes: Partial<AlertView> = {}): AlertView => alertView({ alertId, model: 'rows', pipeline: 'rows', openedBy: alertId, ...changes });
  const id = (number: number): string => `00000000-0000-4000-8000-0000000000${String(number).padStart(2, '0')}`;
  const write = (alert: AlertView) => createAlertBook(stack.test.database).record([{ alert, pending: ['team'], dropped: [] }]);
  const states = async (): Promise<Record<string, string>> => {
    const rows = await stack.test.database.selectFrom('alerts').select(['alert_id', 'state', 'occurrences']).where('model', '=', 'rows').orderBy('alert_id').execute();
    return Object.fromEntries(rows.map((row) => [row.alert_id, `${row.state} ${row.occurrences}`]));
  };

  it('of an incident take no older write, know a repeated occurrence, and one of a key is open', async () => {
    expect(await write(view(id(1), { occurrences: 5, revision: 9 }))).toEqual([]);
    await write(view(id(1), { occurrences: 2, revision: 3 }));
    expect(await states()).toEqual({ [id(1)]: 'open 5' });
    expect(await write(view(id(2), { openedBy: id(1), openedAt: '2026-01-02T00:00:00.000Z' }))).toEqual([id(2)]);
    // The workflow of the first was ended by hand: the next incident of the key closes its row.
    await write(view(id(3), { openedAt: '2026-01-03T00:00:00.000Z' }));
    expect(await states()).toEqual({ [id(1)]: 'resolved 5', [id(3)]: 'open 1' });
    const book = createAlertBook(stack.test.database);
    const delivery = { receiver: 'team', alert: view(id(3)), attempts: 0, dueAtMs: 0, silenced: false };
    expect(await book.wasSent(delivery)).toBe(false);
    await book.recordDelivery(delivery, { status: 'sent', error: null, silenceId: null });
    await book.recordDelivery(delivery, { status: 'retrying', error: 'an attempt that was thought lost', silenceId: null });
    expect(await book.wasSent(delivery)).toBe(true);
    await book.record([{ alert: view(id(3), { revision: 2 }), pending: [], dropped: [{ state: 'open', receiver: 'team', reason: 'late' }] }]);
    expect(await book.wasSent(delivery)).toBe(true);
    // It has no workflow: whoever resolves it closes the row.
    expect((await post(`/api/v1/alerts/${id(3)}/acknowledge`)).body.code).toBe('AlertNotOpen');
    expect((await post(`/api/v1/alerts/${id(3)}/resolve`)).status).toBe(202);
    expect((await states())[id(3)]).toBe('resolved 1');
  });

  it('are listed in pages that do not move, by filters', async () => {
    for (let number = 10; number < 15; number += 1) {
      await write(view(id(number), { model: 'paged', subject: `s${number}`, openedAt: `2026-02-0${number % 3 === 0 ? 1 : 2}T00:00:00.000Z`, state: number === 14 ? 'resolved' : 'open' }));
    }
    const pages: string[][] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: AnswerBody = await get(`/api/v1/alerts?model=paged&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      pages.push(page.alerts.map((alert: AnswerBody) => alert.alertId));
      cursor = page.nextCursor;
    }
    expect(pages).toEqual([[id(14), id(13)], [id(11), id(10)], [id(12)]]);
    expect((await get('/api/v1/alerts?model=paged&state=unresolved')).alerts.length).toBe(4);
    expect((await get('/api/v1/alerts?model=paged&kind=quality')).alerts).toEqual([]);
    await stack.test.database.insertInto('registered_models').values({ name: 'paged' }).execute();
    expect((await get('/api/v1/models/paged/monitor?limit=3')).alerts.map((alert: AnswerBody) => alert.alertId)).toEqual([id(13), id(11), id(10)]);
    expect((await get('/api/v1/alerts?cursor=x')).code).toBe('InvalidRequest');
    expect((await get('/api/v1/alerts?kind=nothing')).code).toBe('InvalidRequest');
  });

  it('of windows say which is the newest, which is judged, and since when labels are missing', async () => {
    const facts = createAlertFacts(stack.test.database);
    const windows = createMonitorWindows(stack.test.database);
    const newest = () => facts.newestWindows({ model: 'rows', version: 2, minimumLabels: 500 });
    expect(await newest()).toEqual({ newest: null, labelled: null, estimated: null, withoutLabels: 0 });
    for (const window of [0, 1, 2, 3]) await windows.save('rows', monitorWindow(window, 2, { labelled: window === 1 ? 600 : 20 }));
    const found = await newest();
    expect([found.newest?.window, found.labelled?.window, found.estimated, found.withoutLabels]).toEqual([3, 1, null, 2]);
    // An estimate judges the quality, and is no label.
    await windows.save('rows', monitorWindow(4, 2, { judgedBy: 'estimate' }));
    const estimated = await newest();
    expect([estimated.newest?.window, estimated.labelled?.window, estimated.estimated?.window, estimated.withoutLabels]).toEqual([4, 1, 4, 3]);
  });
});
