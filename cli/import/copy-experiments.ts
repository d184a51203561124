/** Copies experiments with their logged models and runs. */
import { copyArtifacts, pathOfUri, type Servers } from './copy-artifacts.ts';
import { copyRuns, type Copied } from './copy-runs.ts';
import { pages, type Json } from './tracking-client.ts';

export type Tally = { experiments: number; runs: number; runsPresent: number; filesElsewhere: number; loggedModels: number };

const PAGE = 1_000;
/** What a server of MLflow 2 answers, which has no logged models. */
const NO_LOGGED_MODELS = ['ENDPOINT_NOT_FOUND', 'HTTP404', 'HTTP405', 'NOT_FOUND'];

const targetOf = async ({ to }: Servers, experiment: Json): Promise<string> => {
  const name = String(experiment['name']);
  const found = await to.ask(to.get(`experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`), ['RESOURCE_DOES_NOT_EXIST']);
  if (found !== undefined) {
    const id = String((found['experiment'] as Json)['experiment_id']);
    // Nothing can be written to a deleted one; it is deleted again at the end.
    if ((found['experiment'] as Json)['lifecycle_stage'] === 'deleted') await to.post('experiments/restore', { experiment_id: id });
    return id;
  }
  const location = String(experiment['artifact_location']);
  // Files in a store that clients reach themselves stay there.
  const kept = pathOfUri(location) === undefined && /^(s3|gs|wasbs?|abfss?|hdfs):/.test(location) ? { artifact_location: location } : {};
  return String((await to.post('experiments/create', { name, tags: experiment['tags'] ?? [], ...kept }))['experiment_id']);
};

const copyLoggedModels = async (servers: Servers, experiment: { from: string; to: string }): Promise<number> => {
  let count = 0;
  const ask = async (token: string | undefined): Promise<Json> => {
    const request = servers.from.post('logged-models/search', { experiment_ids: [experiment.from], max_results: 100, ...(token === undefined ? {} : { page_token: token }) });
    return (await servers.from.ask(request, NO_LOGGED_MODELS)) ?? {};
  };
  for await (const model of pages(ask, 'models')) {
    const [info, data] = [model['info'] as Json, (model['data'] as Json | undefined) ?? {}];
    const { name, model_id: id, model_type: type, source_run_id: runId, tags } = info;
    const { artifact_uri: uri } = await servers.to.post('import/logged-models', { model_id: id, experiment_id: experiment.to, name, model_type: type, source_run_id: runId, tags: tags ?? [], params: data['params'] ?? [] });
    await copyArtifacts(servers, { from: String(info['artifact_uri']), to: String(uri) });
    const status = typeof info['status'] === 'number' ? ['LOGGED_MODEL_PENDING', 'LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED'][info['status']] : info['status'];
    await servers.to.patch(`logged-models/${encodeURIComponent(String(id))}`, { status });
    count += 1;
  }
  return count;
};

const count = (tally: Tally, copied: Copied): void => {
  if (copied === 'present') tally.runsPresent += 1;
  else tally.runs += 1;
  if (copied === 'elsewhere') tally.filesElsewhere += 1;
};

/** All experiments, or those of the given names, deleted ones too. */
export const copyExperiments = async (servers: Servers, names: readonly string[], tell: (line: string) => void): Promise<Tally> => {
  const tally: Tally = { experiments: 0, runs: 0, runsPresent: 0, filesElsewhere: 0, loggedModels: 0 };
  const ask = (token: string | undefined): Promise<Json> => servers.from.post('experiments/search', { view_type: 'ALL', max_results: PAGE, ...(token === undefined ? {} : { page_token: token }) });
  for await (const experiment of pages(ask, 'experiments')) {
    if (names.length > 0 && !names.includes(String(experiment['name']))) continue;
    const ids = { from: String(experiment['experiment_id']), to: await targetOf(servers, experiment) };
    // Before the runs, whose metrics name them.
    tally.loggedModels += await copyLoggedModels(servers, ids);
    await copyRuns(servers, ids, (copied) => count(tally, copied));
    if (experiment['lifecycle_stage'] === 'deleted') await servers.to.post('experiments/delete', { experiment_id: ids.to });
    tally.experiments += 1;
    tell(`experiment ${String(experiment['name'])}: done, ${tally.runs + tally.runsPresent} runs so far`);
  }
  return tally;
};
