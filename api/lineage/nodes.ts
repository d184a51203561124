/** Nodes of the lineage as the tables have them. */
import { sql, type Kysely } from 'kysely';
import type { Database } from '../../adapters/postgres/schema.ts';
import type { TrafficSplit } from '../../contracts/deployment.ts';
import type { Lineage } from '../../contracts/model.ts';
import { lineageId, type LineageKind, type LineageNode } from '../../domain/lineage.ts';
import { iso, isoOrNull } from '../http/schemas.ts';

type Facts = LineageNode['facts'];

const node = (kind: LineageKind, [name, version]: readonly [string, string | number], at: Date | null, facts: Facts): LineageNode => {
  const named = { kind, name, version: String(version) };
  return { ...named, id: lineageId(named), at: isoOrNull(at), facts };
};

/** A file as it was read. */
export const fileNode = (file: { sha256: string; path: string; bytes: number }): LineageNode => node('file', [file.sha256, ''], null, { path: file.path, bytes: file.bytes });

export type DatasetFact = { name: string; version: string; rows: number; bytes: number; created_at: Date };
export const datasetNode = (row: DatasetFact): LineageNode => node('dataset', [row.name, row.version], row.created_at, { rows: row.rows, bytes: row.bytes });

export type FeatureSetFact = { name: string; version: string; rows: number; created_at: Date; sql_hash: string | null };
export const featureSetNode = (row: FeatureSetFact): LineageNode => node('featureSet', [row.name, row.version], row.created_at, { rows: row.rows, sqlHash: row.sql_hash });

export const pipelineNode = (row: { pipeline: string; version: number; spec_hash: string; created_by: string; created_at: Date }): LineageNode =>
  node('pipeline', [row.pipeline, row.version], row.created_at, { specHash: row.spec_hash, createdBy: row.created_by });

export const runNode = (row: { run_id: string; state: string; trigger: unknown; started_at: Date }): LineageNode => {
  const trigger = row.trigger as { kind?: string; reason?: string } | null;
  return node('run', [row.run_id, ''], row.started_at, { state: row.state, trigger: trigger?.kind ?? null, reason: trigger?.reason ?? null });
};

export type ModelFact = { model: string; version: number; run_id: string; model_sha256: string; lineage: unknown; created_at: Date };
export const modelNode = (row: ModelFact): LineageNode => {
  const lineage = row.lineage as Partial<Lineage> | null;
  return node('model', [row.model, row.version], row.created_at, { sha256: row.model_sha256, trainer: lineage?.trainer ?? null, seed: lineage?.seed ?? null });
};

export type DeploymentFact = { model: string; generation: number; split: unknown; reason: string; at: Date };
export const deploymentNode = (row: DeploymentFact): LineageNode => {
  const { stable, canary, canaryWeight } = row.split as TrafficSplit;
  return node('deployment', [row.model, row.generation], row.at, { stable, canary, canaryWeight, reason: row.reason });
};

/** One logged answer. */
export type InferenceFact = { model: string; inferenceId: string; version: number; generation: number; role: string; at: Date; latencyMs: number };
export const inferenceNode = ({ model, inferenceId, version, generation, role, at, latencyMs }: InferenceFact): LineageNode =>
  node('inference', [`${model}/${inferenceId}`, ''], at, { version, generation, role, latencyMs, answeredAt: iso(at) });

/** Rows of the tables that are nodes, by a condition. */
export const lineageRows = (database: Kysely<Database>) => ({
  datasets: async (where: ReturnType<typeof sql<boolean>>): Promise<LineageNode[]> =>
    (await database.selectFrom('datasets').select(['name', 'version', 'rows', 'bytes', 'created_at']).where(where).orderBy('created_at').execute()).map(datasetNode),
  featureSets: async (where: ReturnType<typeof sql<boolean>>): Promise<LineageNode[]> => {
    const rows = await database.selectFrom('feature_sets').select(['name', 'version', 'rows', 'created_at', sql<string | null>`manifest ->> 'sqlHash'`.as('sql_hash')]).where(where).orderBy('created_at').execute();
    return rows.map(featureSetNode);
  },
  pipelines: async (where: ReturnType<typeof sql<boolean>>): Promise<LineageNode[]> =>
    (await database.selectFrom('pipeline_versions').select(['pipeline', 'version', 'spec_hash', 'created_by', 'created_at']).where(where).execute()).map(pipelineNode),
  runs: async (where: ReturnType<typeof sql<boolean>>): Promise<LineageNode[]> =>
    (await database.selectFrom('runs').select(['run_id', 'state', 'trigger', 'started_at']).where(where).orderBy('started_at').execute()).map(runNode),
  models: async (where: ReturnType<typeof sql<boolean>>): Promise<LineageNode[]> =>
    (await database.selectFrom('model_versions').select(['model', 'version', 'run_id', 'model_sha256', 'lineage', 'created_at']).where(where).orderBy('version').execute()).map(modelNode),
  deployments: async (where: ReturnType<typeof sql<boolean>>): Promise<LineageNode[]> =>
    (await database.selectFrom('deployment_generations').select(['model', 'generation', 'split', 'reason', 'at']).where(where).orderBy('generation').execute()).map(deploymentNode),
});

export type LineageRows = ReturnType<typeof lineageRows>;
