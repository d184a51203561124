/** The end of the demo: a table for people, JSON for programs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorRows, rolloutRows, triggerRows, versionRows } from './evidence.ts';
import type { Point, Stage } from './stage.ts';

const TITLES: Record<string, string> = {
  train: '1 train on January to March, judge on April',
  serve: '2 serve May, with version and inference id',
  canary: '3 canary to champion on rows of June',
  bad: '4 bad models: refused by the gate, rolled back live',
  drift: '5 drift and quality drop, retrain, promote',
  survive: '6 kill -9 in the middle of the canary',
};

const write = (folder: string, value: unknown): string => {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'demo.json');
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
  return path;
};

/** Writes demo.json and prints the table; true when every point holds and enough requests were sent. */
export const summarise = async (stage: Stage, points: Point[], options: { folder: string; wallSeconds: number }): Promise<boolean> => {
  const { sent, failed, failures } = stage.traffic.counts;
  const [versions, rollouts, windows, triggers] = await Promise.all([versionRows(stage), rolloutRows(stage), monitorRows(stage), triggerRows(stage)]);
  const runs = (await stage.api.get<{ runs: unknown[] }>('/runs?pipeline=flight-delays')).runs;
  const allHold = points.length === 6 && points.every(({ ok }) => ok) && failed === 0 && sent >= 10_000;
  const path = write(options.folder, {
    points,
    requests: { sent, failed, failures },
    versions: versions.map(({ version, run_id, model_sha256, evaluation, trigger }) => ({ version, runId: run_id, sha256: model_sha256, candidate: evaluation.candidate, champion: evaluation.champion, comparisons: evaluation.comparisons, trigger })),
    rollouts,
    drift: { windows, triggers },
    runs,
    wallSeconds: options.wallSeconds,
  });
  stage.say('');
  for (const [name, title] of Object.entries(TITLES)) {
    const point = points.find((candidate) => candidate.name === name);
    stage.say(`${point?.ok === true ? 'ok    ' : 'FAILED'} ${title}`);
  }
  stage.say(`${sent} requests sent, ${failed} failed; ${versions.length} versions, ${rollouts.length} rollouts, ${triggers.length} triggers; ${options.wallSeconds.toFixed(0)} s`);
  stage.say(`evidence: ${path}`);
  return allHold;
};
