/** `drift report`, `monitor watch` and `cost` against an API that is played. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCommandLine } from '../../../cli/command-line.ts';
import type { MonitorReport } from '../../../contracts/monitor-report.ts';

const window = { window: 3, version: 2, from: '2013-06-01T00:00:00.000Z', to: '2013-06-02T00:00:00.000Z', rows: 1_000, labelled: 250, driftScore: 0.5, drifted: true, quality: 0.7, estimatedQuality: null, estimatedRange: null, conceptDrift: null, refusedShare: null, unlikeTraining: null, judgedQuality: 0.76, qualityDropped: true, decision: null };
const report: MonitorReport = {
  model: 'late', pipeline: 'late', version: 2, generatedAt: '2013-06-02T00:00:00.000Z', metric: 'rocAuc', shareThreshold: 0.3, maximumDrop: 0.05, dropIsShare: false, window, windows: [window],
  columns: [{ column: 'dew\u001b[2Jpoint', method: 'psi', score: 1.5, threshold: 0.2, drifted: true, missing: null, newCategories: [], newShare: null, histogram: null }],
  prediction: null,
  performance: null,
  lowerIsBetter: false,
  decisions: [{ at: '2013-06-02T00:00:00.000Z', kind: 'run', title: 'run late.1', detail: null, outcome: 'succeeded', good: true }],
};
const use = (cpuSeconds: number, total: number | null) => ({ cpuSeconds, memoryGibSeconds: 1, peakMemoryBytes: 2 ** 28, gpuSeconds: 0, gpuPeakMemoryBytes: 0, storedBytes: 2 ** 20, cost: total === null ? null : { cpu: total, memory: 0, gpu: 0, storage: 0, total } });
const costs = (of: string, currency: string | null) => ({
  of, currency, from: '2013-06-01T00:00:00.000Z', to: '2013-07-01T00:00:00.000Z', by: 'day', total: use(30, currency === null ? null : 0.0312), training: use(20, currency === null ? null : 0.03), serving: use(10, currency === null ? null : 0.0012),
  steps: [{ ...use(20, 0.03), step: 'train', attempts: 2 }], runs: [{ ...use(20, 0.03), runId: 'late.1', at: '2013-06-02T00:00:00.000Z' }], versions: [], periods: [],
});

const answers: Record<string, [number, unknown]> = {
  '/api/v1/models/late/monitor/report': [200, report],
  '/api/v1/models/late/costs': [200, costs('late', 'EUR')],
  '/api/v1/models/chain/costs': [404, { code: 'ModelNotFound', detail: 'there is no model', fix: 'list them' }],
  '/api/v1/pipelines/chain/costs': [200, costs('chain', null)],
};

let server: Server;
let folder: string;
let asked: string[];
let out: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'perennial-report-'));
  server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '', 'http://x');
    asked.push(pathname + search);
    const [status, body] = answers[pathname] ?? [404, { code: 'RouteNotFound', detail: pathname, fix: '-' }];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  asked = [];
  out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
});

const perennial = async (...words: string[]): Promise<number> => {
  try {
    return await runCommandLine(['node', 'perennial', '--url', `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ...words]);
  } finally {
    vi.restoreAllMocks();
  }
};

describe('drift report', () => {
  it('writes one HTML file and says the verdict', async () => {
    const file = join(folder, 'out.html');
    expect(await perennial('drift', 'report', 'late', '--html', file, '--window', '0')).toBe(0);
    expect(asked).toEqual(['/api/v1/models/late/monitor/report?windows=60&window=0']);
    expect(out).toMatch(/late version 2, window 3: DRIFT, score 0.5 \(limit 0.3\), rocAuc 0.7 \(judged 0.76\)/);
    expect(out).toContain(`wrote ${file}`);
    expect(out).not.toContain('\u001b[2J');
    expect(readFileSync(file, 'utf8')).toMatch(/^<!doctype html>/);
  });
  it('gives the data as JSON', async () => {
    expect(await perennial('--json', 'drift', 'report', 'late')).toBe(0);
    expect(JSON.parse(out)).toEqual(report);
  });
  it('says where it cannot write', async () => {
    expect(await perennial('drift', 'report', 'late', '--html', join(folder, 'no', 'where.html'))).toBe(2);
  });
});

describe('monitor watch', () => {
  it('shows the picture once when asked to', async () => {
    expect(await perennial('monitor', 'watch', 'late', '--once')).toBe(0);
    expect(out).toMatch(/late version 2 {2}DRIFT[\s\S]+dew\[2Jpoint[\s\S]+window 3[\s\S]+labels 25 %[\s\S]+run late.1: succeeded/);
  });
  it('is one document in JSON', async () => {
    expect(await perennial('--json', 'monitor', 'watch', 'late', '--once')).toBe(0);
    expect(JSON.parse(out)).toEqual(report);
  });
});

describe('cost', () => {
  it('shows a model, with small amounts in full', async () => {
    expect(await perennial('cost', 'late', '--from', '2013-06-01', '--by', 'week')).toBe(0);
    expect(asked).toEqual(['/api/v1/models/late/costs?by=week&from=2013-06-01']);
    expect(out).toMatch(/late, 2013-06-01 to 2013-07-01: 0.03 EUR/);
    expect(out).toMatch(/serving +10\.0 +1\.0 +256 +0\.000 +1\.0 +0\.0012 EUR/);
    expect(out).toMatch(/train +2 +20\.0/);
  });
  it('shows a pipeline where there is no such model, and says that nothing has a price', async () => {
    expect(await perennial('cost', 'chain')).toBe(0);
    expect(asked).toEqual(['/api/v1/models/chain/costs?by=day', '/api/v1/pipelines/chain/costs?by=day']);
    expect(out).toContain('no prices are declared');
  });
  it('says that there is neither', async () => expect(await perennial('cost', 'none')).toBe(2));
});
