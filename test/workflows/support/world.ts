/**
 * The world of the stubs: a deployment per model, rows of runs, and what a scenario changes. Scenarios are told apart by the name of their
 * pipeline, which is also the name of their model, so that many of them share one server.
 */
import { activityInfo } from '@temporalio/activity';
import type { PerennialActivities } from '../../../contracts/activities.ts';
import type { AlertRecord, AlertView } from '../../../contracts/alert.ts';
import type { PipelineSpec } from '../../../contracts/pipeline.ts';
import type { RolloutOutcome, ServingWindow, StepVerdict } from '../../../contracts/rollout.ts';
import type { FailureRecord, RunOutcome, RunState } from '../../../contracts/run.ts';
import type { RunPresence } from '../../../contracts/schedule.ts';
import type { TrialParams, TrialState } from '../../../contracts/search.ts';
import type { ChampionStanding, LedgerPipeline, Trigger, TriggerOutcome, TriggerResolution } from '../../../contracts/trigger.ts';
import { championStanding, retrainVerdict } from '../../../domain/champion-streak.ts';
import { tickTrigger } from '../../../domain/schedules.ts';
import { artifact, checkReport, datasetVersion, evaluationReport, featureSet, monitorWindow, trainedModel } from './artifacts.ts';
import { createDeployment, promote, restore, shift, type Deployment } from './deployments.ts';

type Name = keyof PerennialActivities;

/** Replaces an activity in one scenario; `proceed` does what the stub does. */
export type Override<N extends Name> = (
  input: Parameters<PerennialActivities[N]>[0],
  proceed: () => Promise<Awaited<ReturnType<PerennialActivities[N]>>>,
  attempt: number,
) => Promise<Awaited<ReturnType<PerennialActivities[N]>>>;
export type Overrides = { [N in Name]?: Override<N> };

export type Scenario = {
  name: string;
  deployment: Deployment;
  overrides: Overrides;
  /** Activities in the order in which they began, retries included. */
  calls: Name[];
  steps: Map<string, { state: string; output?: unknown; failure?: FailureRecord }>;
  ends: Map<string, { state: RunState; outcome?: RunOutcome; failure?: FailureRecord }>;
  decisions: { step: number; weight: number; verdict: StepVerdict; by?: string }[];
  rolloutEnds: RolloutOutcome[];
  window: ServingWindow;
  spec: PipelineSpec | null;
  triggers: Map<string, { trigger: Trigger; outcome: TriggerOutcome }>;
  submitted: Trigger[];
  /** Whether what is submitted really goes to the ledger's workflow, and a cancel to the run's. */
  connected: boolean;
  /** Open runs and spending, as the ledger is told of them. */
  facts: () => Pick<LedgerPipeline, 'openRuns' | 'spent'>;
  /** Times at which runs began, by the server's clock. */
  runsBegunAtMs: number[];
  retrains: ChampionStanding[];
  /** Trials of the run's search, and the loss of parameters. */
  trials: Map<number, { params: TrialParams; state: TrialState; value?: number }>;
  lossOf: (params: TrialParams) => number;
  monitors: { version: number }[];
  monitorDecisions: string[];
  alertRecords: AlertRecord[];
  /** Messages in the order in which a receiver saw them. */
  messages: { receiver: string; alert: AlertView }[];
};

export const healthyWindow: ServingWindow = { requests: 1_000, failures: 0, fallbacks: 0, latencyP50Ms: 3, latencyP95Ms: 9 };

export type World = {
  scenario: (name: string, changes?: { stable?: number | null; overrides?: Overrides; spec?: PipelineSpec }) => Scenario;
  activities: PerennialActivities;
  /** The real ways to the server, for connected scenarios. */
  connect: (ways: Ways) => void;
};

type Ways = { submit: (pipeline: string, trigger: Trigger) => Promise<unknown>; cancel: (runId: string) => Promise<unknown>; presence: (runId: string) => Promise<RunPresence> };

const scenarioKeyOf = (input: { context?: { pipeline: string }; trial?: { context: { pipeline: string } }; model?: string; pipeline?: string; rolloutId?: string; retryOf?: string; runId?: string }): string =>
  input.context?.pipeline ?? input.trial?.context.pipeline ?? input.model ?? input.pipeline ?? (input.rolloutId ?? input.retryOf ?? input.runId ?? '').split('.')[0] ?? '';

