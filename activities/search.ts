/** Steps of a hyper-parameter search outside of its trials: the rows on which trials are judged, and the record of how they ended. */
import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import type { SearchActivities } from '../contracts/activities.ts';
import type { ModelPipelineSpec } from '../contracts/pipeline.ts';
import type { StepContext } from '../contracts/run.ts';
import type { SearchRows } from '../contracts/search.ts';
import { PerennialFailure } from '../domain/failure.ts';
import type { Pipelines } from '../domain/ports/monitoring.ts';
import type { Trials } from '../domain/ports/trials.ts';
import { task, type ActivityTools } from './boundary.ts';
import { inScratch, type DataPorts } from './data-ports.ts';
import { orStopped } from './stop.ts';

export type SearchPorts = DataPorts & { pipelines: Pipelines; trials: Trials };

/** The pipeline of a run as it was when the run began: versions do not change. */
export const specOf = async ({ pipelines }: Pick<SearchPorts, 'pipelines'>, { pipeline, pipelineVersion }: StepContext): Promise<ModelPipelineSpec> => {
  const spec = await pipelines.version(pipeline, pipelineVersion);
  if (spec?.kind !== 'model') throw new PerennialFailure('PipelineNotFound', `version ${pipelineVersion} of the pipeline "${pipeline}" is not there, or has no model`);
  return spec;
};

type PrepareInput = Parameters<SearchActivities['prepareSearch']>[0];

const withFix = (error: unknown, validation: string): unknown =>
  error instanceof PerennialFailure && !error.retryable
    ? new PerennialFailure(error.code, `The training rows cannot be cut into rows to fit and the last ${validation} to judge trials on: ${error.message}`, { fix: 'Choose search.validation.last so that both parts hold data.', cause: error })
    : error;

const cutRows = async (ports: SearchPorts, input: PrepareInput, tools: ActivityTools, folder: string): Promise<SearchRows> => {
  const { artifacts, engine } = ports;
  const { features } = await specOf(ports, input.context);
  const rowsFile = join(folder, 'rows.parquet');
  await artifacts.download(input.train, rowsFile);
  const output = join(folder, 'parts');
  await mkdir(output);
  tools.report({ progress: { done: 0, total: 1, what: 'cutting the training rows' } });
  const cut = await orStopped(tools.signal, engine.splitRows({ rowsFile, features, last: input.validation, folder: output }, { signal: tools.signal })).catch((error: unknown) => {
    throw withFix(error, input.validation);
  });
  const [fit, validation] = [await artifacts.putFile(cut.trainFile), await artifacts.putFile(cut.holdoutFile)];
  return { fit, validation, fitRows: cut.trainRows, validationRows: cut.holdoutRows, split: cut.split };
};

export const createSearchActivities = (ports: SearchPorts): Pick<SearchActivities, 'prepareSearch' | 'recordTrial'> => ({
  prepareSearch: task((input: PrepareInput, tools) => inScratch(ports.scratch, 'search', (folder) => cutRows(ports, input, tools, folder))),
  recordTrial: task((trial: Parameters<SearchActivities['recordTrial']>[0]) => ports.trials.end(trial)),
});
