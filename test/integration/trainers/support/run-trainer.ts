/** Starts a trainer as the contract says and collects what it does. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { builtInTrainer, pythonPath } from './python.ts';
import { temporaryFolder } from './temporary-folder.ts';

export type ProgressLine = { type: string; done?: number; total?: number; path?: string; key?: string; metrics?: Record<string, number> };
export type TrainerEnd = { exitCode: number | null; signal: string | null; lines: ProgressLine[]; stderr: string; stdout: string };
export type TrainerProcess = { pid: number; kill: (signal: NodeJS.Signals) => void; closeProgress: () => void };

export type Feature = { name: string; type: 'numeric' | 'categorical'; missing?: 'allowed' | 'forbidden' };
export type Spec = {
  contractVersion: number;
  trainer: string;
  train: string[];
  holdout: string[];
  label: string;
  features: Feature[];
  identity: string[];
  task: string;
  params: Record<string, string | number | boolean>;
  seed: number;
  threads: number;
  outputFolder: string;
  checkpointFolder: string;
  resumeFrom: string | null;
  deadline: string;
  device: string;
  reportMetric?: string;
};

/** A specification with folders of its own. */
export const makeSpec = (changes: Partial<Spec> & Pick<Spec, 'train' | 'holdout' | 'features'>): Spec => {
  const folder = temporaryFolder();
  const [outputFolder, checkpointFolder] = [join(folder, 'output'), join(folder, 'checkpoints')];
  mkdirSync(outputFolder);
  mkdirSync(checkpointFolder);
  return {
    contractVersion: 1,
    trainer: 'lightgbm',
    label: 'late',
    identity: ['flight_id'],
    task: 'binaryClassification',
    params: {},
    seed: 7,
    threads: 2,
    outputFolder,
    checkpointFolder,
    resumeFrom: null,
    deadline: '2100-01-01T00:00:00Z',
    device: 'cpu',
    ...changes,
  };
};

export type RunOptions = { script?: string; onLine?: (line: ProgressLine, trainer: TrainerProcess) => void; discardLog?: boolean };

const parseLine = (text: string): ProgressLine => {
  try {
    return JSON.parse(text) as ProgressLine;
  } catch {
    return { type: 'unreadable' };
  }
};

/** Runs a trainer to its end; `spec` may be any value, to test bad ones. */
export const runTrainer = async (spec: unknown, options: RunOptions = {}): Promise<TrainerEnd> => {
  const specFile = join(temporaryFolder(), 'spec.json');
  writeFileSync(specFile, typeof spec === 'string' ? spec : JSON.stringify(spec));
  const log = options.discardLog === true ? 'ignore' : 'pipe';
  const child = spawn(pythonPath(), [options.script ?? builtInTrainer], {
    env: { PATH: process.env['PATH'], TRAIN_SPEC: specFile },
    stdio: ['ignore', log, log, 'pipe'],
    detached: true,
  });
  const pid = child.pid ?? 0;
  const progress = child.stdio[3] as Readable;
  const trainer: TrainerProcess = { pid, kill: (signal) => process.kill(-pid, signal), closeProgress: () => progress.destroy() };
  const lines: ProgressLine[] = [];
  createInterface({ input: progress }).on('line', (text) => {
    const line = parseLine(text);
    lines.push(line);
    options.onLine?.(line, trainer);
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name]?.on('data', (chunk: Buffer) => (text[name] += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, lines, ...text }));
  });
};

/** The JSON on the last line of stderr. */
export const lastError = (end: TrainerEnd): { code: string; message: string; fix: string } => JSON.parse(end.stderr.trim().split('\n').at(-1) ?? '');
