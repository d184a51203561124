/** The notifier against real receivers, and against addresses where it must not go. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { createNotifier } from '../../../adapters/notify/index.ts';
import { signatureOf } from '../../../adapters/notify/webhook.ts';
import { CloudEvent } from '../../../contracts/trigger.ts';
import type { AlertView } from '../../../contracts/alert.ts';
import { deliveryIdOf } from '../../../domain/incident.ts';
import type { Notifier } from '../../../domain/ports/alerts.ts';
import { alertView } from '../../support/alert-view.ts';
import { eventually } from '../../support/api.ts';
import { startAlertmanager } from './support/alertmanager.ts';
import { startHttpReceiver, startSmtpReceiver, type HttpReceiver, type SmtpReceiver } from './support/receivers.ts';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const VERIFIER = fileURLToPath(new URL('support/verify_webhook.py', import.meta.url));

const alert = alertView({
  labels: { team: 'risk' },
  reason: 'drift score 0.5 (limit 0.3) in window 7: Zürich → Genève\r\nBcc: everyone@example.com',
  occurrences: 3,
  openedAt: '2026-03-01T00:00:00.000Z',
  revision: 2,
});
const resolved: AlertView = { ...alert, state: 'resolved', resolvedAt: '2026-03-01T05:00:00.000Z', resolvedBy: 'cleared' };

let folder: string;
let http: HttpReceiver;
let smtp: SmtpReceiver;
let notifier: Notifier;

const declare = (file: object): void => writeFileSync(join(folder, 'receivers.yaml'), stringify(file));
const local = { scheme: 'http', host: '127.0.0.1', private: true };
const webhook = (url: string) => ({ kind: 'webhook', url, secret: { env: 'PERENNIAL_SECRET_TEAM' } });
const send = (receiver: string, about: AlertView = alert) => notifier.send({ id: deliveryIdOf(about), receiver, alert: about }, AbortSignal.timeout(30_000));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-notify-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  http = await startHttpReceiver();
  smtp = await startSmtpReceiver();
  notifier = createNotifier({ receiversFile: join(folder, 'receivers.yaml'), secrets: { PERENNIAL_SECRET_TEAM: SECRET } });
});
afterEach(() => Promise.all([http.stop(), smtp.stop()]));

describe('a webhook', () => {
  it('is signed as Standard Webhooks says, by its own published example', () => {
    // The vector of the reference libraries of the specification.
    const body = '{"test": 2432232314}';
    expect(signatureOf({ id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1_614_265_330, body }, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('carries a CloudEvent, the same in each attempt, whose signature Python agrees with', async () => {
    declare({ allow: [{ ...local, port: http.port }], receivers: { team: webhook(`http://127.0.0.1:${http.port}/hook?x=1`) } });
    expect(await send('team')).toEqual({ kind: 'sent' });
    expect(await send('team')).toEqual({ kind: 'sent' });
    const [first, second] = http.arrived;
    expect(first?.body).toBe(second?.body);
    expect(http.kept.size).toBe(1);
    expect(first).toMatchObject({ path: '/hook?x=1', headers: { 'content-type': 'application/cloudevents+json; charset=utf-8', 'webhook-id': `${alert.alertId}.open` } });
    expect(CloudEvent.parse(JSON.parse(first?.body ?? ''))).toMatchObject({
      id: `${alert.alertId}.open`,
      type: 'perennial.alert.open',
      source: '/alert/flights/drift/champion',
      subject: 'flights',
      time: alert.openedAt,
      data: { state: 'open', reason: alert.reason, labels: { team: 'risk' }, occurrences: 3 },
    });
    const verify = (body: string): string => spawnSync('python3', [VERIFIER], { input: JSON.stringify({ secret: SECRET, headers: first?.headers, body }), encoding: 'utf8' }).stdout.trim();
    expect(verify(first?.body ?? '')).toBe('true');
    expect(verify(`${first?.body} `)).toBe('false');
    const age = Math.abs(Date.now() / 1_000 - Number(first?.headers['webhook-timestamp']));
    expect(age).toBeLessThan(60);
  });

  it('is refused or tried again by what the receiver answers', async () => {
    declare({ allow: [{ ...local, port: http.port }], receivers: { team: webhook(`http://127.0.0.1:${http.port}/`) } });
    const kinds: Record<number, string> = {};
    for (const status of [200, 302, 400, 401, 404, 408, 410, 429, 500, 503]) {
      http.answer = () => ({ status, headers: { location: `http://127.0.0.1:${http.port}/elsewhere` }, body: 'x'.repeat(3_000_000) });
      kinds[status] = (await send('team')).kind;
    }
    expect(kinds).toEqual({ 200: 'sent', 302: 'refused', 400: 'refused', 401: 'refused', 404: 'refused', 408: 'unavailable', 410: 'refused', 429: 'unavailable', 500: 'unavailable', 503: 'unavailable' });
    expect(http.arrived.some(({ path }) => path === '/elsewhere')).toBe(false);
  });

  it('that nobody answers is given up in time', async () => {
    declare({ allow: [{ ...local, port: http.port }], receivers: { team: webhook(`http://127.0.0.1:${http.port}/`) } });
    const signal = AbortSignal.timeout(200);
    await http.stop();
    http = await startHttpReceiver();
    expect(await send('team')).toEqual({ kind: 'unavailable', reason: 'the receiver cannot be reached (ECONNREFUSED)' });
    declare({ allow: [{ ...local, port: smtp.port }], receivers: { team: webhook(`http://127.0.0.1:${smtp.port}/`) } });
    expect((await notifier.send({ id: 'x', receiver: 'team', alert }, signal)).kind).toBe('unavailable');
  });
});

describe('addresses', () => {
  const refusals = async (urls: string[], allow: object[]): Promise<string[]> => {
    const reasons: string[] = [];
    for (const url of urls) {
      declare({ allow, receivers: { team: webhook(url) } });
      const outcome = await send('team');
      reasons.push(outcome.kind === 'refused' ? outcome.reason : `${url}: ${outcome.kind}`);
    }
    return reasons;
  };

  it('that are not on the list are refused, whatever they are called', async () => {
    const { port } = http;
    const urls = [`http://127.0.0.1:${port}/`, `https://127.0.0.1:${port}/`, 'https://example.org/', 'gopher://127.0.0.1/', 'file:///etc/passwd', 'ftp://hooks.example.com/'];
    for (const reason of await refusals(urls, [{ host: 'hooks.example.com' }])) expect(reason).toMatch(/is not on the list of allowed hosts$/);
    const userinfo = await refusals([`http://user:secret@127.0.0.1:${port}/`], [{ ...local, port }]);
    expect(userinfo).toEqual(['the address holds a user name or a password']);
    expect(http.arrived).toEqual([]);
  });

  it('of private networks are refused in each of their forms, unless the operator says so', async () => {
    const { port } = http;
    const hosts = ['127.0.0.1', '2130706433', '0x7f000001', '0177.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '10.1.2.3', '172.16.0.1', '192.168.1.1', '100.64.0.1', '0.0.0.0', '[fd12::1]', '[64:ff9b::7f00:1]', 'localhost'];
    const urls = hosts.map((host) => `http://${host}:${port}/`);
    for (const reason of await refusals(urls, [{ scheme: 'http', host: '*', port }])) expect(reason).toMatch(/is an address of a private network$/);
    const metadata = ['http://169.254.169.254/', 'http://[fe80::1]/', 'http://[fd00:ec2::254]/', 'http://[::ffff:169.254.169.254]/'];
    for (const reason of await refusals(metadata, [{ scheme: 'http', host: '*', private: true }])) expect(reason).toMatch(/is a link-local address$/);
    expect(http.arrived).toEqual([]);
    declare({ allow: [{ scheme: 'http', host: 'localhost', port, private: true }], receivers: { team: webhook(`http://localhost:${port}/`) } });
    expect(await send('team')).toEqual({ kind: 'sent' });
  });
});

describe('an Alertmanager', () => {
  it('gets postable alerts of its API v2: the same labels with an end far away, then with the real one', async () => {
    declare({
      allow: [{ ...local, port: http.port }],
      receivers: { prometheus: { kind: 'alertmanager', url: `http://127.0.0.1:${http.port}/am/`, bearer: { env: 'PERENNIAL_SECRET_TEAM' } } },
    });
    expect(await send('prometheus')).toEqual({ kind: 'sent' });
    expect(await send('prometheus', resolved)).toEqual({ kind: 'sent' });
    expect(http.arrived.map(({ path, headers }) => [path, headers['content-type'], headers.authorization])).toEqual([
      ['/am/api/v2/alerts', 'application/json', `Bearer ${SECRET}`],
      ['/am/api/v2/alerts', 'application/json', `Bearer ${SECRET}`],
    ]);
    type Posted = { labels: Record<string, string>; startsAt: string; endsAt: string };
    const [open, over] = http.arrived.map(({ body }) => (JSON.parse(body) as [Posted])[0]) as [Posted, Posted];
    expect(open.labels).toEqual({ alertname: 'PerennialDrift', model: 'flights', kind: 'drift', subject: 'champion', pipeline: 'flights', team: 'risk' });
    expect(over.labels).toEqual(open.labels);
    expect(over.startsAt).toBe(open.startsAt);
    expect(Object.keys(open.labels).every((name) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name))).toBe(true);
    expect([open.endsAt, over.endsAt]).toEqual(['2027-03-01T00:00:00.000Z', '2026-03-01T05:00:00.000Z']);
  });

  it('that is a real one holds the alert until its end is sent, once however often it came', async () => {
    const alertmanager = await startAlertmanager();
    try {
      declare({ allow: [{ ...local, port: alertmanager.port }], receivers: { prometheus: { kind: 'alertmanager', url: `http://127.0.0.1:${alertmanager.port}/am` } } });
      const now: AlertView = { ...alert, openedAt: new Date().toISOString() };
      expect(await send('prometheus', now)).toEqual({ kind: 'sent' });
      expect(await send('prometheus', now)).toEqual({ kind: 'sent' });
      const held = await alertmanager.alerts();
      expect(held).toHaveLength(1);
      expect(held[0]).toMatchObject({
        labels: { alertname: 'PerennialDrift', model: 'flights', pipeline: 'flights', team: 'risk' },
        annotations: { state: 'open', description: alert.reason, alert_id: alert.alertId },
        startsAt: now.openedAt,
      });
      expect(await send('prometheus', { ...now, state: 'resolved', resolvedAt: new Date().toISOString(), resolvedBy: 'cleared' })).toEqual({ kind: 'sent' });
      // Its list has only alerts that have not ended.
      await eventually('the alert has ended', async () => ((await alertmanager.alerts()).length === 0 ? true : undefined), 60_000);
    } finally {
      await alertmanager.stop();
    }
  });
});

describe('an e-mail', () => {
  const email = (changes: object = {}) => ({ kind: 'email', host: '127.0.0.1', port: smtp.port, tls: 'none', from: 'perennial@example.com', to: ['team@example.com', 'boss@example.com'], ...changes });

  it('has the id of the message, is a thread with those that follow, and no reason can add a header', async () => {
    declare({ receivers: { mail: email({ user: 'perennial', password: { env: 'PERENNIAL_SECRET_TEAM' } }) } });
    expect(await send('mail')).toEqual({ kind: 'sent' });
    expect(await send('mail')).toEqual({ kind: 'sent' });
    expect(await send('mail', resolved)).toEqual({ kind: 'sent' });
    expect(smtp.arrived.length).toBe(3);
    expect([...smtp.kept.keys()]).toEqual([`<${alert.alertId}.open@example.com>`, `<${alert.alertId}.resolved@example.com>`]);
    const [first, , last] = smtp.arrived;
    expect(first).toMatchObject({ from: 'perennial@example.com', to: ['team@example.com', 'boss@example.com'] });
    expect(smtp.logins[0]).toBe(`perennial:${SECRET}`);
    expect(last?.source).toContain(`In-Reply-To: <${alert.alertId}.open@example.com>`);
    const headers = first?.source.split('\r\n\r\n')[0] ?? '';
    expect(headers).not.toMatch(/^bcc:/im);
    // Read by an independent implementation: the subject and the text arrive as they were written.
    const script = 'import sys, email, email.policy, json\nm = email.message_from_string(sys.stdin.read(), policy=email.policy.default)\nprint(json.dumps([m["subject"], m["auto-submitted"], m.get_content()]))';
    const [subject, automatic, text] = JSON.parse(spawnSync('python3', ['-c', script], { input: first?.source, encoding: 'utf8' }).stdout) as string[];
    expect(subject).toBe('[open] drift of flights: drift score 0.5 (limit 0.3) in window 7: Zürich → Genève Bcc: everyone@example.com');
    expect(automatic).toBe('auto-generated');
    expect(text).toContain('drift of the model flights: open');
    expect(text).toContain(`perennial alert get ${alert.alertId}`);
  });

  it('is tried again or refused by what the server answers', async () => {
    declare({ receivers: { mail: email() } });
    smtp.recipientAnswer = '450 later';
    expect(await send('mail')).toEqual({ kind: 'unavailable', reason: 'the mail server did not take it (450)' });
    smtp.recipientAnswer = '550 nobody here';
    expect(await send('mail')).toEqual({ kind: 'refused', reason: 'the mail server refused it (550)' });
    await smtp.stop();
    expect(await send('mail')).toMatchObject({ kind: 'unavailable' });
  });

  it('to a server that answers for ever without an end is given up', async () => {
    declare({ receivers: { mail: email() } });
    smtp.drips = true;
    const outcome = await notifier.send({ id: 'x', receiver: 'mail', alert }, AbortSignal.timeout(500));
    expect(outcome).toEqual({ kind: 'unavailable', reason: 'the mail server did not take it (EABORT)' });
  });

  it('goes to no server without the encryption that it was told to insist on', async () => {
    declare({ receivers: { mail: email({ tls: 'starttls' }) } });
    expect((await send('mail')).kind).not.toBe('sent');
    expect(smtp.arrived).toEqual([]);
  });
});

describe('the file of receivers', () => {
  it('is the operator’s to mend: what is wrong in it is said and tried again, and no secret is told', async () => {
    const reason = async (receiver = 'team'): Promise<string> => {
      const outcome = await send(receiver);
      return `${outcome.kind}: ${'reason' in outcome ? outcome.reason : ''}`;
    };
    declare({ receivers: { team: { ...webhook('https://hooks.example.com/T0/secret-path'), secret: { env: 'PERENNIAL_SECRET_GONE' } } } });
    expect(await reason()).toBe('unavailable: the variable PERENNIAL_SECRET_GONE is not set on this worker');
    declare({ receivers: { team: { ...webhook('https://hooks.example.com/T0/secret-path'), secret: { file: 'nowhere' } } } });
    expect(await reason()).toBe('unavailable: the secret file nowhere cannot be read');
    writeFileSync(join(folder, 'short'), 'whsec_c2hvcnQ=\n');
    declare({ receivers: { team: { ...webhook('https://hooks.example.com/T0/secret-path'), secret: { file: 'short' } } } });
    expect(await reason()).toBe('unavailable: the secret of the webhook must be "whsec_" and the base64 of 24 to 64 bytes');
    declare({ receivers: { team: webhook('https://hooks.example.com/T0/secret-path') } });
    expect(await reason()).toBe('refused: https://hooks.example.com is not on the list of allowed hosts');
    expect(await reason('other')).toBe('refused: there is no receiver "other" in the file of receivers');
    declare({ receivers: { team: { ...webhook('https://x.example.com'), secret: 'whsec_in-the-file' } } });
    expect(await reason()).toMatch(/^unavailable: the file of receivers is not valid at receivers\.team/);
    expect(await reason()).not.toContain('in-the-file');
    writeFileSync(join(folder, 'receivers.yaml'), 'receivers: [');
    expect(await reason()).toBe('unavailable: the file of receivers is not valid YAML');
    notifier = createNotifier({ receiversFile: undefined, secrets: {} });
    expect(await reason()).toBe('unavailable: PERENNIAL_ALERT_RECEIVERS is not set on this worker: there are no receivers');
  });
});
