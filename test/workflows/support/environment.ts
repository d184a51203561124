/**
 * The time-skipping Temporal server with workers of all pools but `gpu`, on the real workflow bundle and stub activities.
 * Time is global to a server, so the tests of a file share one and skip through it together.
 */
import type { ConnectionPlugin, WorkflowHandle, WorkflowHandleWithFirstExecutionRunId, WorkflowHandleWithSignaledRunId } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { alertWorkflowId, batchWorkflowId, monitorWorkflowId, rolloutWorkflowId, SEARCH_ATTRIBUTES, tickWorkflowId, triggersWorkflowId } from '../../../contracts/ids.ts';
import { CPU_POOL, DATA_POOL, taskQueueOf, WORKFLOWS_POOL } from '../../../contracts/queues.ts';
import { alertOccurrenceSignal, submitTriggerSignal } from '../../../contracts/messages.ts';
import type { AlertInput, AlertOccurrence, AlertsSpec } from '../../../contracts/alert.ts';
import type { BatchScoringInput } from '../../../contracts/batch-scoring.ts';
import type { MonitorInput } from '../../../contracts/monitor.ts';
import type { RolloutInput } from '../../../contracts/rollout.ts';
import type { RunInput } from '../../../contracts/run.ts';
import type { TickInput } from '../../../contracts/schedule.ts';
import type { Trigger, TriggersInput } from '../../../contracts/trigger.ts';
import { createWorkflowControl } from '../../../adapters/temporal/workflow-control.ts';
import { testServer } from '../../../deploy/local/tools/test-server.ts';
import { ensureWorkflowBundle } from '../../../workers/bundle.ts';
import type { alert, batchScoring, modelMonitor, pipelineRun, pipelineTriggers, rollout, scheduledTrigger } from '../../../workflows/index.ts';
import { recordHistories, replayHistories, type Execution, type Recorded } from './histories.ts';
import { installQuietRuntime } from './quiet-runtime.ts';
import { workflowIdOf } from './specs.ts';
import { createWorld, type World } from './world.ts';

/** In place of the host's name, which has no place in a committed history. */
const IDENTITY = 'perennial-test';

/** IndexedValueType of a keyword. */
const KEYWORD = 2;

export type Environment = {
  temporal: TestWorkflowEnvironment;
  client: TestWorkflowEnvironment['client'];
  world: World;
  startRun: (input: RunInput) => Promise<WorkflowHandleWithFirstExecutionRunId<typeof pipelineRun>>;
  startRollout: (input: RolloutInput) => Promise<WorkflowHandleWithFirstExecutionRunId<typeof rollout>>;
  startMonitor: (input: MonitorInput) => Promise<WorkflowHandleWithFirstExecutionRunId<typeof modelMonitor>>;
  /** Signal-with-start of the pipeline's ledger, as the product does it. */
  submitTrigger: (pipeline: string, trigger: Trigger) => Promise<WorkflowHandle<typeof pipelineTriggers>>;
  /** A tick as a schedule starts it, at its scheduled time (without fractions of a second). */
  startTick: (input: TickInput, scheduledAt: string) => Promise<WorkflowHandleWithFirstExecutionRunId<typeof scheduledTrigger>>;
  startLedger: (input: TriggersInput) => Promise<WorkflowHandleWithFirstExecutionRunId<typeof pipelineTriggers>>;
  /** Signal-with-start of an incident, as the product does it. */
  reportAlert: (input: AlertInput, occurrence: AlertOccurrence) => Promise<WorkflowHandleWithSignaledRunId<typeof alert>>;
  startBatch: (input: BatchScoringInput) => Promise<WorkflowHandleWithFirstExecutionRunId<typeof batchScoring>>;
  startAlert: (input: AlertInput) => Promise<WorkflowHandleWithFirstExecutionRunId<typeof alert>>;
  /** Histories of what was started since the last call, with those of children and continuations. */
  histories: () => Promise<Recorded[]>;
  /** Replays these histories; returns what does not fit the code. */
  replayAll: () => Promise<string[]>;
  stop: () => Promise<void>;
};

const serverPath = (): string => {
  const path = testServer.find();
  if (path === undefined) throw new Error('the time-skipping test server is not there yet: run `npm run setup`');
  return path;
};

const registerSearchAttributes = (temporal: TestWorkflowEnvironment): Promise<unknown> =>
  temporal.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(Object.values(SEARCH_ATTRIBUTES).map((name) => [name, KEYWORD])),
  });

const startWorkers = async (temporal: TestWorkflowEnvironment, world: World, options: Partial<WorkerOptions>): Promise<() => Promise<void>> => {
  // A stub learns of a cancel at once.
  const throttle = { maxHeartbeatThrottleInterval: 20, defaultHeartbeatThrottleInterval: 20 };
  const common = { connection: temporal.nativeConnection, identity: IDENTITY, ...throttle, ...options };
  const workflowBundle = await ensureWorkflowBundle();
  const workers = await Promise.all([
    Worker.create({ ...common, taskQueue: taskQueueOf(WORKFLOWS_POOL), workflowBundle }),
    ...[DATA_POOL, CPU_POOL].map((pool) => Worker.create({ ...common, taskQueue: taskQueueOf(pool), activities: world.activities })),
  ]);
  const running = Promise.all(workers.map((worker) => worker.run()));
  return async () => {
    workers.forEach((worker) => worker.shutdown());
    await running;
  };
};

