/** Histories of searches and their trials. */
import { ApplicationFailure } from '@temporalio/common';
import { searchWorkflowId, trialWorkflowId } from '../../contracts/ids.ts';
import { trialReportedSignal } from '../../contracts/messages.ts';
import type { TrialInput } from '../../contracts/search.ts';
import type { Environment } from '../workflows/support/environment.ts';
import { modelPipeline, runInput } from '../workflows/support/specs.ts';
import type { Case } from './cases.ts';

const space = { x: { type: 'number' as const, min: -1, max: 1 }, kind: { type: 'categorical' as const, values: ['a', 'b'] } };

/** Runs a pipeline with a search to its end; gives the execution of its workflow `id`. */
const searched = async (environment: Environment, name: string, search: object, idOf: (runId: string) => string) => {
  const input = runInput(modelPipeline(name, { train: { trainer: 'lightgbm', timeoutSeconds: 600 }, search: { space, ...search } as never }));
  const handle = await environment.startRun(input);
  await handle.result().catch(() => undefined);
  const workflowId = idOf(input.runId);
  return { workflowId, runId: (await environment.client.workflow.getHandle(workflowId).describe()).runId };
};

const report = (environment: Environment, { context, number }: TrialInput, value: number): Promise<void> =>
  environment.client.workflow.getHandle(searchWorkflowId(context.runId)).signal(trialReportedSignal, { number, rung: 0, value });

/** Trial 1 is worse than trial 0 at its first rung. */
const prunesTrialOne = (environment: Environment, name: string): void =>
  void environment.world.scenario(name, {
    overrides: {
      trainTrial: async (input, proceed) => {
        await report(environment, input, input.number === 1 ? 0.9 : 0.1);
        if (input.number === 1) await environment.temporal.sleep('1 minute').catch(() => undefined);
        return proceed();
      },
    },
  });

export const searchCases = {
  'pipelineRun-searched': async (environment, name) => searched(environment, name, { trials: 3, parallel: 2 }, (runId) => `run/${name}/${runId}`),
  'hyperparameterSearch-ended': async (environment, name) => searched(environment, name, { trials: 12, parallel: 4 }, searchWorkflowId),
  'hyperparameterSearch-pruned': async (environment, name) => {
    prunesTrialOne(environment, name);
    return searched(environment, name, { trials: 3, parallel: 2, pruner: 'asha', budget: { minutes: 60 } }, searchWorkflowId);
  },
  'searchTrial-succeeded': async (environment, name) => searched(environment, name, { trials: 1 }, (runId) => trialWorkflowId(runId, 0)),
  'searchTrial-failed': async (environment, name) => {
    const trainTrial = async (): Promise<never> => Promise.reject(ApplicationFailure.retryable('killed', 'TrainerCrashed'));
    environment.world.scenario(name, { overrides: { trainTrial } });
    return searched(environment, name, { trials: 1 }, (runId) => trialWorkflowId(runId, 0));
  },
} satisfies Record<string, Case>;
