/** The command line against an API that is played: exit codes, what goes where, and what is sent. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommandLine } from '../../../cli/command-line.ts';

const EXECUTABLE = fileURLToPath(new URL('../../../cli/perennial.mjs', import.meta.url));
const KEY = `perennial_${'a'.repeat(43)}`;

type Seen = { method: string; path: string; key: string | undefined; authorization: string | undefined; body: unknown };

let server: Server;
let url: string;
let home: string;
const seen: Seen[] = [];

const problem = (status: number, code: string, errors?: unknown[]) => ({ status, body: { code, detail: `detail of ${code}`, fix: `fix of ${code}`, ...(errors === undefined ? {} : { errors }) } });
const run = { runId: 'late.1', state: 'failed', waitingFor: null, durationMs: 1_500, degraded: null, outcome: null, links: { temporal: 'http://ui' }, failure: { code: 'SourceNotFound', message: 'no \u001b[31mfile', fix: 'put it there', logTail: ['last line'] }, steps: [{ name: 'ingest', state: 'failed', waitingFor: null, attempts: 1, failure: null, durationMs: 1_000 }] };
const stream = (state: string): string =>
  [
    ['step', { name: 'train', state: 'running', waitingFor: null, attempts: 1, failure: null, durationMs: null }],
    ['progress', { name: 'train', done: 3, total: 20, metrics: { logLoss: 0.41234 } }],
    ['end', { state, outcome: state === 'rejected' ? { kind: 'rejected', reasons: ['rocAuc is too low'] } : null, failure: null }],
  ]
    .map(([event, data], id) => `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
    .join('');

const answerOf = (method: string, path: string): { status: number; body: unknown; type?: string } => {
  if (path === '/api/v1/runs/late.1') return { status: 200, body: run };
  if (path.endsWith('.good/events')) return { status: 200, body: stream('succeeded'), type: 'text/event-stream' };
  if (path.endsWith('.bad/events')) return { status: 200, body: stream('rejected'), type: 'text/event-stream' };
  if (path === '/api/v1/models') return problem(403, 'PermissionDenied');
  if (path === '/api/v1/triggers?limit=50') return problem(401, 'Unauthenticated');
  if (path === '/api/v1/datasets') return problem(503, 'PostgresUnavailable');
  if (path === '/api/v1/keys') return { status: 500, body: { code: 'Internal', detail: 'unexpected', fix: 'tell', requestId: 'r-77' } };
  if (method === 'PUT') return problem(400, 'InvalidPipeline', [{ path: 'train.sede', message: 'no such key', fix: 'Did you mean "seed"?' }, { path: 'split', message: 'is required', fix: 'Add it.' }]);
  if (method === 'POST' && path === '/api/v1/pipelines/late/runs') return { status: 202, body: { runId: 'late.2', links: { temporal: 'http://ui' } } };
  return problem(404, 'RouteNotFound');
};

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? undefined : JSON.parse(text);
};

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'perennial-cli-home-'));
  writeFileSync(join(home, 'admin-key'), `${KEY}\n`);
  server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { method = '', url: path = '', headers } = request;
      seen.push({ method, path, key: headers['idempotency-key'] as string | undefined, authorization: headers.authorization, body });
      const answer = answerOf(method, path);
      response.writeHead(answer.status, { 'content-type': answer.type ?? 'application/json' });
      response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(home, { recursive: true, force: true });
});

const unusedUrl = async (): Promise<string> => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  return `http://127.0.0.1:${port}`;
};

type Ended = { code: number | null; out: string; err: string };

/** Commander prints through the streams too. */
const perennial = async (args: string[], environment: Record<string, string | undefined> = {}): Promise<Ended> => {
  for (const [name, value] of Object.entries({ PERENNIAL_HOME: home, PERENNIAL_URL: url, PERENNIAL_API_KEY: undefined, ...environment })) vi.stubEnv(name, value);
  let [out, err] = ['', ''];
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => ((out += String(chunk)), true));
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => ((err += String(chunk)), true));
  try {
    return { code: await runCommandLine(['node', 'perennial', ...args]), out, err };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
    vi.unstubAllEnvs();
  }
};

/** The executable as a process of its own. */
const spawned = (args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [EXECUTABLE, ...args], { env: { ...process.env, PERENNIAL_HOME: home, PERENNIAL_URL: url } });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => (out += String(chunk)));
    child.stderr.on('data', (chunk) => (err += String(chunk)));
    child.once('close', (code) => resolve({ code, out, err }));
  });

