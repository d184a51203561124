/** What work is accounted for, against what its processes say of themselves. */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createResourceMeter } from '../../../adapters/resources/meter.ts';
import { readTree } from '../../../adapters/resources/process-tree.ts';
import type { GpuApp } from '../../../adapters/resources/nvidia.ts';
import { runTrainerGroup } from '../../../adapters/trainers/trainer-group.ts';
import type { AttemptUse } from '../../../contracts/resources.ts';

const gpus: { apps: GpuApp[]; looks: string[] } = { apps: [], looks: [] };
const meter = createResourceMeter({ gpus: { latest: () => gpus.apps, start: () => void gpus.looks.push('start'), stop: () => void gpus.looks.push('stop') } });

/** Burns CPU time (not wall time: the machine may be busy), holds memory, and prints what the kernel says of it at its very end. */
const PROGRAM = `
  const [ms, mebibytes, child] = process.argv.slice(1).map(Number);
  const held = Buffer.alloc(mebibytes * 2 ** 20, 1);
  const burn = () => { while (process.cpuUsage().user < ms * 1000) for (let i = 0; i < 1e6; i += 1); };
  const finish = () => { const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage(); console.log(JSON.stringify({ cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, maxBytes: maxRSS * 1024, held: held.length })); };
  burn();
  if (!child) finish();
  else require('node:child_process').spawn(process.execPath, ['-e', process.env.PROGRAM, '--', String(ms), '1', '0'], { stdio: 'inherit', env: process.env }).once('exit', finish);
`;

type Said = { cpuSeconds: number; maxBytes: number };

const runProgram = async (ms: number, mebibytes: number, withChild = false): Promise<Said[]> => {
  const child = spawn(process.execPath, ['-e', PROGRAM, '--', String(ms), String(mebibytes), withChild ? '1' : '0'], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, PROGRAM } });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(child, 'close');
  return text.trim().split('\n').map((line) => JSON.parse(line) as Said);
};

const measure = async (work: () => Promise<void>): Promise<AttemptUse> => {
  let use: AttemptUse | undefined;
  await meter.measure({ attempt: 1, waitingSeconds: 0.5 }, async () => {
    await work();
    use = meter.current();
  });
  return use as AttemptUse;
};

const cpuOf = (said: readonly Said[]): number => said.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);

describe('measured work', () => {
  it('has the CPU and the memory of its processes, with what they started', async () => {
    let said: Said[] = [];
    const use = await measure(async () => {
      said = await runProgram(600, 200, true);
    });
    expect(said).toHaveLength(2);
    // Clock ticks of 10 ms per process, and what a process uses between its last word and its end.
    expect(use.cpuSeconds).toBeGreaterThan(cpuOf(said) - 0.05);
    expect(use.cpuSeconds).toBeLessThan(cpuOf(said) + 0.35);
    expect(use.peakMemoryBytes).toBeGreaterThan(200 * 2 ** 20);
    expect(use.peakMemoryBytes).toBeLessThan(2 * Math.max(...said.map(({ maxBytes }) => maxBytes)));
    expect(use.memoryGibSeconds).toBeGreaterThan(0.2 * 0.5);
    expect(use).toMatchObject({ attempt: 1, waitingSeconds: 0.5, gpuSeconds: 0 });
    expect(use.durationSeconds).toBeGreaterThan(1.1);
  });

  it('is told apart from other work at the same time', async () => {
    const said: Said[] = [];
    const run = (ms: number) => measure(async () => void said.push(...(await runProgram(ms, 1))));
    const [long, short] = await Promise.all([run(900), run(200)]);
    expect(long.cpuSeconds).toBeGreaterThan(0.85);
    expect(long.cpuSeconds).toBeGreaterThan(short.cpuSeconds + 0.4);
    expect(long.cpuSeconds + short.cpuSeconds).toBeLessThan(cpuOf(said) + 0.35);
  });

  it('has its share of the worker itself, and no more', async () => {
    const burn = async (): Promise<void> => {
      const { user } = process.cpuUsage();
      while (process.cpuUsage().user < user + 300_000) for (let step = 0; step < 1e6; step += 1);
      await delay(50);
    };
    const before = process.cpuUsage();
    const uses = await Promise.all([measure(burn), measure(burn)]);
    const { user, system } = process.cpuUsage(before);
    const counted = uses.reduce((sum, use) => sum + use.cpuSeconds, 0);
    expect(counted).toBeGreaterThan(0.55);
    expect(counted).toBeLessThanOrEqual((user + system) / 1e6 + 0.01);
  });

  it('counts what its parts store, and nothing of others', async () => {
    const use = await measure(async () => {
      meter.stored(10);
      await Promise.all([1, 2].map(async (bytes) => {
        await delay(1);
        meter.stored(bytes);
      }));
    });
    meter.stored(1_000);
    expect(use.storedBytes).toBe(13);
    expect(meter.current()).toBeUndefined();
  });

  it('has the GPU seconds of the time in which one of its processes holds a GPU', async () => {
    const use = await measure(async () => {
      const child = fork('', [], { execArgv: ['-e', 'setTimeout(() => 0, 900)'], stdio: 'ignore' });
      gpus.apps = ['GPU-a', 'GPU-b'].map((gpu) => ({ gpu, pid: child.pid ?? 0, memoryBytes: 2 ** 30 }));
      await once(child, 'close');
    });
    gpus.apps = [];
    expect(use.gpuSeconds).toBeGreaterThan(0.8);
    expect(use.gpuSeconds).toBeLessThan(2 * use.durationSeconds + 0.1);
    expect(use.gpuPeakMemoryBytes).toBe(2 ** 31);
    expect(gpus.looks.slice(-2)).toEqual(['start', 'stop']);
  });

  it('has what a trainer used, though others wait for it', async () => {
    let said = '';
    const use = await measure(async () => {
      const group = { command: [process.execPath, '-e', PROGRAM, '--', '500', '100', '1'], environment: { PATH: process.env['PATH'], PROGRAM }, graceMs: 1_000, deadlineMs: Date.now() + 60_000, signal: new AbortController().signal };
      const { end } = await runTrainerGroup({ ...group, onOutput: (chunk) => (said += chunk.toString()), onProgress: () => undefined });
      expect(end).toEqual({ code: 0, signal: null });
    });
    const programs = said.trim().split('\n').map((line) => JSON.parse(line) as Said);
    expect(programs).toHaveLength(2);
    expect(use.cpuSeconds).toBeGreaterThan(cpuOf(programs) - 0.05);
    // The process that watches over the group is the work's too.
    expect(use.cpuSeconds).toBeLessThan(cpuOf(programs) + 0.6);
    expect(use.peakMemoryBytes).toBeGreaterThan(100 * 2 ** 20);
  });

  it('keeps what a process that was killed had used', async () => {
    const use = await measure(async () => {
      const child = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
      await expect.poll(() => readTree(child.pid ?? 0).cpuSeconds, { timeout: 30_000 }).toBeGreaterThan(0.5);
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    expect(use.cpuSeconds).toBeGreaterThan(0.5);
  });
});
