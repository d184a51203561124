/** The main journeys through the console, in a real browser on the real system. Each test goes on where the one before ended. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { createGatewayClient } from '../../../examples/flight-delays/demo/gateway-client.ts';
import { EXAMPLE_FOLDER } from '../../../examples/flight-delays/demo/pipeline.ts';
import { rowsOfMonth } from '../../../examples/flight-delays/demo/rows.ts';
import { createTraffic } from '../../../examples/flight-delays/demo/traffic.ts';
import { cookiesOfScripts, focusedText, seriousFindings } from './support/accessibility.ts';
import { startConsoleRig, WINDOW_ROWS, type ConsoleRig, type Visitor } from './support/console-rig.ts';

const MODEL = 'flight-delays';
const ROWS = 450;
const WAIT = { timeout: 60_000 };
const POLL = { timeout: 60_000, interval: 200 };

let rig: ConsoleRig;
let admin: Visitor;

beforeAll(async () => {
  rig = await startConsoleRig();
  await rig.api.put(`/pipelines/${MODEL}`, rig.pipeline);
  admin = await rig.visit('admin');
}, 240_000);

afterAll(() => rig?.close(), 60_000);

const open = (page: Page, path: string) => page.goto(`${rig.stack.urls.api}/console${path}`);
const title = (page: Page, name: string | RegExp) => page.getByRole('heading', { level: 1, name }).waitFor(WAIT);

it('is one small page behind a strict policy, and its session no script can read', async () => {
  const { page, context } = admin;
  const answer = await page.request.get(`${rig.stack.urls.api}/console/models/anything`);
  expect(answer.status()).toBe(200);
  const policy = answer.headers()['content-security-policy'] ?? '';
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toMatch(/unsafe|\*/);
  const files = [...(await answer.text()).matchAll(/(?:src|href)="(\/console\/[^"]+)"/g)].map((match) => match[1] ?? '');
  expect(files.length).toBeGreaterThan(1);
  const sizes = await Promise.all(files.map(async (file) => Number((await fetch(`${rig.stack.urls.api}${file}`, { headers: { 'accept-encoding': 'gzip' } })).headers.get('content-length'))));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(200_000);
  expect(await context.cookies(`${rig.stack.urls.api}/api/v1/runs`)).toMatchObject([{ name: 'perennial_session', httpOnly: true, sameSite: 'Strict', path: '/api' }]);
  expect(await cookiesOfScripts(page)).toBe('');
  // Without the console's header a cookie alone changes nothing.
  const forged = await page.request.post(`${rig.stack.urls.api}/api/v1/pipelines/${MODEL}/runs`, { data: {} });
  expect([forged.status(), ((await forged.json()) as { code: string }).code]).toEqual([403, 'PermissionDenied']);
});

it('begins a failed run with its log, and retries it from the failed step', async () => {
  const { page } = admin;
  const { runId } = await rig.api.post<{ runId: string }>(`/pipelines/${MODEL}/runs`, { reason: 'the first one' }, 'first');
  await open(page, `/runs/${runId}`);
  await page.getByRole('heading', { level: 2, name: 'Step train failed' }).waitFor(WAIT);
  await expect.poll(() => page.getByLabel('The last lines of its log').innerText(), POLL).toContain('reading part 30 of 30');
  expect(await page.getByLabel('Why it failed').innerText()).toContain('the label late is 0 in all rows');
  rig.repairTrainer();
  await page.getByRole('button', { name: 'Retry from train' }).first().click();
  const dialog = page.getByRole('dialog');
  expect(await dialog.innerText()).toContain('The outputs of ingest, check, features are taken over');
  await dialog.getByRole('button', { name: 'Retry from train' }).click();
  await page.getByRole('link', { name: /^ingest\s*reused/ }).waitFor(WAIT);
  await page.getByRole('link', { name: /^rollout\s*succeeded/ }).waitFor(WAIT);
  expect(page.url()).not.toContain(runId);
  await page.getByRole('link', { name: 'Runs', exact: true }).click();
  await title(page, 'Runs');
  await page.getByLabel('State').selectOption('failed');
  await expect.poll(() => page.locator('.run-grid tbody tr').count(), POLL).toBe(1);
  expect(page.url()).toContain('state=failed');
});

it('shows what drifted first, beside its training rows, and takes care of the alert', async () => {
  const { page } = admin;
  const client = createGatewayClient({ gateways: rig.stack.urls.gateways, model: MODEL, apiKey: rig.stack.adminKey! });
  const rows = await rowsOfMonth({ exampleFolder: EXAMPLE_FOLDER, features: rig.pipeline.features }, '2013-07', ROWS);
  const answered = await createTraffic(client).sendAll(rows);
  client.close();
  await rig.api.post(`/models/${MODEL}/labels`, { labels: answered.map(({ inferenceId, label }) => ({ inferenceId, label })) }, 'labels');
  // The page shows the newest window as it is opened: the last of them must have closed, or it and the API may tell of two.
  const windows = async () => (await rig.api.get<{ windows: unknown[] }>(`/models/${MODEL}/monitor`)).windows.length;
  await expect.poll(windows, POLL).toBe(Math.floor(ROWS / WINDOW_ROWS));
  await open(page, `/monitoring/${MODEL}`);
  const table = page.getByRole('region', { name: 'Drift by column' }).getByRole('table');
  await expect.poll(() => table.isVisible(), POLL).toBe(true);
  const { columns } = await rig.api.get<{ columns: { column: string; drifted: boolean }[] }>(`/models/${MODEL}/monitor/report`);
  const shown = (await table.getByRole('rowheader').allInnerTexts()).slice(0, columns.length);
  expect(shown).toEqual(columns.map(({ column }) => column));
  expect(columns[0]?.drifted).toBe(true);
  expect(await table.getByRole('img', { name: `${shown[0]}: training rows` }).count()).toBe(1);
  await expect.poll(() => page.getByText(/quality (holds|dropped)$/).count(), POLL).toBeGreaterThan(0);
  await page.getByRole('link', { name: 'Alerts', exact: true }).click();
  await page.getByRole('button', { name: 'Acknowledge' }).first().click();
  await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click();
  await page.getByText('acknowledged by the admin').first().waitFor(WAIT);
});

