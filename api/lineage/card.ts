/** The model card of a version: the facts are read here, the words are domain/model-card.ts. */
import { z } from 'zod';
import type { DatasetManifest } from '../../contracts/dataset.ts';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { FeatureSetManifest, ModelSignature } from '../../contracts/features.ts';
import type { EvaluationReport, Lineage } from '../../contracts/model.ts';
import type { MonitorWindow } from '../../contracts/monitor.ts';
import { Name } from '../../contracts/pipeline.ts';
import type { RolloutOutcome } from '../../contracts/rollout.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { modelCard, type ModelCardFacts } from '../../domain/model-card.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { iso, problems } from '../http/schemas.ts';

const CardParams = z.object({ model: Name, version: z.string().min(1).max(128).describe('A number or an alias.') });
const Card = z.object({ model: z.string(), version: z.number().int(), markdown: z.string() });

const WINDOWS = 30;
const ROLLOUTS = 10;

type VersionKey = { model: string; version: number };

/** The parameters are the pipeline's; a version that no pipeline here made has none. */
const paramsOf = async ({ pipelines }: ApiContext, { pipeline, pipelineVersion }: Lineage): Promise<ModelCardFacts['params']> => {
  try {
    const { spec } = await pipelines.version(pipeline, pipelineVersion);
    return spec.kind === 'model' ? spec.train.params : {};
  } catch (error) {
    if (error instanceof PerennialFailure && error.code === 'PipelineNotFound') return {};
    throw error;
  }
};

const datasetOf = async ({ database }: ApiContext, { dataset, datasetVersion }: Lineage): Promise<ModelCardFacts['dataset']> => {
  const row = await database.selectFrom('datasets').select(['rows', 'bytes', 'manifest']).where('name', '=', dataset).where('version', '=', datasetVersion).executeTakeFirst();
  if (row === undefined) return null;
  const { tables } = row.manifest as DatasetManifest;
  return { rows: row.rows, bytes: row.bytes, files: tables.reduce((files, table) => files + table.files.length, 0) };
};

const featuresOf = async ({ database }: ApiContext, { pipeline, featureSetVersion }: Lineage): Promise<FeatureSetManifest | null> => {
  const row = await database.selectFrom('feature_sets').select('manifest').where('name', '=', pipeline).where('version', '=', featureSetVersion).executeTakeFirst();
  return (row?.manifest as FeatureSetManifest | undefined) ?? null;
};

const serviceOf = async ({ database }: ApiContext, { model, version }: VersionKey): Promise<Pick<ModelCardFacts, 'rollouts' | 'windows'>> => {
  const rollouts = await database.selectFrom('rollouts').select(['started_at', 'outcome']).where('model', '=', model).where('version', '=', version).orderBy('started_at', 'desc').limit(ROLLOUTS).execute();
  const windows = await database.selectFrom('monitor_windows').select('report').where('model', '=', model).where('version', '=', version).orderBy('window_number', 'desc').limit(WINDOWS).execute();
  return {
    rollouts: rollouts.reverse().map((row) => ({ startedAt: iso(row.started_at), outcome: row.outcome as RolloutOutcome | null })),
    windows: windows.reverse().map(({ report }) => report as MonitorWindow),
  };
};

const aliasesOf = async ({ database }: ApiContext, model: string): Promise<{ alias: string; version: number }[]> =>
  database.selectFrom('model_aliases').select(['alias', 'version']).where('model', '=', model).orderBy('alias').execute();

const readCard = async (context: ApiContext, { model, version: asked }: z.infer<typeof CardParams>): Promise<z.infer<typeof Card>> => {
  const aliases = await aliasesOf(context, model);
  const version = /^[1-9]\d{0,8}$/.test(asked) ? Number(asked) : (aliases.find(({ alias }) => alias === asked)?.version ?? 0);
  const row = await context.database.selectFrom('model_versions').selectAll().where('model', '=', model).where('version', '=', version).executeTakeFirst();
  if (row === undefined) throw new PerennialFailure('ModelVersionNotFound', `the model "${model}" has no version ${asked}`);
  const lineage = row.lineage as Lineage;
  const artifact = row.artifact as ArtifactRef;
  const markdown = modelCard({
    model,
    version,
    aliases: aliases.filter((alias) => alias.version === version).map(({ alias }) => alias),
    createdAt: iso(row.created_at),
    sha256: artifact.sha256,
    bytes: artifact.bytes,
    signature: row.signature as ModelSignature,
    evaluation: row.evaluation as EvaluationReport,
    gates: row.gates as ModelCardFacts['gates'],
    lineage,
    features: await featuresOf(context, lineage),
    dataset: await datasetOf(context, lineage),
    params: await paramsOf(context, lineage),
    ...(await serviceOf(context, { model, version })),
  });
  return { model, version, markdown };
};

export const registerCardRoute = (app: App, context: ApiContext): void => {
  app.route({
    method: 'GET',
    url: '/api/v1/models/:model/versions/:version/card',
    config: { policy: 'read' },
    schema: { tags: ['lineage'], summary: 'The model card of a version, written from recorded facts, as Markdown', params: CardParams, response: { 200: Card, ...problems(404) } },
    handler: (request) => readCard(context, request.params),
  });
};
