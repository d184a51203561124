/** The thing that a lineage is asked of, as it is. */
import { sql } from 'kysely';
import { PerennialFailure } from '../../domain/failure.ts';
import type { FailureCode } from '../../contracts/failures.ts';
import { parseLineageId, type LineageKind, type LineageName, type LineageNode } from '../../domain/lineage.ts';
import type { ApiContext } from '../http/app-types.ts';
import { fileNode, inferenceNode, lineageRows } from './nodes.ts';

const MISSING: Record<LineageKind, FailureCode> = {
  file: 'DatasetNotFound',
  dataset: 'DatasetNotFound',
  featureSet: 'FeatureSetNotFound',
  pipeline: 'PipelineNotFound',
  run: 'RunNotFound',
  model: 'ModelVersionNotFound',
  deployment: 'DeploymentNotFound',
  inference: 'InferenceNotFound',
};

const HASH = /^[0-9a-f]{8,64}$/;
const whole = (text: string): number | undefined => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined);

/** Versions that are hashes may be given by their first 8 or more characters. */
const byHash = ({ name, version }: LineageName) => sql<boolean>`name = ${name} and starts_with(version, ${HASH.test(version) ? version : 'no hash'})`;

const versionOfAlias = async ({ database }: ApiContext, { name, version }: LineageName): Promise<number | undefined> =>
  whole(version) ?? (await database.selectFrom('model_aliases').select('version').where('model', '=', name).where('alias', '=', version).executeTakeFirst())?.version;

const inferenceOf = async ({ inferences }: ApiContext, name: string): Promise<LineageNode[]> => {
  const slash = name.indexOf('/');
  if (slash < 1) throw new PerennialFailure('InvalidRequest', `"inference:${name}" has no model: give inference:<model>/<inference id>`);
  const model = name.slice(0, slash);
  const found = await inferences.find(model, name.slice(slash + 1));
  return found === undefined ? [] : [inferenceNode({ model, ...found })];
};

/** The file itself is kept by no table: a dataset version that holds it says its path and size. */
const fileOf = async ({ database }: ApiContext, sha256: string): Promise<LineageNode[]> => {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new PerennialFailure('InvalidRequest', `"file:${sha256.slice(0, 80)}": a file is named by its sha256, 64 hexadecimal characters`);
  const path = `$.tables[*].files[*] ? (@.artifact.sha256 == "${sha256}")`;
  const { rows } = await sql<{ file: { path: string; artifact: { bytes: number } } }>`
    select jsonb_path_query_first(manifest, ${path}::jsonpath) as file from datasets where manifest @? ${path}::jsonpath order by created_at limit 1`.execute(database);
  return rows.map(({ file }) => fileNode({ sha256, path: file.path, bytes: file.artifact.bytes }));
};

const candidatesOf = async (context: ApiContext, named: LineageName): Promise<LineageNode[]> => {
  const { kind, name, version } = named;
  const rows = lineageRows(context.database);
  switch (kind) {
    case 'file':
      return fileOf(context, name);
    case 'dataset':
      return rows.datasets(byHash(named));
    case 'featureSet':
      return rows.featureSets(byHash(named));
    case 'pipeline':
      return rows.pipelines(sql<boolean>`pipeline = ${name} and version = ${whole(version) ?? 0}`);
    case 'run':
      return rows.runs(sql<boolean>`run_id = ${name}`);
    case 'model':
      return rows.models(sql<boolean>`model = ${name} and version = ${(await versionOfAlias(context, named)) ?? 0}`);
    case 'deployment':
      return rows.deployments(sql<boolean>`model = ${name} and generation = ${whole(version) ?? 0}`);
    case 'inference':
      return inferenceOf(context, name);
  }
};

/**
 * The node of an id.
 * @throws PerennialFailure InvalidRequest, or that there is no such thing (by kind)
 */
export const originOf = async (context: ApiContext, of: string): Promise<LineageNode> => {
  const named = parseLineageId(of);
  const [found, other] = await candidatesOf(context, named);
  if (found === undefined) throw new PerennialFailure(MISSING[named.kind], `there is no ${of}`);
  if (other !== undefined) throw new PerennialFailure(MISSING[named.kind], `${of} is the beginning of more than one version: give more of it`);
  return found;
};