it('starts a run by a click, and cancels it', async () => {
  const { page } = admin;
  await rig.api.put('/pipelines/waits', { kind: 'steps', name: 'waits', steps: [{ name: 'first', kind: 'noop' }, { name: 'second', kind: 'noop', pool: 'gpu' }] });
  await page.getByRole('link', { name: 'Pipelines' }).click();
  await page.getByRole('link', { name: 'waits' }).click();
  await page.getByRole('button', { name: 'Start a run' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Start a run' }).click();
  await page.getByText('waits for a worker of pool gpu: none is running').first().waitFor(WAIT);
  await page.getByRole('button', { name: 'Cancel the run' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the run' }).click();
  await page.locator('.lead').getByText('cancelled').waitFor(WAIT);
});

it('shows a canary grow from 5 to 100 %, and aborts another by a click', async () => {
  const { page } = admin;
  await rig.api.put(`/pipelines/${MODEL}`, { ...rig.pipeline, train: { ...rig.pipeline.train, params: { ...rig.pipeline.train.params, num_iterations: 12 } } });
  await rig.api.post(`/pipelines/${MODEL}/runs`, {}, 'second');
  await open(page, `/deployments/${MODEL}`);
  const split = page.locator('.split > span').first();
  const seen = new Set<string>();
  await expect.poll(async () => seen.add(await split.innerText()) && page.getByText('Version 2 serves all requests').isVisible(), { ...POLL, timeout: 120_000 }).toBe(true);
  expect([...seen].filter((text) => /^Version 1 serves \d+ %, version 2 \d+ %$/.test(text)).length).toBeGreaterThan(1);
  const verdicts = page.getByRole('table', { name: 'Verdicts, newest first' });
  await expect.poll(async () => (await verdicts.innerText()).match(/\d+ %(?=\s)/g), POLL).toEqual(['100 %', '50 %', '25 %', '5 %']);

  await rig.api.post(`/models/${MODEL}/rollouts`, { version: 1, strategy: 'canary', steps: [{ weight: 25, seconds: 600 }, { weight: 100 }] }, 'third');
  await page.getByText('Version 2 serves 75 %, version 1 25 %').waitFor(WAIT);
  await page.getByRole('button', { name: 'Abort' }).click();
  const dialog = page.getByRole('dialog');
  expect(await dialog.innerText()).toContain('Traffic of version 1: 25 % to 0 %; version 2 serves all requests. Version 1 stays registered.');
  await dialog.getByLabel(/Reason/).fill('a worse model');
  await dialog.getByRole('button', { name: 'Abort' }).click();
  await page.getByText('Version 2 serves all requests').waitFor(WAIT);
  await expect.poll(() => page.getByRole('table', { name: 'Rollouts, newest first' }).innerText(), POLL).toMatch(/aborted[\s\S]*a worse model/);
});

it('offers a viewer nothing to do', async () => {
  const { page, context, complaints } = await rig.visit('viewer');
  const { runs } = await rig.api.get<{ runs: { runId: string }[] }>('/runs');
  for (const path of ['', `/runs/${runs[0]?.runId}`, `/deployments/${MODEL}`]) {
    await open(page, path);
    await page.getByRole('heading', { level: 2 }).first().waitFor(WAIT);
    const offered = await page.getByRole('main').getByRole('button').allInnerTexts();
    expect(offered.filter((label) => !/^(SVG|PNG|CSV)$/.test(label))).toEqual([]);
  }
  const refused = await page.request.post(`${rig.stack.urls.api}/api/v1/models/${MODEL}/rollback`, { data: {}, headers: { 'x-perennial-console': '1' } });
  expect(refused.status()).toBe(403);
  expect(complaints).toEqual([]);
  await context.close();
});

it('is usable by keyboard and screen reader, dark and light', async () => {
  const { runs } = await rig.api.get<{ runs: { runId: string }[] }>('/runs');
  const paths = ['', '/runs', `/runs/${runs.at(-1)?.runId}`, '/pipelines', `/pipelines/${MODEL}`, '/experiments', '/data', `/data/${MODEL}`, '/models', `/models/${MODEL}`, `/models/${MODEL}/versions/1`, '/deployments', `/deployments/${MODEL}`, '/monitoring', `/monitoring/${MODEL}`, '/alerts', '/workers', '/keys', '/audit'];
  // The pages with colours of their own.
  const inDark = new Set(['', `/runs/${runs.at(-1)?.runId}`, `/pipelines/${MODEL}`, `/deployments/${MODEL}`, `/monitoring/${MODEL}`, '/alerts']);
  const dark = await rig.visit('admin', { theme: 'dark' });
  for (const { page } of [admin, dark]) {
    for (const path of page === dark.page ? inDark : paths) {
      await open(page, path);
      await page.getByRole('heading', { level: 1 }).waitFor(WAIT);
      await page.locator('main :is(.panel, table, .empty)').first().waitFor(WAIT);
      expect([path, await seriousFindings(page)]).toEqual([path, []]);
    }
  }
  await open(admin.page, '/runs');
  await title(admin.page, 'Runs');
  await admin.page.keyboard.press('Tab');
  expect(await focusedText(admin.page)).toContain('Skip to the content');
  expect([...admin.complaints, ...dark.complaints]).toEqual([]);
});
