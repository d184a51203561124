/**
 * Screenshots of every page, light and dark: `npm run console:screenshots -- --key-file FILE [--url URL] [--out FOLDER] [--model NAME]`. It looks at a system that runs,
 * such as the one that `npm run demo -- --keep` leaves, with a key that may read.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import { startBrowser } from '../support/browser.ts';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:7070' },
    'key-file': { type: 'string', default: join('.perennial', 'demo', 'admin-key') },
    out: { type: 'string', default: join('build', 'screenshots') },
    model: { type: 'string', default: 'flight-delays' },
  },
});

const key = readFileSync(values['key-file'], 'utf8').trim();

type Shot = { name: string; path: string };

const shotsOf = async (): Promise<Shot[]> => {
  const answer = await fetch(`${values.url}/api/v1/runs?limit=100`, { headers: { authorization: `Bearer ${key}` } });
  const { runs } = (await answer.json()) as { runs: { runId: string; state: string }[] };
  const ofState = (state: string): Shot[] => runs.filter((run) => run.state === state).slice(0, 1).map(({ runId }) => ({ name: `run-${state}`, path: `/runs/${runId}` }));
  const { model } = values;
  return [
    { name: 'home', path: '' },
    { name: 'pipeline', path: `/pipelines/${model}` },
    { name: 'runs', path: `/runs?pipeline=${model}` },
    ...['succeeded', 'rejected', 'rolledBack', 'failed'].flatMap(ofState),
    { name: 'model', path: `/models/${model}` },
    { name: 'version', path: `/models/${model}/versions/1` },
    { name: 'deployment', path: `/deployments/${model}` },
    { name: 'monitoring', path: `/monitoring/${model}` },
    { name: 'alerts', path: '/alerts' },
    { name: 'workers', path: '/workers' },
    { name: 'keys', path: '/keys' },
    { name: 'audit', path: '/audit' },
  ];
};

const take = async (browser: Browser, theme: 'light' | 'dark', shots: Shot[]): Promise<void> => {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, colorScheme: theme });
  const page = await context.newPage();
  await page.goto(`${values.url}/`);
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
  for (const { name, path } of shots) {
    await page.goto(`${values.url}/console${path}`);
    await page.locator('main :is(.panel, .empty)').first().waitFor();
    // Plots come in files of their own, and are drawn when those and the numbers are there.
    await page.waitForLoadState('networkidle', { timeout: 5_000 }).catch(() => undefined);
    const file = join(values.out, `${name}-${theme}.png`);
    await page.screenshot({ path: file });
    console.log(file);
  }
  await context.close();
};

mkdirSync(values.out, { recursive: true });
const browser = await startBrowser();
const shots = await shotsOf();
for (const theme of ['light', 'dark'] as const) await take(browser, theme, shots);
await browser.close();
