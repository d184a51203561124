/**
 * Which processes hold an NVIDIA GPU, and how much of its memory, by nvidia-smi, which comes with the driver. Where it is not installed there
 * is no GPU to account for. See `nvidia-smi --help-query-compute-apps`.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export type GpuApp = { gpu: string; pid: number; memoryBytes: number };

export type GpuReader = {
  /** What the last look saw; empty while nobody looks. */
  latest: () => readonly GpuApp[];
  start: () => void;
  stop: () => void;
};

const EVERY_MS = 1_000;
const BYTES_PER_MIB = 2 ** 20;

/** Lines `<gpu uuid>, <pid>, <MiB>`; the memory is `[N/A]` on some systems. Other lines (headers, complaints) are skipped. */
export const parseComputeApps = (lines: readonly string[]): GpuApp[] =>
  lines.flatMap((line) => {
    const match = /^(GPU-[0-9a-fA-F-]+), (\d+), (\d+|\[N\/A\])\s*$/.exec(line.trim());
    return match === null ? [] : [{ gpu: match[1] ?? '', pid: Number(match[2]), memoryBytes: (Number(match[3]) || 0) * BYTES_PER_MIB }];
  });

/**
 * Gives each piece of work (its process ids) the GPUs that it holds. In a container the driver may tell process ids of the host, which mean
 * nothing there: then, if one piece of work alone runs, the GPUs are its own.
 */
export const attributeGpus = (
  apps: readonly GpuApp[],
  works: readonly (readonly number[])[],
  isVisible: (pid: number) => boolean = (pid) => existsSync(`/proc/${pid}`),
): { gpus: number; memoryBytes: number }[] => {
  const foreign = works.length === 1 && apps.every(({ pid }) => !isVisible(pid));
  return works.map((pids) => {
    const own = foreign ? apps : apps.filter(({ pid }) => pids.includes(pid));
    return { gpus: new Set(own.map(({ gpu }) => gpu)).size, memoryBytes: own.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0) };
  });
};

const findNvidiaSmi = (path: string): string | undefined =>
  path
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, 'nvidia-smi'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });

const QUERY = ['--query-compute-apps=gpu_uuid,pid,used_memory', '--format=csv,noheader,nounits', `--loop-ms=${EVERY_MS}`];

/** nvidia-smi says nothing between two looks that find nobody, so what is older than this is over. */
const FRESH_MS = 2_500;

/** A reader that keeps one nvidia-smi running while it is started; undefined where there is none on `path`. */
export const createGpuReader = (path: string): GpuReader | undefined => {
  const command = findNvidiaSmi(path);
  if (command === undefined) return undefined;
  let child: ChildProcess | undefined;
  let seen: (GpuApp & { at: number })[] = [];
  const take = (apps: GpuApp[]): void => {
    const at = performance.now();
    const isSame = (left: GpuApp, right: GpuApp): boolean => left.gpu === right.gpu && left.pid === right.pid;
    seen = [...seen.filter((old) => !apps.some((app) => isSame(old, app))), ...apps.map((app) => ({ ...app, at }))];
  };
  const stop = (): void => {
    child?.kill('SIGKILL');
    child = undefined;
    seen = [];
  };
  return {
    latest: () => seen.filter(({ at }) => performance.now() - at < FRESH_MS),
    start: () => {
      if (child !== undefined) return;
      let rest = '';
      child = spawn(command, QUERY, { stdio: ['ignore', 'pipe', 'ignore'] });
      // Accounting must not end work: without a look there are no GPU seconds.
      child.on('error', () => undefined);
      child.stdout?.on('data', (chunk: Buffer) => {
        const lines = (rest + chunk.toString('utf8')).split('\n');
        rest = lines.pop() ?? '';
        take(parseComputeApps(lines));
      });
    },
    stop,
  };
};
