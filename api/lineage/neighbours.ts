/** What a thing was made of, and what was made of it, one step in either direction. */
import { sql, type Kysely } from 'kysely';
import type { Database } from '../../adapters/postgres/schema.ts';
import type { DatasetManifest } from '../../contracts/dataset.ts';
import type { LineageKind, LineageNode } from '../../domain/lineage.ts';
import { fileNode, type LineageRows } from './nodes.ts';

type Look = (node: LineageNode) => Promise<LineageNode[]>;

const filesOf = async (database: Kysely<Database>, { name, version }: LineageNode): Promise<LineageNode[]> => {
  const row = await database.selectFrom('datasets').select('manifest').where('name', '=', name).where('version', '=', version).executeTakeFirst();
  const { tables } = (row?.manifest ?? { tables: [] }) as Pick<DatasetManifest, 'tables'>;
  return tables.flatMap((table) => table.files.map(({ path, artifact }) => fileNode({ path, sha256: artifact.sha256, bytes: artifact.bytes })));
};

/** The name of the dataset that the run of a feature set ingested: a feature set itself knows the version alone. */
const datasetOf = (featureSets: string) => sql`(select s.output ->> 'dataset' from run_steps s where s.run_id = ${sql.ref(`${featureSets}.run_id`)} and s.step = 'ingest')`;

const lineageIs = (field: string, value: string) => sql<boolean>`lineage ->> ${field} = ${value}`;

const all = async (looks: readonly Promise<LineageNode[]>[]): Promise<LineageNode[]> => (await Promise.all(looks)).flat();

/** What each kind is made of. */
export const upstream = (database: Kysely<Database>, rows: LineageRows): Record<LineageKind, Look> => ({
  file: async () => [],
  dataset: (node) => filesOf(database, node),
  featureSet: ({ name, version }) => rows.datasets(sql<boolean>`(name, version) in (select ${datasetOf('f')}, manifest ->> 'datasetVersion' from feature_sets f where f.name = ${name} and f.version = ${version})`),
  pipeline: async () => [],
  run: ({ name }) => rows.pipelines(sql<boolean>`(pipeline, version) in (select pipeline, pipeline_version from runs where run_id = ${name})`),
  model: ({ name, version }) => {
    const of = (field: string) => sql`(select lineage ->> ${field} from model_versions where model = ${name} and version = ${Number(version)})`;
    return all([
      rows.featureSets(sql<boolean>`version = ${of('featureSetVersion')} and name = ${of('pipeline')}`),
      rows.runs(sql<boolean>`run_id = (select run_id from model_versions where model = ${name} and version = ${Number(version)})`),
    ]);
  },
  deployment: ({ name, facts }) => {
    const versions = [facts['stable'], facts['canary']].filter((version) => typeof version === 'number');
    return rows.models(sql<boolean>`model = ${name} and version = any(${versions}::int[])`);
  },
  inference: ({ name, facts }) => {
    const model = name.slice(0, name.indexOf('/'));
    return all([
      rows.deployments(sql<boolean>`model = ${model} and generation = ${Number(facts['generation'])}`),
      rows.models(sql<boolean>`model = ${model} and version = ${Number(facts['version'])}`),
    ]);
  },
});

/** What is made of each kind. Inferences are too many to be walked to: a deployment's are in the prediction log. */
export const downstream = (rows: LineageRows): Record<LineageKind, Look> => ({
  file: ({ name }) => rows.datasets(sql<boolean>`manifest @? ${`$.tables[*].files[*].artifact ? (@.sha256 == "${name}")`}::jsonpath`),
  dataset: ({ name, version }) => rows.featureSets(sql<boolean>`manifest ->> 'datasetVersion' = ${version} and ${datasetOf('feature_sets')} = ${name}`),
  featureSet: ({ name, version }) => rows.models(sql<boolean>`${lineageIs('featureSetVersion', version)} and ${lineageIs('pipeline', name)}`),
  pipeline: ({ name, version }) => rows.runs(sql<boolean>`pipeline = ${name} and pipeline_version = ${Number(version)}`),
  run: ({ name }) => rows.models(sql<boolean>`run_id = ${name}`),
  model: ({ name, version }) => rows.deployments(sql<boolean>`model = ${name} and (split -> 'stable' = to_jsonb(${Number(version)}::int) or split -> 'canary' = to_jsonb(${Number(version)}::int))`),
  deployment: async () => [],
  inference: async () => [],
});