describe('the command line', () => {
  it('ends with a code that says what happened', async () => {
    const nobody = await unusedUrl();
    const commands: [string[], number][] = [
      [['--help'], 0],
      [['run', '--help'], 0],
      [['bogus'], 2],
      [['run', 'get'], 2],
      [['run', 'list', '--limit', 'x'], 2],
      [['run', 'list', '--url', 'ftp://x'], 2],
      [['run', 'get', 'late.404'], 2],
      [['run', 'get', 'late.1'], 0],
      [['run', 'watch', 'late.good'], 0],
      [['run', 'watch', 'late.bad'], 1],
      [['dataset', 'list'], 3],
      [['run', 'list', '--url', nobody], 3],
      [['model', 'list'], 4],
      [['trigger', 'list'], 4],
      [['key', 'list'], 1],
    ];
    const ended: Ended[] = [];
    for (const [args] of commands) ended.push(await perennial(args));
    expect(ended.map(({ code }, index) => [commands[index]?.[0], code])).toEqual(commands);
    expect(ended[14]?.err).toMatch(/error Internal: unexpected \(id r-77\)\n {2}fix: tell/);
    expect(ended[13]?.err).toMatch(/error Unauthenticated: detail of Unauthenticated\n {2}fix: fix of Unauthenticated/);
    expect(ended[11]?.err).toMatch(/cannot be reached \(ECONNREFUSED\)/);
    expect(ended[8]?.out).toMatch(/train {6}running\ntrain {6}3 of 20 \(15 %\), logLoss 0.4123\nrun succeeded/);
    expect(ended[9]?.out).toMatch(/run rejected\n {2}rocAuc is too low/);
    expect(ended[7]?.out).toMatch(/SourceNotFound: no \[31mfile\n {2}fix: put it there\n {2}\| last line/);
    expect(ended.every(({ out }) => !out.includes('\u001b'))).toBe(true);
  });

  it('gives JSON where asked, before or after the command', async () => {
    const before = await perennial(['--json', 'run', 'get', 'late.1']);
    const after = await perennial(['run', 'get', 'late.1', '--json']);
    const failed = await perennial(['model', 'list', '--json']);
    expect(JSON.parse(before.out)).toEqual(run);
    expect(after.out).toBe(before.out);
    expect(JSON.parse(failed.err)).toEqual({ code: 'PermissionDenied', message: 'detail of PermissionDenied', fix: 'fix of PermissionDenied' });
    expect(failed.out).toBe('');
  });

  it('sends an Idempotency-Key with each POST, and the key that it has', async () => {
    seen.length = 0;
    await perennial(['run', 'start', 'late', '--reason', 'because', '--idempotency-key', 'mine']);
    await perennial(['run', 'start', 'late'], { PERENNIAL_API_KEY: 'perennial_other' });
    expect(seen).toMatchObject([
      { method: 'POST', path: '/api/v1/pipelines/late/runs', key: 'mine', authorization: `Bearer ${KEY}`, body: { reason: 'because' } },
      { key: expect.stringMatching(/^[0-9a-f-]{36}$/), authorization: 'Bearer perennial_other' },
    ]);
  });

  it('tells each mistake in a pipeline with its line in the file', async () => {
    const file = join(home, 'pipeline.yaml');
    writeFileSync(file, 'name: late\ntrain:\n  trainer: lightgbm\n  sede: 3\n');
    const { code, err } = await perennial(['apply', '-f', file]);
    expect(code).toBe(2);
    expect(err).toContain(`${file}:4: train.sede: no such key  (Did you mean "seed"?)`);
  });

  it('writes a pipeline to begin with, and never over one', async () => {
    const folder = join(home, 'My Project');
    const first = await perennial(['init', folder, '--json']);
    expect(JSON.parse(first.out).files.sort()).toEqual(['data/README.md', 'features.sql', 'pipeline.yaml']);
    expect((await perennial(['init', folder])).code).toBe(2);
    expect(readFileSync(join(folder, 'pipeline.yaml'), 'utf8')).toMatch(/^name: My-Project$/m);
  });

  it('runs as a process, whose exit code is the same', async () => {
    const [shown, refused] = await Promise.all([spawned(['run', 'get', 'late.1', '--json']), spawned(['run', 'watch', 'late.bad'])]);
    expect(JSON.parse(shown.out)).toEqual(run);
    expect([shown.code, refused.code]).toEqual([0, 1]);
  });
});
