/** The whole system with its console, and browsers that are signed in to it. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { startStack, type Stack } from '../../../../deploy/local/stack.ts';
import { ensureConsole } from '../../../../deploy/local/tools/console.ts';
import { createApiClient, type ApiClient } from '../../../../examples/flight-delays/demo/api-client.ts';
import { deliverMonths, EXAMPLE_FOLDER, loadPipeline, type FlightDelaysPipeline } from '../../../../examples/flight-delays/demo/pipeline.ts';
import type { Role } from '../../../../contracts/roles.ts';
import { startBrowser } from '../../../support/browser.ts';

export type Visitor = { context: BrowserContext; page: Page; complaints: string[] };

/** Rows of a window of the monitor. */
export const WINDOW_ROWS = 200;

export type ConsoleRig = {
  stack: Stack;
  browser: Browser;
  api: ApiClient;
  /** The flight-delays pipeline on a month of data, whose trainer refuses until `repairTrainer` was called. */
  pipeline: FlightDelaysPipeline;
  repairTrainer: () => void;
  keyOf: (role: Role) => Promise<string>;
  /** A browser of its own, signed in by the form; `complaints` are errors of its console and of its policy. */
  visit: (role: Role, options?: { theme?: 'light' | 'dark' }) => Promise<Visitor>;
  close: () => Promise<void>;
};

/** An answer that the browser reports though the page expects it: nobody is signed in yet. */
const isExpected = (text: string): boolean => /401 \(Unauthorized\)/.test(text);

const pipelineOf = (arrivals: string, command: string[]): FlightDelaysPipeline => {
  const declared = loadPipeline(arrivals);
  const step = (weight: number) => ({ weight, seconds: 1, minimumRequests: 0, maximumSeconds: 120 });
  return {
    ...declared,
    split: { holdout: { last: 'P7D' } },
    // Every weekday occurs in a month, so that the trainer's table never lacks a row.
    train: { ...declared.train, trainer: { command }, params: { num_iterations: 10, lookupColumn: 'weekday' } },
    gates: [{ kind: 'threshold', metric: 'rocAuc', min: 0.5 }],
    rollout: { strategy: 'canary', steps: [5, 25, 50, 100].map(step), analysis: { intervalSeconds: 0.5 } },
    monitor: { rows: WINDOW_ROWS, everySeconds: 1, drift: { columnThreshold: 0.1, shareThreshold: 0.2 }, quality: { metric: 'rocAuc', minimumLabels: 100, maximumDrop: 0.5 } },
    triggers: { drift: false, quality: false, data: false },
  };
};

/** Starts everything; `close` ends it. */
export const startConsoleRig = async (): Promise<ConsoleRig> => {
  const home = mkdtempSync(join(tmpdir(), 'perennial-console-'));
  const arrivals = join(home, 'arrivals');
  const flag = join(home, 'trainer-is-repaired');
  deliverMonths(arrivals, ['2013-01']);
  await ensureConsole();
  const [stack, browser] = await Promise.all([
    startStack({ home, ports: 'free', gateways: 1, pools: ['workflows', 'data', 'cpu'], environment: { PERENNIAL_SOURCE_ROOTS: arrivals }, readyMs: 120_000 }),
    startBrowser(),
  ]);
  const api = createApiClient({ url: stack.urls.api, apiKey: stack.adminKey! });
  const keys = new Map<Role, Promise<string>>();
  const keyOf = (role: Role): Promise<string> => {
    const key = keys.get(role) ?? api.post<{ key: string }>('/keys', { name: `the ${role}`, role }, `key-${role}`).then((made) => made.key);
    keys.set(role, key);
    return key;
  };
  const visit: ConsoleRig['visit'] = async (role, { theme = 'light' } = {}) => {
    const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, colorScheme: theme });
    await context.addInitScript({ content: axe.source });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => (message.type() === 'error' && !isExpected(message.text()) ? complaints.push(message.text()) : undefined));
    await page.goto(`${stack.urls.api}/`);
    await page.getByLabel('API key').fill(await keyOf(role));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
    return { context, page, complaints };
  };
  const trainer = [process.execPath, fileURLToPath(new URL('../fixtures/fails-once.mjs', import.meta.url)), flag, stack.config.python, join(EXAMPLE_FOLDER, 'trainers', 'lookup_table.py')];
  return {
    stack,
    browser,
    api,
    pipeline: pipelineOf(arrivals, trainer),
    repairTrainer: () => writeFileSync(flag, ''),
    keyOf,
    visit,
    close: async () => {
      await browser.close();
      await stack.stop({ graceMs: 5_000, removeHome: true });
    },
  };
};
