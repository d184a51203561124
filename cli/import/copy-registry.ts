/** Copies the registry: models, versions with their numbers, aliases that are not set yet. */
import type { Servers } from './copy-artifacts.ts';
import { pages, type Json } from './tracking-client.ts';

export type RegistryTally = { models: number; versions: number; aliases: number; aliasesKept: string[] };

const list = (value: unknown): Json[] => (value as Json[] | undefined) ?? [];

/** Files of a run lie elsewhere here: the run leads to them. */
const sourceOf = (source: string): string => {
  const [, runId, path] = /\/([0-9a-f]{32})\/artifacts\/(.+)$/.exec(source) ?? [];
  return source.startsWith('mlflow-artifacts:') && runId !== undefined ? `runs:/${runId}/${path}` : source;
};

const copyVersions = async ({ from, to }: Servers, name: string): Promise<number> => {
  let made = 0;
  const filter = `name = '${name.replaceAll("'", "''")}'`;
  const ask = (token: string | undefined): Promise<Json> => from.get(`model-versions/search?filter=${encodeURIComponent(filter)}&max_results=1000${token === undefined ? '' : `&page_token=${encodeURIComponent(token)}`}`);
  for await (const version of pages(ask, 'model_versions')) {
    const { version: number, source, run_id: runId, run_link: link, description, user_id: user, current_stage: stage, creation_timestamp: created, tags } = version;
    const body = { name, version: number, source: sourceOf(String(source)), run_id: runId, run_link: link, description, user_id: user, stage, creation_timestamp: created, tags: tags ?? [] };
    if ((await to.post('import/model-versions', body))['made'] === true) made += 1;
  }
  return made;
};

/** An alias that names another version here, or may not be set by this key, stays as it is. */
const copyAliases = async ({ to }: Servers, name: string, aliases: Json[], tally: RegistryTally): Promise<void> => {
  for (const { alias, version } of aliases) {
    const now = await to.ask(to.get(`registered-models/alias?name=${encodeURIComponent(name)}&alias=${encodeURIComponent(String(alias))}`), ['INVALID_PARAMETER_VALUE']);
    if ((now?.['model_version'] as Json | undefined)?.['version'] === String(version)) continue;
    const moved = await to.ask(to.post('registered-models/alias', { name, alias, version, expected_version: '' }), ['RESOURCE_CONFLICT', 'PERMISSION_DENIED']);
    if (moved === undefined) tally.aliasesKept.push(`${name}@${String(alias)}`);
    else tally.aliases += 1;
  }
};

export const copyRegistry = async (servers: Servers): Promise<RegistryTally> => {
  const tally: RegistryTally = { models: 0, versions: 0, aliases: 0, aliasesKept: [] };
  const ask = (token: string | undefined): Promise<Json> => servers.from.get(`registered-models/search?max_results=100${token === undefined ? '' : `&page_token=${encodeURIComponent(token)}`}`);
  for await (const model of pages(ask, 'registered_models')) {
    const name = String(model['name']);
    await servers.to.ask(servers.to.post('registered-models/create', { name, description: model['description'], tags: model['tags'] ?? [] }), ['RESOURCE_ALREADY_EXISTS']);
    tally.models += 1;
    tally.versions += await copyVersions(servers, name);
    await copyAliases(servers, name, list(model['aliases']), tally);
  }
  return tally;
};
