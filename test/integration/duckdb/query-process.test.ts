/** The processes of the data engine: they end when they are told to, and with the worker that they serve. */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataEngine } from '../../../adapters/duckdb/index.ts';
import { ENDLESS } from './endless-query.ts';
import { isRunning, until } from '../trainer-process/job.ts';
import { writeRows } from './source-files.ts';

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'query-process-'));
  file = await writeRows(join(folder, 'rows.parquet'), 'SELECT range AS id FROM range(5000)');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const childrenOf = async (pid: number): Promise<number[]> => {
  const listed = await promisify(execFile)('pgrep', ['-P', String(pid)]).catch(() => ({ stdout: '' }));
  return listed.stdout.split('\n').filter(Boolean).map(Number);
};

describe('a query process', () => {
  it('is killed when its call is aborted, and leaves no folder', async () => {
    const scratchFolder = join(folder, 'aborted');
    const engine = createDataEngine({ scratchFolder });
    const controller = new AbortController();
    const before = await childrenOf(process.pid);
    const call = engine.buildFeatures({ tables: [{ name: 'rows', format: 'parquet', files: [file] }], features: ENDLESS, split: { by: 'time', holdout: { last: 'P1D' } }, folder }, { signal: controller.signal });
    const outcome = call.then(() => 'done', () => 'failed');
    await until(async () => (await readdir(scratchFolder)).length > 0);
    controller.abort();
    expect(await outcome).toBe('failed');
    expect(await readdir(scratchFolder)).toEqual([]);
    const after = (await childrenOf(process.pid)).filter((pid) => !before.includes(pid));
    for (const pid of after) await until(async () => !(await isRunning(pid)));
    await expect(engine.inspect([{ name: 'rows', format: 'parquet', files: [file] }], { signal: controller.signal })).rejects.toThrow();
  });

  it('ends with the worker that is killed', async () => {
    const scratchFolder = join(folder, 'killed');
    const program = fileURLToPath(new URL('program-of-a-worker.ts', import.meta.url));
    const worker = spawn(process.execPath, ['--import', 'tsx', program, scratchFolder, file], { stdio: 'ignore' });
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    let children: number[] = [];
    // The database file is there once the process works.
    await until(async () => {
      children = await childrenOf(worker.pid ?? 0);
      const [call] = await readdir(scratchFolder).catch(() => []);
      return children.length > 0 && call !== undefined && (await readdir(join(scratchFolder, call))).includes('call.duckdb');
    });
    worker.kill('SIGKILL');
    await ended;
    for (const pid of children) await until(async () => !(await isRunning(pid)));
  });
});
