/** A run as it is shown: rows and the present moment put together. */
import { describe, expect, it } from 'vitest';
import type { LiveRun } from '../../../api/runs/live-runs.ts';
import type { RunRow, StepRow } from '../../../api/runs/run-rows.ts';
import { runView, type RunParts } from '../../../api/runs/run-view.ts';
import { eventsBetween } from '../../../api/runs/events.ts';
import type { PendingActivity } from '../../../api/temporal/pending-activities.ts';
import { PipelineSpec } from '../../../contracts/pipeline.ts';
import { modelPipeline, stepsPipeline } from '../../support/api.ts';

const NOW = Date.parse('2026-05-01T12:00:00.000Z');
const ago = (ms: number): string => new Date(NOW - ms).toISOString();
const ALL = new Set(['workflows', 'data', 'cpu']);
const trigger = { kind: 'manual' as const, id: 'm', reason: 'by hand' };
const spec = PipelineSpec.parse(modelPipeline('late', { train: { trainer: 'lightgbm', pool: 'gpu' } }));

const row = (changes: Partial<RunRow> = {}): RunRow => ({
  runId: 'late.1', pipeline: 'late', pipelineVersion: 1, model: 'late', workflowId: 'run/late/late.1', trigger, state: 'running',
  outcome: null, failure: null, retryOf: null, startedAt: ago(60_000), finishedAt: null, ...changes,
});
const step = (name: string, position: number, changes: Partial<StepRow> = {}): StepRow => ({
  step: name, position, pool: 'data', state: 'succeeded', attempts: 1, worker: 'w', input: null, output: { of: name }, failure: null,
  startedAt: ago(50_000), finishedAt: ago(40_000), uses: null, ...changes,
});
const pending = (changes: Partial<PendingActivity> = {}): PendingActivity => ({
  type: 'train', pool: 'gpu', started: false, attempt: 1, scheduledAt: ago(9_000), startedAt: null, heartbeatAt: null, progress: null, lastFailure: null, ...changes,
});
const open = (activities: PendingActivity[], status: Extract<LiveRun, { kind: 'open' }>['status'] = null): LiveRun => ({
  kind: 'open', workflowRunId: 'r', startedAt: ago(61_000), memo: { pipelineVersion: 1, trigger }, pending: activities, status,
});
const parts = (changes: Partial<RunParts>): RunParts => ({
  runId: 'late.1', workflowId: 'run/late/late.1', links: { self: '', events: '', temporal: '' }, row: row(), steps: [], earlier: undefined, spec, live: undefined,
  moment: { nowMs: NOW, pools: ALL }, prices: null, ...changes,
});
const done = [step('ingest', 0), step('check', 1), step('features', 2)];
const view = (changes: Partial<RunParts>) => runView(parts(changes));
const shown = (run: ReturnType<typeof runView>, name: string) => run.steps.find((candidate) => candidate.name === name);

describe('an open run', () => {
  it('says which pool nobody works for, when it was never started', () => {
    const run = view({ steps: done, live: open([pending()]) });
    expect(run).toMatchObject({ state: 'running', step: 'train', waitingFor: 'a worker of pool gpu: none is running' });
    expect(shown(run, 'train')).toMatchObject({ state: 'waiting', waitingFor: 'a worker of pool gpu: none is running', pool: 'gpu', attempts: 0 });
    expect(shown(run, 'evaluate')).toMatchObject({ state: 'notStarted' });
  });

  it('says so too when the worker died under the attempt', () => {
    const train = step('train', 3, { state: 'running', pool: 'gpu', output: null, finishedAt: null });
    const run = view({ steps: [...done, train], live: open([pending({ started: true, startedAt: ago(8_000), heartbeatAt: ago(7_500) })]) });
    expect(shown(run, 'train')).toMatchObject({ state: 'waiting', waitingFor: 'a worker of pool gpu: none is running', attempts: 1 });
  });

  it('says so when the pool of workflows itself is empty, even before anything began', () => {
    const run = view({ row: undefined, live: open([]), moment: { nowMs: NOW, pools: new Set(['data']) } });
    expect(run).toMatchObject({ state: 'running', step: 'ingest', waitingFor: 'a worker of pool workflows: none is running', pipelineVersion: 1, startedAt: ago(61_000) });
  });

  it('does not call work waiting that goes on without a workflows worker', () => {
    const run = view({ steps: done, live: open([pending({ pool: 'cpu', started: true })]), moment: { nowMs: NOW, pools: new Set(['cpu']) } });
    expect(run.waitingFor).toBeNull();
    expect(shown(run, 'train')).toMatchObject({ state: 'running' });
  });

  it('shows progress, heartbeat and attempts of a running step', () => {
    const progress = { done: 3, total: 20, metrics: { logLoss: 0.4 } };
    const run = view({ steps: done, live: open([pending({ pool: 'cpu', started: true, attempt: 2, startedAt: ago(5_000), heartbeatAt: ago(1_500), progress })]) });
    expect(shown(run, 'train')).toMatchObject({ state: 'running', attempts: 2, progress, heartbeatAgeSeconds: 1.5, waitingFor: null, durationMs: 5_000 });
  });

  it('waits between two attempts, and says why', () => {
    const lastFailure = { code: 'TrainerCrashed', message: 'killed', fix: 'x', logTail: ['a'] };
    const failed = step('train', 3, { state: 'failed', output: null, failure: lastFailure, finishedAt: ago(100) });
    const run = view({ steps: [...done, failed], live: open([pending({ pool: 'cpu', attempt: 2, lastFailure })]) });
    expect(shown(run, 'train')).toMatchObject({ state: 'waiting', waitingFor: 'attempt 2, after TrainerCrashed', failure: lastFailure, finishedAt: null });
  });

  it('does not flicker: a step that was just scheduled for a live pool is running', () => {
    const run = view({ steps: done, live: open([pending({ pool: 'cpu', scheduledAt: ago(200) })]) });
    expect(run.waitingFor).toBeNull();
    const late = view({ steps: done, live: open([pending({ pool: 'cpu', scheduledAt: ago(5_000) })]) });
    expect(late.waitingFor).toBe('a free worker of pool cpu');
  });

  it('passes on what the workflow waits for', () => {
    const gate = step('gate', 5, { state: 'running', pool: 'workflows', output: null, finishedAt: null });
    const status = { runId: 'late.1', step: 'gate', pool: null, gates: [], waitingForApproval: true, waitingFor: 'an approval within 60 s', outcome: null };
    const run = view({ steps: [...done, step('train', 3), step('evaluate', 4), gate], live: open([], status) });
    expect(run.waitingFor).toBe('an approval within 60 s');
    expect(shown(run, 'gate')).toMatchObject({ state: 'waiting' });
  });

  it('is shown from its rows while Temporal is away, and says so', () => {
    const run = view({ steps: done, live: { kind: 'unknown' } });
    expect(run.degraded).toMatch(/Temporal does not answer/);
    expect(shown(run, 'features')).toMatchObject({ state: 'succeeded', durationMs: 10_000 });
  });

  it('finds the present one of several built-in steps', () => {
    const noops = PipelineSpec.parse(stepsPipeline('late'));
    const run = view({ spec: noops, steps: [step('first', 0)], live: open([pending({ type: 'noop', pool: 'gpu' })]) });
    expect(shown(run, 'second')).toMatchObject({ state: 'waiting', pool: 'gpu' });
    expect(run.step).toBe('second');
  });
});