/** The server takes pings every 30 s for an attack, and cuts the connection of a test that lasts for minutes. */
const withoutPings: ConnectionPlugin = {
  name: 'without pings',
  configureConnection: (options) => ({ ...options, channelArgs: { ...options.channelArgs, 'grpc.keepalive_time_ms': 86_400_000, 'grpc.keepalive_permit_without_calls': 0 } }),
};

/** The SDK gives the server 5 seconds; on a busy machine Java may need more, and less the second time. */
const startServer = async (path: string, attempts = 5): Promise<TestWorkflowEnvironment> => {
  try {
    const executable = { type: 'existing-path' as const, path };
    return await TestWorkflowEnvironment.createTimeSkipping({ server: { executable }, client: { identity: IDENTITY }, plugins: [withoutPings] });
  } catch (error) {
    if (attempts <= 1 || !String(error).includes('did not start within')) throw error;
    return startServer(path, attempts - 1);
  }
};

/** Starts a server and its workers; `options` go to every worker. */
export const startEnvironment = async (options: Partial<WorkerOptions> = {}): Promise<Environment> => {
  installQuietRuntime();
  const temporal = await startServer(serverPath());
  await registerSearchAttributes(temporal);
  const world = createWorld();
  const stopWorkers = await startWorkers(temporal, world, options);
  const { client } = temporal;
  const tracked: Execution[] = [];
  const track = <Handle extends WorkflowHandleWithFirstExecutionRunId>(handle: Handle): Handle => {
    tracked.push({ workflowId: handle.workflowId, runId: handle.firstExecutionRunId });
    return handle;
  };
  const histories = (): Promise<Recorded[]> => recordHistories(client, tracked.splice(0));
  const taskQueue = taskQueueOf(WORKFLOWS_POOL);
  const submitTrigger: Environment['submitTrigger'] = async (pipeline, trigger) => {
    const options = { taskQueue, workflowId: triggersWorkflowId(pipeline), args: [{ pipeline }] as [TriggersInput] };
    const handle = await client.workflow.signalWithStart<typeof pipelineTriggers, [Trigger]>('pipelineTriggers', { ...options, signal: submitTriggerSignal, signalArgs: [trigger] });
    tracked.push({ workflowId: handle.workflowId, runId: handle.signaledRunId });
    return handle;
  };
  const { cancelRun, runPresence } = createWorkflowControl(client);
  world.connect({ submit: submitTrigger, cancel: cancelRun, presence: runPresence });
  return {
    temporal,
    client,
    world,
    startRun: async (input) => track(await client.workflow.start<typeof pipelineRun>('pipelineRun', { taskQueue, workflowId: workflowIdOf(input), args: [input] })),
    startRollout: async (input) =>
      track(await client.workflow.start<typeof rollout>('rollout', { taskQueue, workflowId: rolloutWorkflowId(input.model), args: [input] })),
    startMonitor: async (input) =>
      track(await client.workflow.start<typeof modelMonitor>('modelMonitor', { taskQueue, workflowId: monitorWorkflowId(input.model), args: [input] })),
    submitTrigger,
    startTick: async (input, scheduledAt) =>
      track(await client.workflow.start<typeof scheduledTrigger>('scheduledTrigger', { taskQueue, workflowId: `${tickWorkflowId(input.pipeline, input.schedule)}-${scheduledAt}`, args: [input] })),
    startLedger: async (input) =>
      track(await client.workflow.start<typeof pipelineTriggers>('pipelineTriggers', { taskQueue, workflowId: triggersWorkflowId(input.pipeline), args: [input] })),
    reportAlert: async (input, occurrence) => {
      const { pipeline, policy } = input;
      const options = { taskQueue, workflowId: alertWorkflowId(input), args: [input] as [AlertInput], signal: alertOccurrenceSignal };
      const handle = await client.workflow.signalWithStart<typeof alert, [{ occurrence: AlertOccurrence; pipeline: string; policy: AlertsSpec }]>('alert', { ...options, signalArgs: [{ occurrence, pipeline, policy }] });
      tracked.push({ workflowId: handle.workflowId, runId: handle.signaledRunId });
      return handle;
    },
    startBatch: async (input) => track(await client.workflow.start<typeof batchScoring>('batchScoring', { taskQueue, workflowId: batchWorkflowId(input.jobId), args: [input] })),
    startAlert: async (input) => track(await client.workflow.start<typeof alert>('alert', { taskQueue, workflowId: alertWorkflowId(input), args: [input] })),
    histories,
    replayAll: async () => {
      const recorded = await histories();
      return recorded.length === 0 ? [] : replayHistories(await ensureWorkflowBundle(), recorded);
    },
    stop: async () => {
      await stopWorkers();
      await temporal.teardown();
    },
  };
};
