/** The trainer process: what trainers do, well and badly, and what becomes of them. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTrainerProcess } from '../../../adapters/trainers/process.ts';
import type { PerennialFailure } from '../../../domain/failure.ts';
import type { Trainer } from '../../../domain/ports/trainer.ts';
import { command, createJob, isRunning, until, type Seen } from './job.ts';

let home: string;
let trainer: Trainer;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'trainer-home-'));
  trainer = createTrainerProcess({ python: 'python3', home, graceMs: 400, logBytes: 1024 * 1024 });
});
afterAll(() => rm(home, { recursive: true, force: true }));

type Run = { seen: Seen; outcome: Promise<{ result?: Awaited<ReturnType<Trainer['train']>>; failure?: PerennialFailure }>; stop: () => void; folder: string };

const start = async (trainerOfJob: Parameters<typeof createJob>[0], options: { seconds?: number; changes?: object } = {}): Promise<Run & { dispose: () => Promise<void> }> => {
  const job = await createJob(trainerOfJob, options.seconds);
  const controller = new AbortController();
  const seen: Seen = { progress: [], checkpoints: [] };
  const hooks = { signal: controller.signal, onProgress: (one: Seen['progress'][number]) => void seen.progress.push(one), onCheckpoint: (one: Seen['checkpoints'][number]) => void seen.checkpoints.push(one) };
  const outcome = trainer.train({ ...job, ...options.changes }, hooks).then((result) => ({ result }), (failure: PerennialFailure) => ({ failure }));
  return { seen, outcome, stop: () => controller.abort(), folder: job.folder, dispose: job.dispose };
};

const finish = async (...behaviour: string[]) => {
  const run = await start(command(...behaviour));
  const { result, failure } = await run.outcome;
  return { ...run, result, failure };
};

describe('a trainer that keeps the contract', () => {
  it('is followed to its outputs', async () => {
    const run = await finish('succeed');
    expect(run.failure).toBeUndefined();
    expect(run.result).toMatchObject({ trainMetrics: { trainLogLoss: 0.5 }, resumedFrom: [], predictionsFile: null });
    expect(run.seen.progress.map(({ done }) => done)).toEqual([1, 2, 3]);
    expect(await readFile(run.result?.logFile ?? '', 'utf8')).toBe('fitting\n');
    await run.dispose();
  });

  it('gets a specification by the schema, and of the environment only what it needs', async () => {
    process.env['CANARY_SECRET'] = 'canary';
    const run = await finish('showEnvironment');
    delete process.env['CANARY_SECRET'];
    const shown = JSON.parse(await readFile(run.result?.predictionsFile ?? '', 'utf8')) as { environment: Record<string, string>; spec: Record<string, unknown> };
    expect(JSON.stringify(shown)).not.toContain('canary');
    expect(shown.environment).toMatchObject({ OMP_NUM_THREADS: '2', HOME: home });
    const schema = JSON.parse(await readFile(new URL('../../../trainers/spec.schema.json', import.meta.url), 'utf8')) as { required: string[]; properties: Record<string, unknown> };
    expect(Object.keys(shown.spec).filter((key) => !(key in schema.properties))).toEqual([]);
    expect(schema.required.filter((key) => !(key in shown.spec))).toEqual([]);
    expect(shown.spec).toMatchObject({ contractVersion: 1, trainer: 'custom', seed: 7, params: { depth: 3 }, features: [{ name: 'distance', type: 'numeric', missing: 'forbidden' }] });
    await run.dispose();
  });

  it('writes a checkpoint when it is asked to stop, and is interrupted', async () => {
    const run = await start(command('checkpointOnTerm'));
    await until(() => run.seen.progress.length > 0);
    run.stop();
    const { failure } = await run.outcome;
    expect(failure).toMatchObject({ code: 'TrainerInterrupted', retryable: true });
    expect(run.seen.checkpoints.map(({ done }) => done)).toEqual([3, 7]);
    await run.dispose();
  });

  it('is stopped before it starts when that is asked', async () => {
    const job = await createJob(command('succeed'));
    const outcome = trainer.train(job, { signal: AbortSignal.abort(), onProgress: () => undefined, onCheckpoint: () => undefined });
    await expect(outcome).rejects.toMatchObject({ code: 'TrainerInterrupted' });
    await job.dispose();
  });
});

describe('a trainer that fails', () => {
  it.each([
    ['1', 'TrainerCrashed', true],
    ['2', 'TrainerCrashed', true],
    ['63', 'TrainerCrashed', true],
    ['64', 'TrainerRejectedInput', false],
    ['75', 'TrainerInterrupted', true],
    ['78', 'TrainerRejectedInput', false],
    ['79', 'TrainerCrashed', true],
    ['137', 'TrainerCrashed', true],
  ])('with exit code %s is %s', async (code, name, retryable) => {
    const { failure, dispose } = await finish('exit', code);
    expect(failure).toMatchObject({ code: name, retryable, logTail: ['about to fail'] });
    await dispose();
  });

  it.each([
    ['refuse', { code: 'LabelHasOneClass', message: 'the label late is 0 in all rows', fix: 'Choose another window.' }],
    ['refuseWithForeignCode', { code: 'TrainerRejectedInput', message: 'retry me for ever' }],
    ['crashWithWords', { code: 'TrainerCrashed', message: 'the trainer ended with exit code 1: MemoryError: 5 GiB' }],
    ['segfault', { code: 'TrainerCrashed', message: 'the trainer ended with SIGSEGV' }],
    ['killed', { code: 'TrainerCrashed', message: 'the trainer was killed (SIGKILL): often because memory ran out' }],
    ['nanMetrics', { code: 'TrainerOutputInvalid', message: expect.stringMatching(/^metrics\.json is not valid JSON/) as string }],
    ['infiniteMetrics', { code: 'TrainerOutputInvalid', message: expect.stringMatching(/^metrics\.json is not valid at metrics\.rocAuc/) as string }],
    ['noMetrics', { code: 'TrainerOutputInvalid', message: expect.stringMatching(/^metrics\.json is not valid at metrics/) as string }],
    ['noModel', { code: 'TrainerOutputInvalid', message: 'the trainer ended with success and left no model.onnx' }],
    ['emptyModel', { code: 'TrainerOutputInvalid', message: 'model.onnx is empty' }],
    ['linkedModel', { code: 'TrainerOutputInvalid', message: 'model.onnx is not a regular file' }],
    ['folderModel', { code: 'TrainerOutputInvalid', message: 'model.onnx is not a regular file' }],
    ['otherTask', { code: 'TrainerOutputInvalid', message: expect.stringMatching(/for regression: binaryClassification was asked for/) as string }],
    ['badSignature', { code: 'TrainerOutputInvalid', message: expect.stringMatching(/^signature\.json is not valid at task/) as string }],
  ])('(%s) is told apart', async (behaviour, expected) => {
    const { failure, dispose } = await finish(behaviour);
    expect(failure).toMatchObject(expected);
    await dispose();
  });

  it('and cannot be started at all is not found', async () => {
    for (const argv of [['/no/such/trainer'], [fileURLToPath(new URL('job.ts', import.meta.url))], ['no-such-command-anywhere']]) {
      const run = await start({ command: argv });
      expect((await run.outcome).failure).toMatchObject({ code: 'TrainerNotFound', retryable: false });
      await run.dispose();
    }
  });

  it('never reaches a shell', async () => {
    const marker = join(home, 'injected');
    const run = await start({ command: ['/bin/echo', `$(touch ${marker})`, `; touch ${marker}`] });
    expect((await run.outcome).failure).toMatchObject({ code: 'TrainerOutputInvalid' });
    await expect(stat(marker)).rejects.toThrow();
    await run.dispose();
  });

  it('by lines that are none costs nothing but those lines', async () => {
    const run = await finish('badLines');
    expect(run.failure).toBeUndefined();
    expect(run.seen.progress).toEqual([{ done: 1, total: 2, metrics: {} }, { done: 2, total: 2, metrics: {} }]);
    expect(run.seen.checkpoints.map(({ done }) => done)).toEqual([2]);
    await run.dispose();
  });

  it('by a flood of output keeps its end and its beginning', async () => {
    const run = await finish('flood', '200');
    expect(run.failure).toBeUndefined();
    const log = await readFile(run.result?.logFile ?? '', 'utf8');
    expect(log.length).toBeLessThan(1024 * 1024 + 200);
    expect(log.startsWith('first line\n')).toBe(true);
    expect(log).toMatch(/\[\d+ bytes left out\]/);
    expect(log.trimEnd().endsWith('last line\u001b[0m')).toBe(true);
    await run.dispose();
  });

  it('by going on after its deadline is killed with everything that it forked', async () => {
    const run = await start(command('stubborn'), { seconds: 8 });
    const { failure } = await run.outcome;
    expect(failure).toMatchObject({ code: 'TrainerTimedOut', retryable: false });
    const pids = JSON.parse(await readFile(join(run.folder, 'output', 'pids.json'), 'utf8')) as number[];
    for (const pid of pids) await until(async () => !(await isRunning(pid)));
    await run.dispose();
  });

  it('by not heeding SIGTERM is killed with everything that it forked', async () => {
    const run = await start(command('stubborn'));
    await until(() => run.seen.progress.length > 0);
    const pids = JSON.parse(await readFile(join(run.folder, 'output', 'pids.json'), 'utf8')) as number[];
    run.stop();
    expect((await run.outcome).failure).toMatchObject({ code: 'TrainerInterrupted' });
    for (const pid of pids) await until(async () => !(await isRunning(pid)));
    await run.dispose();
  });

  it('by leaving a child behind does not leave it for long', async () => {
    const run = await finish('leaveChild');
    const [child = 0] = JSON.parse(await readFile(run.result?.predictionsFile ?? '', 'utf8')) as number[];
    await until(async () => !(await isRunning(child)));
    await run.dispose();
  });
});

describe('a worker that is killed', () => {
  it('takes its trainer with it, and what that forked', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'killed-worker-'));
    const program = fileURLToPath(new URL('program-of-a-worker.ts', import.meta.url));
    const worker = spawn(process.execPath, ['--import', 'tsx', program, folder], { env: { ...process.env, TMPDIR: folder }, stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    let output = '';
    worker.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await until(() => output.includes('training'));
    const pids = JSON.parse(await readFile(join(folder, 'output', 'pids.json'), 'utf8')) as number[];
    for (const pid of pids) expect(await isRunning(pid)).toBe(true);
    worker.kill('SIGKILL');
    await ended;
    for (const pid of pids) await until(async () => !(await isRunning(pid)));
    await rm(folder, { recursive: true, force: true });
  });
});
