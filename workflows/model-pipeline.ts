/** A model pipeline: from the source data to a version that serves, one step after the other. */
import { CancellationScope } from '@temporalio/workflow';
import type { CheckReport } from '../contracts/check-report.ts';
import type { DatasetVersionRef } from '../contracts/dataset.ts';
import type { FeatureSetRef } from '../contracts/features.ts';
import type { EvaluationReport, Lineage, RegisteredVersion, TrainedModel } from '../contracts/model.ts';
import type { ModelPipelineSpec } from '../contracts/pipeline.ts';
import { DATA_POOL, WORKFLOWS_POOL } from '../contracts/queues.ts';
import type { RolloutOutcome } from '../contracts/rollout.ts';
import type { GateDecision, RunOutcome } from '../contracts/run.ts';
import { refusals } from '../domain/gates.ts';
import { checkRefusal, datasetNameOf, modelNameOf } from '../domain/steps.ts';
import { receiveApprovals } from './approval.ts';
import { namedFailure } from './failure.ts';
import { gate } from './gate-step.ts';
import { doStep, loadProvenOutputs, type ModelRun } from './model-step.ts';
import { io, quick } from './proxies.ts';
import { reproduce } from './reproduce.ts';
import { takeRolloutTurn } from './rollout-turn.ts';
import type { RunState } from './run-state.ts';
import { setSearchAttributes } from './search-attributes.ts';
import { withSearchedParams } from './search-step.ts';
import { train } from './train-step.ts';

const ingest = (run: ModelRun): Promise<DatasetVersionRef> => {
  const dataset = datasetNameOf(run.spec);
  return doStep(run, { name: 'ingest', pool: DATA_POOL }, (context) => io(dataset).ingest({ context, dataset, source: run.spec.source }));
};

const check = async (run: ModelRun, dataset: DatasetVersionRef): Promise<void> => {
  const { checks } = run.spec;
  const summary = `${checks.length} checks of ${dataset.rows} rows`;
  const report = await doStep(run, { name: 'check', pool: DATA_POOL }, (context): Promise<CheckReport> => io(summary).check({ context, dataset, checks }));
  const refusal = checkRefusal(report);
  if (refusal !== null) throw namedFailure('DataChecksFailed', refusal);
};

const buildFeatures = (run: ModelRun, dataset: DatasetVersionRef): Promise<FeatureSetRef> => {
  const { features, split } = run.spec;
  const summary = `${features.columns.length} features, hold-out ${split.holdout.last}`;
  return doStep(run, { name: 'features', pool: DATA_POOL }, (context) => io(summary).features({ context, dataset, features, split }));
};

const evaluate = (run: ModelRun, dataset: DatasetVersionRef, featureSet: FeatureSetRef, trained: TrainedModel): Promise<EvaluationReport> => {
  const { features, gates } = run.spec;
  const summary = `${featureSet.holdoutRows} held-out rows`;
  // Judging needs the data engine and ONNX Runtime, which workers of the data pool have; a trainer's pool may have neither.
  return doStep(run, { name: 'evaluate', pool: DATA_POOL }, (context) => io(summary).evaluate({ context, dataset, featureSet, features, trained, gates }));
};

const lineageOf = ({ state: { input }, spec }: ModelRun, made: { dataset: DatasetVersionRef; featureSet: FeatureSetRef; trained: TrainedModel }): Lineage => ({
  runId: input.runId,
  pipeline: input.pipeline,
  pipelineVersion: input.pipelineVersion,
  dataset: made.dataset.dataset,
  datasetVersion: made.dataset.version,
  datasetManifest: made.dataset.manifest,
  featureSetVersion: made.featureSet.version,
  featureSetManifest: made.featureSet.manifest,
  trainer: typeof spec.train.trainer === 'string' ? spec.train.trainer : spec.train.trainer.command.join(' '),
  seed: spec.train.seed,
  resumedFrom: made.trained.resumedFrom,
});

type Judged = { dataset: DatasetVersionRef; featureSet: FeatureSetRef; trained: TrainedModel; evaluation: EvaluationReport; gates: GateDecision[] };

const register = (run: ModelRun, judged: Judged): Promise<RegisteredVersion> => {
  const { featureSet, trained, evaluation, gates } = judged;
  const lineage = lineageOf(run, judged);
  return doStep(run, { name: 'register', pool: DATA_POOL }, (context) =>
    io(modelNameOf(run.spec)).register({ context, trained, evaluation, gates, lineage, featureSet }),
  );
};

const rollOut = (run: ModelRun, registered: RegisteredVersion): Promise<RolloutOutcome> =>
  doStep(run, { name: 'rollout', pool: WORKFLOWS_POOL }, async (context) => {
    await quick(`rollout of version ${registered.version}`).recordStep({ context, state: 'running' });
    const outcome = await takeRolloutTurn(run.state, registered, run.spec.rollout);
    // The rollout has ended: a cancel that came too late to stop it cannot make that untrue.
    await CancellationScope.nonCancellable(() => quick(outcome.kind).recordStep({ context, state: 'succeeded', output: outcome }));
    return outcome;
  });

const outcomeOf = ({ model, version }: RegisteredVersion, rollout: RolloutOutcome): RunOutcome =>
  rollout.kind === 'promoted'
    ? { kind: 'succeeded', model, version, rollout }
    : { kind: 'rolledBack', model, version, reason: rollout.reason, rollout };

export const runModelPipeline = async (state: RunState, spec: ModelPipelineSpec): Promise<RunOutcome> => {
  setSearchAttributes({ model: modelNameOf(spec) });
  const approvals = receiveApprovals(state);
  const run: ModelRun = { state, spec, approvals, proven: await loadProvenOutputs(state, spec) };
  const { reproduces } = state.input.trigger;
  if (reproduces !== undefined) return reproduce(run, reproduces, buildFeatures);
  const dataset = await ingest(run);
  await check(run, dataset);
  const featureSet = await buildFeatures(run, dataset);
  const trained = await train(await withSearchedParams(run, featureSet), featureSet);
  const evaluation = await evaluate(run, dataset, featureSet, trained);
  const { passed, gates } = await gate(run, evaluation);
  if (!passed) return { kind: 'rejected', reasons: refusals(gates) };
  const registered = await register(run, { dataset, featureSet, trained, evaluation, gates });
  return outcomeOf(registered, await rollOut(run, registered));
};
