/** Routes of registered models and their versions. */
import { z } from 'zod';
import { sql } from 'kysely';
import { ArtifactRef } from '../../contracts/artifact.ts';
import { CHAMPION } from '../../contracts/ids.ts';
import { ModelSignature } from '../../contracts/features.ts';
import { EvaluationReport, Lineage, Metrics } from '../../contracts/model.ts';
import { Name } from '../../contracts/pipeline.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { Instant, iso, ModelParams, problems } from '../http/schemas.ts';

const ModelSummary = z.object({ name: z.string(), latestVersion: z.number().int(), champion: z.number().int().nullable(), createdAt: Instant });

const VersionSummary = z.object({ version: z.number().int(), aliases: z.array(z.string()), runId: z.string(), metrics: Metrics, createdAt: Instant });

const ModelView = z.object({
  name: z.string(),
  createdAt: Instant,
  aliases: z.record(z.string(), z.number().int()),
  versions: z.array(VersionSummary).describe('Newest first.'),
});

const VersionView = z.object({
  model: z.string(),
  version: z.number().int(),
  aliases: z.array(z.string()),
  runId: z.string(),
  artifact: ArtifactRef,
  signature: ModelSignature,
  metrics: Metrics,
  evaluation: EvaluationReport,
  gates: z.array(z.object({ gate: z.string(), passed: z.boolean(), reason: z.string() })),
  lineage: Lineage,
  createdAt: Instant,
});

const VersionParams = z.object({ model: Name, version: z.coerce.number().int().positive() });

const modelNotFound = (model: string): PerennialFailure => new PerennialFailure('ModelNotFound', `there is no model "${model}"`);

/** @throws PerennialFailure ModelNotFound */
export const requireModel = async ({ database }: ApiContext, model: string): Promise<void> => {
  const row = await database.selectFrom('registered_models').select('name').where('name', '=', model).executeTakeFirst();
  if (row === undefined) throw modelNotFound(model);
};

const listModels = async ({ database }: ApiContext): Promise<z.infer<typeof ModelSummary>[]> => {
  const { rows } = await sql<{ name: string; latest: number; champion: number | null; created_at: Date }>`
    select m.name, coalesce(max(v.version), 0)::int as latest, m.created_at,
      (select a.version from model_aliases a where a.model = m.name and a.alias = ${CHAMPION}) as champion
    from registered_models m left join model_versions v on v.model = m.name group by m.name, m.created_at order by m.name`.execute(database);
  return rows.map((row) => ({ name: row.name, latestVersion: row.latest, champion: row.champion, createdAt: iso(row.created_at) }));
};

const aliasesOf = async ({ database }: ApiContext, model: string): Promise<Record<string, number>> => {
  const rows = await database.selectFrom('model_aliases').select(['alias', 'version']).where('model', '=', model).orderBy('alias').execute();
  return Object.fromEntries(rows.map((row) => [row.alias, row.version]));
};

const namesOf = (aliases: Record<string, number>, version: number): string[] => Object.keys(aliases).filter((alias) => aliases[alias] === version);

const showModel = async (context: ApiContext, model: string): Promise<z.infer<typeof ModelView>> => {
  const row = await context.database.selectFrom('registered_models').selectAll().where('name', '=', model).executeTakeFirst();
  if (row === undefined) throw modelNotFound(model);
  const [aliases, versions] = await Promise.all([
    aliasesOf(context, model),
    context.database.selectFrom('model_versions').select(['version', 'run_id', 'metrics', 'created_at']).where('model', '=', model).orderBy('version', 'desc').limit(500).execute(),
  ]);
  return {
    name: model,
    createdAt: iso(row.created_at),
    aliases,
    versions: versions.map((version) => ({
      version: version.version,
      aliases: namesOf(aliases, version.version),
      runId: version.run_id,
      metrics: version.metrics as Metrics,
      createdAt: iso(version.created_at),
    })),
  };
};

const showVersion = async (context: ApiContext, { model, version }: { model: string; version: number }): Promise<z.infer<typeof VersionView>> => {
  await requireModel(context, model);
  const row = await context.database.selectFrom('model_versions').selectAll().where('model', '=', model).where('version', '=', version).executeTakeFirst();
  if (row === undefined) throw new PerennialFailure('ModelVersionNotFound', `the model "${model}" has no version ${version}`);
  return {
    model,
    version,
    aliases: namesOf(await aliasesOf(context, model), version),
    runId: row.run_id,
    artifact: row.artifact as ArtifactRef,
    signature: row.signature as ModelSignature,
    metrics: row.metrics as Metrics,
    evaluation: row.evaluation as EvaluationReport,
    gates: row.gates as z.infer<typeof VersionView>['gates'],
    lineage: row.lineage as Lineage,
    createdAt: iso(row.created_at),
  };
};

export const registerModelRoutes = (app: App, context: ApiContext): void => {
  const tags = ['models'];
  app.route({
    method: 'GET',
    url: '/api/v1/models',
    config: { policy: 'read' },
    schema: { tags, summary: 'All registered models', response: { 200: z.object({ models: z.array(ModelSummary) }), ...problems() } },
    handler: async () => ({ models: await listModels(context) }),
  });
  app.route({
    method: 'GET',
    url: '/api/v1/models/:model',
    config: { policy: 'read' },
    schema: { tags, summary: 'One model with its versions and aliases', params: ModelParams, response: { 200: ModelView, ...problems(404) } },
    handler: (request) => showModel(context, request.params.model),
  });
  app.route({
    method: 'GET',
    url: '/api/v1/models/:model/versions/:version',
    config: { policy: 'read' },
    schema: { tags, summary: 'One version: its artifact, signature, evaluation, gates and lineage', params: VersionParams, response: { 200: VersionView, ...problems(404) } },
    handler: (request) => showVersion(context, request.params),
  });
};