const stepStubs = (of: (input: object) => Scenario) =>
  ({
    noop: async (input) => {
      if (input.context.finishesRun !== undefined) of(input).ends.set(input.context.runId, { state: 'succeeded', outcome: input.context.finishesRun });
      return { done: true };
    },
    ingest: async ({ context, dataset }) => {
      of({ context }).runsBegunAtMs.push(activityInfo().scheduledTimestampMs);
      return datasetVersion(dataset);
    },
    check: async () => checkReport,
    features: async ({ dataset }) => featureSet(dataset.dataset),
    train: async () => trainedModel,
    evaluate: async () => evaluationReport,
    loadRecord: async ({ model }) => ({ dataset: datasetVersion(model), searched: null }),
    compareReproduction: async ({ version }) => ({ ...version, identical: true, differences: [], resumed: false, largestDifference: 0 }),
    register: async ({ context }) => ({ model: context.model ?? context.pipeline, version: 2 }),
    recordStep: async ({ context, state, output, failure }) => void of({ context }).steps.set(context.step, { state, output, failure }),
    loadProvenOutputs: async () => ({}),
    finishRun: async ({ context, state, outcome, failure }) => void of({ context }).ends.set(context.runId, { state, outcome, failure }),
  }) satisfies Partial<PerennialActivities>;

/** Values of trials are a function of their parameters; each trial reports its rungs before it ends. */
const searchStubs = (of: (input: object) => Scenario) =>
  ({
    prepareSearch: async () => ({ fit: artifact('fit'), validation: artifact('validation'), fitRows: 600, validationRows: 200, split: featureSet('rows').split }),
    trainTrial: async (input) => {
      of(input).trials.set(input.number, { params: input.params, state: 'running' });
      return { trained: trainedModel, seconds: 60 };
    },
    scoreTrial: async ({ trial, trained: _trained }) => {
      const scenario = of(trial);
      const value = scenario.lossOf(trial.params);
      scenario.trials.set(trial.number, { params: trial.params, state: 'succeeded', value });
      return { value };
    },
    recordTrial: async ({ runId, number, params, state }) => void of({ runId }).trials.set(number, { params, state }),
  }) satisfies Partial<PerennialActivities>;

const rolloutStubs = (of: (input: object) => Scenario) =>
  ({
    prepareRollout: async (input) => {
      const { split, generation } = of(input).deployment;
      return { stable: split.stable, generation };
    },
    shiftTraffic: async (input) => shift(of(input).deployment, input),
    awaitGateways: async () => ({ gateways: 2 }),
    readServingWindow: async (input) => of(input).window,
    promote: async (input) => promote(of(input).deployment, input),
    restoreTraffic: async (input) => restore(of(input).deployment, input),
    recordRolloutDecision: async (input) => void of(input).decisions.push(input),
    finishRollout: async (input) => void of(input).rolloutEnds.push(input.outcome),
    startMonitor: async (input) => void of(input).monitors.push({ version: input.version }),
    monitorSpecOf: async () => null,
  }) satisfies Partial<PerennialActivities>;

/** As the ledger in PostgreSQL does it. */
const resolutionOf = ({ triggers }: Scenario, triggerId: string, own = true): TriggerResolution => {
  const outcome = triggers.get(triggerId)?.outcome;
  if (outcome === undefined) return { kind: 'pending' };
  if (outcome.outcome === 'ran') return { kind: 'run', runId: outcome.runId, own };
  if (outcome.outcome === 'rejected') return { kind: 'rejected', reason: outcome.reason };
  return outcome.into.includes('.') ? { kind: 'run', runId: outcome.into, own: false } : resolutionOf({ triggers } as Scenario, outcome.into, false);
};

const nextStanding = ({ retrains, ends, deployment, name, spec }: Scenario, runId: string): ChampionStanding | null => {
  const verdict = retrainVerdict({ state: ends.get(runId)?.state ?? 'running', hasChampion: deployment.split.stable !== null });
  if (verdict === null) return null;
  const limit = spec?.kind === 'model' ? spec.triggers.unbeatenRetrains : 1;
  return { model: name, runId, verdict, limit, ...championStanding(retrains.at(-1)?.unbeaten ?? 0, verdict, limit) };
};