describe('a run that ended', () => {
  it('is shown from its rows alone', () => {
    const run = view({ row: row({ state: 'rejected', outcome: { kind: 'rejected', reasons: ['too few'] }, finishedAt: ago(1_000) }), steps: done });
    expect(run).toMatchObject({ state: 'rejected', step: null, waitingFor: null, durationMs: 59_000, degraded: null });
    expect(shown(run, 'rollout')).toMatchObject({ state: 'skipped' });
  });

  it('shows its true end when no worker was there to write it', () => {
    const train = step('train', 3, { state: 'running', output: null, finishedAt: null });
    const live: LiveRun = { kind: 'closed', workflowRunId: 'r', startedAt: ago(61_000), memo: undefined, state: 'terminated', outcome: null, failure: { code: 'Internal', message: 'the run was terminated', fix: 'x' }, closedAt: ago(500) };
    const run = view({ steps: [...done, train], live });
    expect(run).toMatchObject({ state: 'terminated', finishedAt: ago(500), failure: { message: 'the run was terminated' } });
    expect(shown(run, 'train')).toMatchObject({ state: 'cancelled' });
  });

  it('keeps the end that its row has, whatever else is said', () => {
    const run = view({ row: row({ state: 'failed', failure: { code: 'SourceNotFound', message: 'no file', fix: 'x' }, finishedAt: ago(1_000) }), live: { kind: 'unknown' } });
    expect(run).toMatchObject({ state: 'failed', failure: { code: 'SourceNotFound' } });
  });
});

describe('a retry', () => {
  it('shows the steps whose outputs it took over', () => {
    const run = view({ row: row({ retryOf: 'late.0' }), steps: [step('train', 3, { state: 'running' })], earlier: done, live: open([]) });
    expect(run.steps.slice(0, 4).map((candidate) => candidate.state)).toEqual(['reused', 'reused', 'reused', 'running']);
    expect(shown(run, 'check')).toMatchObject({ output: { of: 'check' } });
  });
});

describe('events', () => {
  const names = (events: ReturnType<typeof eventsBetween>) => events.map(({ event, data }) => `${event} ${(data as { name?: string; state?: string }).name ?? (data as { state?: string }).state}`);
  const before = view({ steps: done, live: open([pending({ pool: 'cpu', started: true, progress: { done: 1, total: 9 } })]) });

  it('begin with all that has happened', () => {
    expect(names(eventsBetween(undefined, before))).toEqual(['step ingest', 'step check', 'step features', 'step train', 'progress train', 'state running']);
  });
  it('tell nothing when nothing changed but the clock', () => {
    const later = runView(parts({ steps: done, live: open([pending({ pool: 'cpu', started: true, progress: { done: 1, total: 9 } })]), moment: { nowMs: NOW + 5_000, pools: ALL } }));
    expect(eventsBetween(before, later)).toEqual([]);
  });
  it('tell progress, and the end last', () => {
    const further = view({ steps: done, live: open([pending({ pool: 'cpu', started: true, progress: { done: 2, total: 9 } })]) });
    expect(names(eventsBetween(before, further))).toEqual(['progress train']);
    const end = view({ row: row({ state: 'failed', finishedAt: ago(0) }), steps: [...done, step('train', 3, { state: 'failed' })] });
    expect(names(eventsBetween(further, end)).at(0)).toBe('step train');
    expect(names(eventsBetween(further, end)).at(-1)).toBe('end failed');
  });
});
