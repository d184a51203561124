/**
 * The interface of every activity: workflows call it through proxies, `activities/` implements it. Types only.
 *
 * Each activity is idempotent: it may run again after it took effect, with the same input, and ends in the same state.
 * A step activity (first argument has `context`) writes the run and step rows itself.
 */
import type { ArtifactRef } from './artifact.ts';
import type { AlertDelivery, AlertRecord, DeliveryOutcome } from './alert.ts';
import type { CheckReport } from './check-report.ts';
import type { DatasetVersionRef } from './dataset.ts';
import type { ServingOptions, TrafficSplit } from './deployment.ts';
import type { FeatureSetRef } from './features.ts';
import type { EvaluationReport, Lineage, RegisteredVersion, TrainedModel } from './model.ts';
import type { MonitorSpec, MonitorWindow } from './monitor.ts';
import type { DataCheck } from './data-check.ts';
import type { FeaturesSpec, GateSpec, SourceSpec, SplitSpec, TrainSpec } from './pipeline.ts';
import type { RolloutOutcome, ServingWindow, StepVerdict } from './rollout.ts';
import type { RolloutPlan } from './rollout-plan.ts';
import type { RecordedBeginning, Reproduction, ReproducedVersion } from './reproduction.ts';
import type { FailureRecord, GateDecision, RunOutcome, RunState, StepContext } from './run.ts';
import type { RunPresence, TickInput } from './schedule.ts';
import type { SearchRows, TrialEnd, TrialInput, TrialParams } from './search.ts';
import type { ChampionStanding, LedgerPipeline, Trigger, TriggerOutcome, TriggerResolution } from './trigger.ts';

/** Steps of a run. */
export interface StepActivities {
  noop(input: { context: StepContext }): Promise<{ done: true }>;
  ingest(input: { context: StepContext; dataset: string; source: SourceSpec }): Promise<DatasetVersionRef>;
  check(input: { context: StepContext; dataset: DatasetVersionRef; checks: DataCheck[] }): Promise<CheckReport>;
  features(input: { context: StepContext; dataset: DatasetVersionRef; features: FeaturesSpec; split: SplitSpec }): Promise<FeatureSetRef>;
  train(input: { context: StepContext; featureSet: FeatureSetRef; features: FeaturesSpec; train: TrainSpec }): Promise<TrainedModel>;
  /** The dataset is that of the feature set: a champion with another feature SQL sees it through its own. */
  evaluate(input: {
    context: StepContext;
    dataset: DatasetVersionRef;
    featureSet: FeatureSetRef;
    features: FeaturesSpec;
    trained: TrainedModel;
    gates: GateSpec[];
  }): Promise<EvaluationReport>;
  /** Registers the judged model itself, no refit; the same run gets the same version again. */
  register(input: {
    context: StepContext;
    trained: TrainedModel;
    evaluation: EvaluationReport;
    gates: GateDecision[];
    lineage: Lineage;
    featureSet: FeatureSetRef;
  }): Promise<RegisteredVersion>;
}

/** Steps of a hyper-parameter search and its trials. Rows of trials are keyed by run and number. */
export interface SearchActivities {
  /** Cuts the last period off the training rows: trials are judged on it. */
  prepareSearch(input: { context: StepContext; train: ArtifactRef; validation: string }): Promise<SearchRows>;
  /**
   * Fits one trial on its rows, and reports to the search at each rung. `seconds` is how long the trainer ran, over all attempts of the activity; an attempt that
   * was lost counts up to the time at which its silence was noticed.
   */
  trainTrial(input: TrialInput): Promise<{ trained: TrainedModel; seconds: number }>;
  /** The metric of the trial's model on the validation rows, scored with the code that serves; sets the trial succeeded. */
  scoreTrial(input: { trial: TrialInput; trained: TrainedModel; seconds: number }): Promise<{ value: number }>;
  /** Records how a trial ended that did not succeed. */
  recordTrial(input: { runId: string; number: number; params: TrialParams; state: TrialEnd; value: number | null; seconds: number; failure: FailureRecord | null }): Promise<void>;
}

/** Repeating a version from its record. */
export interface ReproductionActivities {
  /** What the version's own run began from. Throws ModelVersionNotFound, or RecordIncomplete where the record was not kept. */
  loadRecord(version: ReproducedVersion): Promise<RecordedBeginning>;
  /** Compares a repeated training with the recorded one: the step `evaluate` of such a run. */
  compareReproduction(input: { context: StepContext; version: ReproducedVersion; featureSet: FeatureSetRef; trained: TrainedModel }): Promise<Reproduction>;
}

/** The run's own record, outside of its steps. */
export interface RunActivities {
  /** Records a step that has no activity of its own (gate, rollout): waiting, running and ended are absolute writes. */
  recordStep(input: { context: StepContext; state: 'running' | 'succeeded' | 'failed' | 'cancelled'; output?: unknown; failure?: FailureRecord }): Promise<void>;
  /** Outputs of the proven steps of an earlier run, whose artifacts were checked to exist; keys are step names. */
  loadProvenOutputs(input: { retryOf: string; before: string }): Promise<Record<string, unknown>>;
  /** Ends the run row; the last act of a run that did not end in its last step. */
  finishRun(input: { context: StepContext; state: RunState; outcome?: RunOutcome; failure?: FailureRecord }): Promise<void>;
}

