/** Copies runs: what they logged with the whole history of each metric, their inputs, files and end. */
import { copyArtifacts, type Servers } from './copy-artifacts.ts';
import { pages, type Json } from './tracking-client.ts';

/** Written last: a run that has it is complete, and is not looked at again. */
const MARK = 'perennial.importedFrom';
const METRICS_PER_BATCH = 1_000;
const PAIRS_PER_BATCH = 100;
const PAGE = 200;

export type Copied = 'copied' | 'present' | 'elsewhere';

const list = (value: unknown): Json[] => (value as Json[] | undefined) ?? [];
const object = (value: unknown): Json => (value as Json | undefined) ?? {};

const chunks = <T>(items: readonly T[], size: number): T[][] => Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));

const isComplete = async ({ to }: Servers, runId: string): Promise<boolean> => {
  const found = await to.ask(to.get(`runs/get?run_id=${encodeURIComponent(runId)}`), ['RESOURCE_DOES_NOT_EXIST']);
  return found !== undefined && list(object(object(found['run'])['data'])['tags']).some(({ key }) => key === MARK);
};

const copyMetrics = async ({ from, to }: Servers, runId: string, data: Json): Promise<void> => {
  for (const { key } of list(data['metrics'])) {
    const ask = (token: string | undefined): Promise<Json> =>
      from.get(`metrics/get-history?run_id=${encodeURIComponent(runId)}&metric_key=${encodeURIComponent(String(key))}&max_results=25000${token === undefined ? '' : `&page_token=${encodeURIComponent(token)}`}`);
    let batch: Json[] = [];
    for await (const point of pages(ask, 'metrics')) {
      batch.push(point);
      if (batch.length < METRICS_PER_BATCH) continue;
      await to.post('runs/log-batch', { run_id: runId, metrics: batch });
      batch = [];
    }
    if (batch.length > 0) await to.post('runs/log-batch', { run_id: runId, metrics: batch });
  }
};

const copyPairs = async ({ to }: Servers, runId: string, data: Json): Promise<void> => {
  for (const params of chunks(list(data['params']), PAIRS_PER_BATCH)) await to.post('runs/log-batch', { run_id: runId, params });
  for (const tags of chunks(list(data['tags']), PAIRS_PER_BATCH)) await to.post('runs/log-batch', { run_id: runId, tags });
};

const copyInputs = async ({ to }: Servers, runId: string, run: Json): Promise<void> => {
  const [inputs, outputs] = [object(run['inputs']), object(run['outputs'])];
  const [datasets, models, made] = [list(inputs['dataset_inputs']), list(inputs['model_inputs']), list(outputs['model_outputs'])];
  if (datasets.length + models.length > 0) await to.post('runs/log-inputs', { run_id: runId, datasets, models });
  if (made.length > 0) await to.post('runs/outputs', { run_id: runId, models: made });
};

const finish = async ({ from, to }: Servers, runId: string, info: Json): Promise<void> => {
  await to.post('runs/set-tag', { run_id: runId, key: MARK, value: from.base });
  if (info['status'] !== 'RUNNING') await to.post('runs/update', { run_id: runId, status: info['status'], end_time: info['end_time'] });
  if (info['lifecycle_stage'] === 'deleted') await to.post('runs/delete', { run_id: runId });
};

/** One run, complete. What was begun before is gone over again: each step changes nothing the second time. */
const copyRun = async (servers: Servers, experimentId: string, run: Json): Promise<Copied> => {
  const [info, data] = [object(run['info']), object(run['data'])];
  const runId = String(info['run_id']);
  if (await isComplete(servers, runId)) return 'present';
  await servers.to.ask(servers.to.post('runs/restore', { run_id: runId }), ['RESOURCE_DOES_NOT_EXIST']);
  const name = String(info['run_name'] || 'unnamed');
  const { artifact_uri: uri } = await servers.to.post('import/runs', { run_id: runId, experiment_id: experimentId, run_name: name, user_id: info['user_id'] ?? '', start_time: info['start_time'] ?? 0 });
  await copyPairs(servers, runId, data);
  await copyMetrics(servers, runId, data);
  await copyInputs(servers, runId, run);
  const files = await copyArtifacts(servers, { from: String(info['artifact_uri']), to: String(uri) });
  await finish(servers, runId, info);
  return files === undefined ? 'elsewhere' : 'copied';
};

/** All runs of an experiment, deleted ones too. */
export const copyRuns = async (servers: Servers, experiment: { from: string; to: string }, tell: (copied: Copied) => void): Promise<void> => {
  const ask = (token: string | undefined): Promise<Json> =>
    servers.from.post('runs/search', { experiment_ids: [experiment.from], run_view_type: 'ALL', max_results: PAGE, order_by: ['attributes.start_time ASC'], ...(token === undefined ? {} : { page_token: token }) });
  for await (const run of pages(ask, 'runs')) tell(await copyRun(servers, experiment.to, run));
};
