/** Starting and following runs, with one line per step. */
import { setTimeout as pause } from 'node:timers/promises';
import type { RunOutcome } from '../../../contracts/run.ts';
import type { FlightDelaysPipeline } from './pipeline.ts';
import { MODEL, type Stage } from './stage.ts';
import type { Answered, LabelledRow } from './traffic.ts';

export type StepView = {
  name: string;
  state: string;
  waitingFor: string | null;
  attempts: number;
  durationMs: number | null;
  progress: { done: number; total: number; metrics?: Record<string, number> } | null;
  output: unknown;
  failure: { code: string; message: string } | null;
};

export type RunView = { runId: string; state: string; step: string | null; workflowId: string; outcome: RunOutcome | null; failure: { code: string; message: string } | null; steps: StepView[] };

const RUN_BOUND_MS = 180_000;

/** Applies the pipeline and starts a run of it; both are safe to send again. */
export const startRun = async (stage: Stage, pipeline: FlightDelaysPipeline, key: string): Promise<string> => {
  const { version } = await stage.api.put<{ version: number }>(`/pipelines/${MODEL}`, pipeline);
  const { runId, links } = await stage.api.post<{ runId: string; links: { temporal: string } }>(`/pipelines/${MODEL}/runs`, { reason: key }, key);
  stage.say(`run ${runId} of pipeline version ${version}`);
  stage.say(`  Temporal: ${links.temporal}`);
  return runId;
};

const summaryOf = ({ name, output }: StepView): string => {
  const value = (output ?? {}) as Record<string, unknown>;
  if (name === 'ingest') return `${value['rows']} rows in ${value['files']} files, version ${String(value['version']).slice(0, 12)}`;
  if (name === 'check') return `${value['checks']} checks, ${value['failed']} failed, ${value['warned']} warned`;
  if (name === 'features') return `${value['trainRows']} rows to train, ${value['holdoutRows']} held out from ${JSON.stringify((value['split'] as { holdoutFrom?: string } | undefined)?.holdoutFrom)}`;
  if (name === 'evaluate') return evaluationSummary(value);
  if (name === 'register') return `version ${value['version']}`;
  return '';
};

const evaluationSummary = (value: Record<string, unknown>): string => {
  const report = value as { candidate: { rocAuc: number }; champion: { version: number; metrics: { rocAuc: number } } | null; comparisons: { difference: number; low: number; high: number }[]; parity: { largestDifference: number } | null };
  const fixed = (number: number | null): string => (number === null ? 'none' : number.toFixed(3));
  const champion = report.champion === null ? 'no champion yet' : `champion (version ${report.champion.version}) ${fixed(report.champion.metrics.rocAuc)} on the same rows`;
  const interval = report.comparisons.map(({ difference, low, high }) => `; difference ${fixed(difference)}, interval ${fixed(low)} to ${fixed(high)}`).join('');
  return `ROC AUC ${fixed(report.candidate.rocAuc)}, ${champion}${interval}; parity ${report.parity?.largestDifference.toExponential(1) ?? 'not checked'}`;
};

const line = (step: StepView): string => {
  const duration = step.durationMs === null ? '' : ` ${(step.durationMs / 1_000).toFixed(1)} s`;
  const attempts = step.attempts > 1 ? `, attempt ${step.attempts}` : '';
  return `  ${step.name.padEnd(9)} ${step.state}${duration}${attempts}  ${step.failure !== null && step.state === 'failed' ? step.failure.message : summaryOf(step)}`;
};

/** Follows a run to its end and says each step as it ends, and what it waits for. `onView` may act in the middle. */
export const followRun = async (stage: Stage, runId: string, onView: (run: RunView) => Promise<void> | void = () => undefined): Promise<RunView> => {
  const said = new Set<string>();
  const until = Date.now() + RUN_BOUND_MS;
  for (;;) {
    const run = await stage.api.get<RunView>(`/runs/${runId}`);
    for (const step of run.steps) {
      const key = `${step.name} ${step.state}`;
      const isNews = ['succeeded', 'failed', 'reused'].includes(step.state) || step.waitingFor !== null;
      if (!isNews || said.has(key)) continue;
      said.add(key);
      stage.say(step.waitingFor === null ? line(step) : `  ${step.name.padEnd(9)} waits for ${step.waitingFor}`);
    }
    if (run.state !== 'running') {
      stage.say(`run ended: ${run.state}${run.failure === null ? '' : `, ${run.failure.code}: ${run.failure.message}`}`);
      return run;
    }
    if (Date.now() > until) throw new Error(`${runId} is still ${run.state} at step ${run.step} after ${RUN_BOUND_MS / 1_000} s`);
    await onView(run);
    await pause(150);
  }
};

const ROWS_PER_SECOND = 150;

/** Live rows from the moment that the run begins its rollout: training has the machine for itself, the canary has requests to judge. */
export const trafficDuringRollout = (stage: Stage, rows: LabelledRow[]): { onView: (run: RunView) => void; stop: () => Promise<Answered[]> } => {
  let sender: ReturnType<Stage['traffic']['start']> | undefined;
  return {
    onView: (run) => {
      if (run.step === 'rollout') sender ??= stage.traffic.start(rows, ROWS_PER_SECOND);
    },
    stop: async () => (await sender?.stop()) ?? [],
  };
};