const tickStubs = (of: (input: object) => Scenario, ways: () => Ways) =>
  ({
    submitTick: async (input) => {
      const trigger = tickTrigger(input);
      const scenario = of(input);
      scenario.submitted.push(trigger);
      if (scenario.connected) await ways().submit(input.pipeline, trigger);
      return { triggerId: trigger.id };
    },
    resolveTrigger: async (input) => resolutionOf(of(input), input.triggerId),
    runPresence: ({ runId }) => ways().presence(runId),
    cancelRun: async (input) => void (of(input).connected && (await ways().cancel(input.runId))),
  }) satisfies Partial<PerennialActivities>;

const monitorStubs = (of: (input: object) => Scenario, ways: () => Ways) =>
  ({
    evaluateMonitorWindows: async ({ nextWindow, version }) => ({ nextWindow: nextWindow + 1, changed: [monitorWindow(nextWindow, version)] }),
    recordMonitorDecision: async (input) => void of(input).monitorDecisions.push(input.decision),
    submitTrigger: async (input) => {
      const scenario = of(input);
      scenario.submitted.push(input.trigger);
      if (scenario.connected) await ways().submit(input.pipeline, input.trigger);
    },
    recordTriggers: async (input) => {
      const { triggers } = of(input);
      for (const decision of input.decisions) if (!triggers.has(decision.trigger.id)) triggers.set(decision.trigger.id, decision);
    },
    loadPipeline: async (input) => {
      const { spec, facts } = of(input);
      return spec === null ? null : { version: 1, spec, ...facts() };
    },
    recordRetrain: async (input) => {
      const scenario = of(input);
      const known = scenario.retrains.find(({ runId }) => runId === input.runId);
      const standing = known ?? nextStanding(scenario, input.runId);
      if (standing !== null && known === undefined) scenario.retrains.push(standing);
      return standing;
    },
  }) satisfies Partial<PerennialActivities>;

const alertStubs = (of: (input: object) => Scenario) =>
  ({
    alertOnWindows: async () => undefined,
    recordAlerts: async (input) => {
      of(input).alertRecords.push(...input.records);
      return { repeated: [] };
    },
    deliverAlert: async (input) => {
      of(input).messages.push(input.delivery);
      return { kind: 'sent' };
    },
  }) satisfies Partial<PerennialActivities>;

const newScenario = (name: string): Scenario => ({
  name,
  deployment: createDeployment(1),
  overrides: {},
  calls: [],
  steps: new Map(),
  ends: new Map(),
  decisions: [],
  rolloutEnds: [],
  window: healthyWindow,
  spec: null,
  triggers: new Map(),
  submitted: [],
  connected: false,
  facts: () => ({}),
  runsBegunAtMs: [],
  retrains: [],
  trials: new Map(),
  lossOf: () => 0.5,
  monitors: [],
  monitorDecisions: [],
  alertRecords: [],
  messages: [],
});

/** Puts the scenario's override in front of each stub, and keeps the order of calls. */
const withOverrides = (stubs: PerennialActivities, of: (input: object) => Scenario): PerennialActivities =>
  Object.fromEntries(
    (Object.entries(stubs) as [Name, (input: object) => Promise<unknown>][]).map(([name, stub]) => [
      name,
      async (input: object) => {
        const scenario = of(input);
        scenario.calls.push(name);
        const override = scenario.overrides[name] as ((input: object, proceed: () => Promise<unknown>, attempt: number) => Promise<unknown>) | undefined;
        return override === undefined ? stub(input) : override(input, () => stub(input), activityInfo().attempt);
      },
    ]),
  ) as unknown as PerennialActivities;

export const createWorld = (): World => {
  const scenarios = new Map<string, Scenario>();
  const of = (input: object): Scenario => {
    const key = scenarioKeyOf(input);
    const scenario = scenarios.get(key) ?? newScenario(key);
    scenarios.set(key, scenario);
    return scenario;
  };
  let ways: Ways | undefined;
  const connected = (): Ways => {
    if (ways === undefined) throw new Error('no server is connected to the world');
    return ways;
  };
  const stubs = { ...stepStubs(of), ...searchStubs(of), ...rolloutStubs(of), ...monitorStubs(of, connected), ...tickStubs(of, connected), ...alertStubs(of) } satisfies PerennialActivities;
  return {
    connect: (given) => {
      ways = given;
    },
    activities: withOverrides(stubs, of),
    scenario: (name, { stable = 1, overrides = {}, spec } = {}) => {
      const scenario = { ...newScenario(name), deployment: createDeployment(stable), overrides, spec: spec ?? null };
      scenarios.set(name, scenario);
      return scenario;
    },
  };
};
