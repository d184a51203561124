/** What the console must stand: ten thousand runs, texts that try to be code, and an API that is killed under it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { seriousFindings } from '../integration/console/support/accessibility.ts';
import { startConsoleRig, type ConsoleRig, type Visitor } from '../integration/console/support/console-rig.ts';
import { HOSTILE_TEXTS } from './hostile-texts.ts';
import { injectedIn } from './injected.ts';
import { insertHostileRows, insertManyRuns } from './rows.ts';
import { POINTS, trackRuns } from './tracked-runs.ts';

const RUNS = 10_000;
const WAIT = { timeout: 60_000 };
const POLL = { timeout: 60_000, interval: 100 };

let rig: ConsoleRig;
let admin: Visitor;

const addressOf = (path: string): string => `${rig.stack.urls.api}/console${path}`;

beforeAll(async () => {
  rig = await startConsoleRig();
  admin = await rig.visit('admin');
}, 240_000);

afterAll(() => rig?.close(), 60_000);

const medianOf = (values: number[]): number => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

it('shows a page of ten thousand runs, and the first page, in under a second', async () => {
  await insertManyRuns(rig.stack.urls.postgres, { pipeline: 'many', count: RUNS });
  const { page } = admin;
  const timed = async (path: string, selector: string): Promise<number> => {
    const startedAt = performance.now();
    await page.goto(addressOf(path));
    await page.locator(selector).first().waitFor(WAIT);
    return performance.now() - startedAt;
  };
  const lists = [];
  const homes = [];
  for (let round = 0; round < 5; round += 1) {
    lists.push(await timed('/runs?pipeline=many', '.run-grid tbody tr'));
    homes.push(await timed('', '.panel'));
  }
  console.log(`median of 5: ${RUNS} runs listed in ${medianOf(lists).toFixed(0)} ms, home shown in ${medianOf(homes).toFixed(0)} ms`);
  expect(medianOf(lists)).toBeLessThan(1_000);
  expect(medianOf(homes)).toBeLessThan(1_000);
  // Page by page to older ones: none twice, none left out at the seam.
  await page.goto(addressOf('/runs?pipeline=many'));
  const idsOf = () => page.locator('.run-grid tbody th a').evaluateAll((links) => links.map((link) => link.getAttribute('title')));
  await page.locator('.run-grid tbody tr').first().waitFor(WAIT);
  const first = await idsOf();
  await page.getByRole('button', { name: 'Older' }).click();
  const isNext = (ids: unknown[]): boolean => ids.length > 0 && !ids.some((id) => first.includes(id as string));
  await expect.poll(async () => isNext(await idsOf()), POLL).toBe(true);
  const { runs } = await rig.api.get<{ runs: { runId: string }[] }>('/runs?pipeline=many&limit=100');
  expect([...first, ...(await idsOf())]).toEqual(runs.map(({ runId }) => runId));
});

it('shows a hundred hostile texts as texts', async () => {
  expect(HOSTILE_TEXTS.length).toBe(100);
  const runIds = await insertHostileRows(rig.stack.urls.postgres, HOSTILE_TEXTS);
  const { page, context, complaints } = await rig.visit('admin');
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  const everywhere = ['', '/runs', '/runs?pipeline=', '/models', '/deployments', '/monitoring', '/alerts', '/audit', '/pipelines'];
  const own = HOSTILE_TEXTS.filter((_, index) => index % 20 < 3).flatMap((text) => ['models', 'deployments', 'monitoring', 'pipelines'].map((kind) => `/${kind}/${encodeURIComponent(text)}`));
  for (const path of [...everywhere, ...runIds.map((runId) => `/runs/${runId}`), ...own]) {
    await page.goto(addressOf(path));
    await page.locator('main :is(.panel, .problem, .empty, .callout)').first().waitFor(WAIT);
    expect([path, await injectedIn(page)]).toEqual([path, { ran: false, elements: [] }]);
  }
  await page.goto(addressOf(`/runs/${runIds[1]}`));
  expect(await page.getByLabel('Why it failed').innerText()).toContain(HOSTILE_TEXTS[1]);
  expect(dialogs).toEqual([]);
  expect(complaints.filter((text) => !/404|400/.test(text))).toEqual([]);
  await context.close();
});

it('finds, orders and compares tracked runs, whatever they are called', async () => {
  const experiment = await trackRuns({ url: rig.stack.urls.api, key: await rig.keyOf('admin') }, HOSTILE_TEXTS);
  const { page, context, complaints } = await rig.visit('admin');
  await page.goto(addressOf(`/experiments/${experiment}`));
  const rows = page.locator('main tbody tr');
  await expect.poll(() => rows.count(), POLL).toBe(HOSTILE_TEXTS.length);
  expect(await injectedIn(page)).toEqual({ ran: false, elements: [] });
  await page.getByRole('searchbox', { name: 'Filter' }).or(page.getByLabel('Filter')).fill('metrics.loss < 0.05');
  await page.keyboard.press('Enter');
  await expect.poll(() => rows.count(), POLL).toBe(5);
  expect(page.url()).toContain('filter=');
  await page.getByRole('button', { name: /^loss/ }).click();
  await page.getByRole('button', { name: /^loss ↓/ }).click();
  await page.getByRole('button', { name: /^loss ↑/ }).waitFor(WAIT);
  await page.getByRole('button', { name: 'Compare all 5' }).click();
  await page.getByRole('heading', { level: 1, name: 'Compare 5 runs' }).waitFor(WAIT);
  await page.getByRole('img', { name: 'Plot: Params and metrics of each run. Its numbers are below.' }).waitFor(WAIT);
  const curves = page.getByRole('region', { name: 'Metric curves', exact: true });
  await curves.getByText('Numbers', { exact: true }).click();
  await expect.poll(() => curves.locator('tbody tr').count(), POLL).toBe(5 * POINTS);
  expect(await seriousFindings(page)).toEqual([]);
  expect(await injectedIn(page)).toEqual({ ran: false, elements: [] });
  await page.goto(addressOf(`/experiments/${experiment}?filter=nonsense`));
  await page.getByText('The request was refused').waitFor(WAIT);
  expect(complaints.filter((text) => !/400/.test(text))).toEqual([]);
  await context.close();
});

it('comes back by itself after the API was killed, with what happened meanwhile', async () => {
  const { page } = admin;
  await rig.api.put('/pipelines/waits', { kind: 'steps', name: 'waits', steps: [{ name: 'first', kind: 'noop' }, { name: 'second', kind: 'noop', pool: 'gpu' }] });
  const { runId } = await rig.api.post<{ runId: string }>('/pipelines/waits/runs', {}, 'waits');
  await page.goto(addressOf(`/runs/${runId}`));
  await page.getByText('waits for a worker of pool gpu').first().waitFor(WAIT);
  const { processes } = rig.stack;
  const before = processes.pid('api');
  processes.kill('api', 'SIGKILL');
  await page.getByText('The API has not answered since').waitFor(WAIT);
  // What is known stays on the page.
  expect(await page.getByRole('link', { name: /^second/ }).count()).toBe(1);
  await expect.poll(() => processes.pid('api') !== undefined && processes.pid('api') !== before, POLL).toBe(true);
  await processes.waitReady('api');
  await rig.api.post(`/runs/${runId}/cancel`, {});
  await page.locator('.lead').getByText('cancelled').waitFor(WAIT);
  expect(await page.getByText('The API has not answered since').count()).toBe(0);
  expect(await seriousFindings(page)).toEqual([]);
});
