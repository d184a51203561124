/** Routes of pipelines. */
import { sql } from 'kysely';
import { z } from 'zod';
import { PipelineSpec } from '../../contracts/pipeline.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { bodyAsIs } from '../http/validation.ts';
import { principalOf } from '../http/guard.ts';
import { RequestRefused } from '../http/problem.ts';
import { Instant, iso, NameParams, problems } from '../http/schemas.ts';
import { syncAll } from '../schedules/sync.ts';
import { parseYaml, type ParsedText } from './parse-text.ts';
import { validatePipeline } from './validate.ts';
import { receiverWarningsOf, warningsOf } from './contradictions.ts';

const YAML_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml'];

const AppliedPipeline = z.object({
  name: z.string(),
  version: z.number().int(),
  created: z.boolean().describe('False when nothing changed: the version is the one that was there.'),
  hash: z.string(),
  schedules: z.array(z.object({ name: z.string(), change: z.enum(['created', 'updated', 'unchanged', 'deleted']) })).describe('What became of its declared schedules.'),
  warnings: z.array(z.string()),
});

const PipelineSummary = z.object({
  name: z.string(),
  version: z.number().int(),
  kind: z.string(),
  description: z.string().nullable(),
  owner: z.string().nullable(),
  createdAt: Instant,
  createdBy: z.string(),
});

const PipelineView = z.object({
  name: z.string(),
  version: z.number().int(),
  hash: z.string(),
  spec: PipelineSpec,
  createdAt: Instant,
  createdBy: z.string(),
  versions: z.array(z.number().int()),
});

const registerApply = (app: App, context: ApiContext): void => {
  // YAML is taken here and nowhere else, so the parser lives with this route.
  app.addContentTypeParser(YAML_TYPES, { parseAs: 'string' }, async (_request: unknown, text: string | Buffer) => parseYaml(text.toString()));
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    void parseJson(request, text.toString(), (error, value: unknown) => done(error, error === null ? { value, lineOf: () => undefined } : undefined));
  });
  app.route({
    method: 'PUT',
    url: '/api/v1/pipelines/:name',
    config: { policy: 'pipelines:write' },
    schema: {
      tags: ['pipelines'],
      summary: 'Applies a pipeline; a changed one becomes a new version',
      params: NameParams,
      consumes: ['application/json', ...YAML_TYPES.slice(0, 1)],
      body: PipelineSpec,
      response: { 200: AppliedPipeline, 201: AppliedPipeline, ...problems(413, 415) },
    },
    // The schema is for the OpenAPI document: validatePipeline says more, and with the line.
    validatorCompiler: bodyAsIs,
    handler: async (request, reply) => {
      const parsed = request.body as unknown as ParsedText | null | undefined;
      if (parsed === null || parsed === undefined) throw new RequestRefused('MalformedBody', [{ path: '', message: 'the body is empty', fix: 'Send the pipeline as JSON or YAML.' }]);
      const spec = validatePipeline(parsed, request.params.name);
      const applied = await context.pipelines.apply(spec, principalOf(request));
      // An unchanged schedule too: someone may have changed Temporal's by hand.
      const unsynced = await syncAll(context, spec.name, applied.schedules.map(({ name }) => name));
      return reply.code(applied.created ? 201 : 200).send({ name: spec.name, ...applied, warnings: [...warningsOf(spec), ...receiverWarningsOf(spec, await context.receivers()), ...unsynced] });
    },
  });
};

const listPipelines = async ({ database }: ApiContext): Promise<z.infer<typeof PipelineSummary>[]> => {
  const rows = await database
    .selectFrom('pipelines as p')
    .innerJoin('pipeline_versions as v', (join) => join.onRef('v.pipeline', '=', 'p.name').onRef('v.version', '=', 'p.current_version'))
    .select(['p.name', 'v.version', 'v.created_at', 'v.created_by'])
    .select([sql<string>`v.spec->>'kind'`.as('kind'), sql<string | null>`v.spec->>'description'`.as('description'), sql<string | null>`v.spec->>'owner'`.as('owner')])
    .orderBy('p.name')
    .execute();
  return rows.map(({ created_at, created_by, ...row }) => ({ ...row, createdAt: iso(created_at), createdBy: created_by }));
};

const showPipeline = async (context: ApiContext, name: string, version: number | undefined): Promise<z.infer<typeof PipelineView>> => {
  const pipeline = version === undefined ? await context.pipelines.current(name) : await context.pipelines.version(name, version);
  const rows = await context.database.selectFrom('pipeline_versions').select(['version', 'spec_hash', 'created_at', 'created_by']).where('pipeline', '=', name).orderBy('version').execute();
  const row = rows.find((candidate) => candidate.version === pipeline.version);
  return {
    ...pipeline,
    hash: row?.spec_hash ?? '',
    createdAt: row === undefined ? '' : iso(row.created_at),
    createdBy: row?.created_by ?? '',
    versions: rows.map((candidate) => candidate.version),
  };
};

const registerReads = (app: App, context: ApiContext): void => {
  app.route({
    method: 'GET',
    url: '/api/v1/pipelines',
    config: { policy: 'read' },
    schema: { tags: ['pipelines'], summary: 'All pipelines', response: { 200: z.object({ pipelines: z.array(PipelineSummary) }), ...problems() } },
    handler: async () => ({ pipelines: await listPipelines(context) }),
  });
  app.route({
    method: 'GET',
    url: '/api/v1/pipelines/:name',
    config: { policy: 'read' },
    schema: {
      tags: ['pipelines'],
      summary: 'One pipeline: its current version, or an older one',
      params: NameParams,
      querystring: z.strictObject({ version: z.coerce.number().int().positive().optional() }),
      response: { 200: PipelineView, ...problems(404) },
    },
    handler: (request) => showPipeline(context, request.params.name, request.query.version),
  });
};

export const registerPipelineRoutes = async (app: App, context: ApiContext): Promise<void> => {
  registerReads(app, context);
  await app.register(async (scope) => registerApply(scope.withTypeProvider() as App, context));
};
