/** The state of one run: what the status query answers, and the context that each step gets. */
import { setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { runStatusQuery } from '../contracts/messages.ts';
import { WORKFLOWS_POOL, type Pool } from '../contracts/queues.ts';
import type { RunInput, RunOutcome, RunStatus, StepContext } from '../contracts/run.ts';
import { modelNameOf } from '../domain/steps.ts';

export type RunState = {
  input: RunInput;
  status: RunStatus;
  /** Context of the present step; of the first one before the run begins. */
  context: StepContext;
};

export type Step = { name: string; position: number; pool: Pool; finishesRun?: RunOutcome };

const contextOf = (input: RunInput, step: Step): StepContext => ({
  runId: input.runId,
  workflowId: workflowInfo().workflowId,
  pipeline: input.pipeline,
  pipelineVersion: input.pipelineVersion,
  ...(input.spec.kind === 'model' ? { model: modelNameOf(input.spec) } : {}),
  trigger: input.trigger,
  ...(input.retryOf === undefined ? {} : { retryOf: input.retryOf }),
  step: step.name,
  position: step.position,
  pool: step.pool,
  ...(step.finishesRun === undefined ? {} : { finishesRun: step.finishesRun }),
});

const firstStepOf = (input: RunInput): Step => {
  const [first] = input.spec.kind === 'steps' ? input.spec.steps : [];
  return { name: first?.name ?? 'ingest', position: 0, pool: first?.pool ?? WORKFLOWS_POOL };
};

/** Begins the state of a run and answers its status query. */
export const beginRun = (input: RunInput): RunState => {
  const state: RunState = {
    input,
    context: contextOf(input, firstStepOf(input)),
    status: { runId: input.runId, step: null, pool: null, gates: [], waitingForApproval: false, waitingFor: null, outcome: null },
  };
  setHandler(runStatusQuery, () => state.status, { description: 'Where the run is, and what it waits for' });
  return state;
};

/** Says in the status and in the Web UI what the run waits for; null when it works. */
export const waitFor = (state: RunState, what: string | null): void => {
  state.status.waitingFor = what;
  setCurrentDetails(what === null ? `Step **${state.status.step}**` : `Step **${state.status.step}**: waits for ${what}`);
};

/** Moves the run to a step. */
export const enterStep = (state: RunState, step: Step): StepContext => {
  state.status.step = step.name;
  state.status.pool = step.pool;
  state.context = contextOf(state.input, step);
  waitFor(state, null);
  return state.context;
};