/** Steps of a rollout. Every split is absolute and carries a request id: doing it again is the same split and generation. */
export interface RolloutActivities {
  /** Reads what is served now and checks that the version exists; records the rollout row. */
  prepareRollout(input: { rolloutId: string; workflowId: string; model: string; version: number; plan: RolloutPlan; requestedBy: string; runId?: string }): Promise<{
    stable: number | null;
    generation: number;
  }>;
  /** Compare-and-set on `expectedGeneration`; returns the new generation. Throws DeploymentConflict when someone else moved it. */
  shiftTraffic(input: { rolloutId: string; model: string; requestId: string; expectedGeneration: number; split: TrafficSplit; options: ServingOptions }): Promise<{ generation: number }>;
  /**
   * Waits until every gateway with a live lease acknowledged the generation. Throws GatewayLoadFailed when one could not load
   * the version, GatewaysUnavailable (retryable) while there is no gateway at all. Heartbeats.
   */
  awaitGateways(input: { model: string; generation: number }): Promise<{ gateways: number }>;
  /** Counters since a generation, or what its copies showed (`isShadow`); with the counters of `against` beside them where that is asked for. */
  readServingWindow(input: { model: string; version: number; generation: number; against?: number; isShadow?: boolean }): Promise<ServingWindow>;
  /** One transaction: the promotion row (unique), the champion alias and the split with the version as stable. */
  promote(input: { rolloutId: string; model: string; version: number; requestId: string; expectedGeneration: number; options: ServingOptions }): Promise<{ generation: number; previous: number | null }>;
  /** The undo: all traffic back to `stable` (null: nothing is served), whatever the generation; gives the champion alias back too. */
  restoreTraffic(input: { rolloutId: string; model: string; requestId: string; stable: number | null; options: ServingOptions }): Promise<{ generation: number }>;
  /** Appends one decision; `sequence` makes it idempotent. */
  recordRolloutDecision(input: { rolloutId: string; sequence: number; step: number; weight: number; verdict: StepVerdict; window: ServingWindow | null; by?: string }): Promise<void>;
  finishRollout(input: { rolloutId: string; outcome: RolloutOutcome }): Promise<void>;
  /** Starts the model's monitor, or tells the running one of its new champion. */
  startMonitor(input: { model: string; version: number; pipeline: string; spec: MonitorSpec }): Promise<void>;
  /** The monitor part of the pipeline version that made this model version; null when it has none. */
  monitorSpecOf(input: { model: string; version: number }): Promise<{ pipeline: string; spec: MonitorSpec } | null>;
}

/** Steps of a monitor. */
export interface MonitorActivities {
  /**
   * Closes at most one new window (when enough predictions have been logged) and brings quality of earlier windows up to date
   * with labels that came since. Returns the windows that changed, at most 50, and the number of the next window.
   */
  evaluateMonitorWindows(input: { model: string; version: number; spec: MonitorSpec; nextWindow: number }): Promise<{ nextWindow: number; changed: MonitorWindow[] }>;
  recordMonitorDecision(input: { model: string; window: number; decision: string }): Promise<void>;
  /** Hands a trigger to the ledger (signal-with-start of `triggers/<pipeline>`); the same id again is the same trigger. */
  submitTrigger(input: { pipeline: string; trigger: Trigger }): Promise<void>;
}

/** Steps of the trigger ledger. */
export interface TriggerActivities {
  /** One row per trigger id; an id that has its row keeps it. */
  recordTriggers(input: { pipeline: string; decisions: { trigger: Trigger; outcome: TriggerOutcome }[] }): Promise<void>;
  /** The current version of a pipeline, with the open runs of its model and what they spent of the budget; null when there is none any more. */
  loadPipeline(input: { pipeline: string }): Promise<LedgerPipeline | null>;
  /**
   * One row per retrain that ended, with how many in a row did not beat the champion; a run that has its row keeps it. Null for a run that makes no
   * model, or whose end is not recorded.
   */
  recordRetrain(input: { pipeline: string; runId: string }): Promise<ChampionStanding | null>;
}

/** Steps of an incident. Conditions of runs and rollouts are reported by `finishRun` and `finishRollout`, which know the end. */
export interface AlertActivities {
  /** Looks at the newest windows of a version and tells its incidents which conditions hold; doing it again tells the same. */
  alertOnWindows(input: { model: string; pipeline: string; version: number; spec: MonitorSpec }): Promise<void>;
  /**
   * Writes incidents and their pending messages. Returns the ids of incidents that are not theirs to open: an earlier one was opened by the same
   * occurrence, which came a second time.
   */
  recordAlerts(input: { model: string; records: AlertRecord[] }): Promise<{ repeated: string[] }>;
  /**
   * One attempt to send one message, unless it was sent or a silence holds it back. After a crash between sending and writing that down it is
   * sent again under the same id, by which a receiver drops it.
   */
  deliverAlert(input: { model: string; delivery: AlertDelivery }): Promise<DeliveryOutcome>;
}

/** Steps of a tick of a schedule; `runPresence` is the trigger ledger's too. */
export interface TickActivities {
  /** Hands the tick to the ledger (signal-with-start); the same scheduled time again is the same trigger. Returns the trigger's id. */
  submitTick(input: TickInput & { scheduledAt: string }): Promise<{ triggerId: string }>;
  /** Where the trigger led, as far as it is decided. Only reads. */
  resolveTrigger(input: { pipeline: string; triggerId: string }): Promise<TriggerResolution>;
  /** Whether the run is still open, and if not, how it ended. Only reads. */
  runPresence(input: { runId: string }): Promise<RunPresence>;
  /** Asks the run to cancel; one that has ended, or is being cancelled, stays as it is. */
  cancelRun(input: { runId: string }): Promise<void>;
}

export interface PerennialActivities extends StepActivities, ReproductionActivities, SearchActivities, RunActivities, RolloutActivities, MonitorActivities, TriggerActivities, TickActivities, AlertActivities {}
