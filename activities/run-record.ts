/** The record of a run outside of its steps' own activities. Safe to repeat: every write is absolute. */
import type { ArtifactRef } from '../contracts/artifact.ts';
import { ArtifactRef as ArtifactRefSchema } from '../contracts/artifact.ts';
import type { RunActivities } from '../contracts/activities.ts';
import type { ArtifactStore } from '../domain/ports/artifact-store.ts';
import type { RunLedger } from '../domain/ports/run-ledger.ts';
import { positionOf } from '../domain/steps.ts';
import { reportFinishedRun, type ReportPorts } from './alert-reports.ts';
import { effect } from './boundary.ts';

type RecordStep = Parameters<RunActivities['recordStep']>[0];
type FinishRun = Parameters<RunActivities['finishRun']>[0];

const UNKNOWN_FAILURE = { code: 'Internal', message: 'the step did not say why it ended', fix: 'See the run in the Temporal Web UI.' };

const recordStep = async (ledger: RunLedger, { context, state, output, failure }: RecordStep): Promise<void> => {
  if (state === 'running') await ledger.startStep(context, { number: 1, worker: 'workflow', input: null });
  else if (state === 'succeeded') await ledger.finishStep(context, output);
  else await ledger.failStep(context, failure ?? UNKNOWN_FAILURE, state);
};

/** Every artifact that a step's output refers to, wherever in it. */
export const artifactsIn = (value: unknown): ArtifactRef[] => {
  if (typeof value !== 'object' || value === null) return [];
  const parsed = ArtifactRefSchema.safeParse(value);
  return parsed.success ? [parsed.data] : Object.values(value).flatMap(artifactsIn);
};

const allExist = async (artifacts: ArtifactStore, output: unknown): Promise<boolean> => {
  for (const artifact of artifactsIn(output)) {
    if (!(await artifacts.exists(artifact))) return false;
  }
  return true;
};

/** Whether a step comes next after those so far: only the place of a search may be left out. */
const isNext = (position: number, next: number): boolean => position === next || (next === positionOf('search') && position === next + 1);

/** Goes through the steps in order and stops at the first that is missing or lost an artifact: what comes after it builds on it. */
const provenOutputs = async (steps: Awaited<ReturnType<RunLedger['outputsOf']>>, before: string, artifacts: ArtifactStore): Promise<Record<string, unknown>> => {
  const proven: Record<string, unknown> = {};
  let next = 0;
  for (const { step, position, output } of steps) {
    if (step === before || !isNext(position, next) || !(await allExist(artifacts, output))) break;
    proven[step] = output;
    next = position + 1;
  }
  return proven;
};

/** The row first: what is reported of the run is judged by the rows. */
const finishRun = async (ports: RunRecordPorts, { context, state, outcome, failure }: FinishRun): Promise<void> => {
  await ports.ledger.finishRun(context, { state, outcome, failure });
  const { pipeline, runId } = context;
  await reportFinishedRun(ports, { pipeline, runId, state, outcome, failure });
};

export type RunRecordPorts = ReportPorts & { ledger: RunLedger; artifacts: ArtifactStore };

export const createRunRecordActivities = (ports: RunRecordPorts): RunActivities => ({
  recordStep: effect((input: RecordStep) => recordStep(ports.ledger, input)),
  loadProvenOutputs: effect(async ({ retryOf, before }: { retryOf: string; before: string }) =>
    provenOutputs(await ports.ledger.outputsOf(retryOf), before, ports.artifacts),
  ),
  finishRun: effect((input: FinishRun) => finishRun(ports, input)),
});
