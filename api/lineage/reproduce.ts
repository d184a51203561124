/** Repeats a version from its record, as a run of the pipeline version that made it. */
import { z } from 'zod';
import type { Lineage } from '../../contracts/model.ts';
import { Name } from '../../contracts/pipeline.ts';
import type { RunTrigger } from '../../contracts/run.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { audit } from '../http/audit.ts';
import { principalOf } from '../http/guard.ts';
import { IDEMPOTENT, problems } from '../http/schemas.ts';
import { StartedRun } from '../runs/run-schemas.ts';
import { startRun } from '../runs/start-run.ts';

const VersionParams = z.object({ model: Name, version: z.coerce.number().int().positive() });

const lineageOf = async ({ database }: ApiContext, { model, version }: z.infer<typeof VersionParams>): Promise<Lineage> => {
  const row = await database.selectFrom('model_versions').select('lineage').where('model', '=', model).where('version', '=', version).executeTakeFirst();
  if (row === undefined) throw new PerennialFailure('ModelVersionNotFound', `the model "${model}" has no version ${version}`);
  return row.lineage as Lineage;
};

export const registerReproduceRoute = (app: App, context: ApiContext): void => {
  app.route({
    method: 'POST',
    url: '/api/v1/models/:model/versions/:version/reproduce',
    config: { policy: 'runs:write' },
    schema: {
      tags: ['lineage'],
      summary: 'Trains the version again from its record, and compares: a run that succeeds when the bytes are the same, and is rejected with the first thing that differs',
      params: VersionParams,
      headers: IDEMPOTENT,
      body: z.strictObject({}).nullish(),
      response: { 202: StartedRun, ...problems(404, 409) },
    },
    handler: async (request, reply) => {
      const { model, version } = request.params;
      const { pipeline, pipelineVersion } = await lineageOf(context, request.params);
      const { spec } = await context.pipelines.version(pipeline, pipelineVersion);
      const { intent } = await context.idempotency.claim(request, { act: `reproduce ${model} ${version}`, content: request.body });
      const trigger: RunTrigger = { kind: 'manual', id: `manual/${intent.digest}`, reason: `reproduction of ${model}@${version}`, reproduces: { model, version } };
      const started = await startRun(context, { unique: intent.digest, pipeline, pipelineVersion, spec, trigger });
      await audit(context.database, principalOf(request), { action: 'model.reproduce', subject: model, detail: { version, runId: started.runId } });
      return reply.code(202).header('location', started.links.self).send(started);
    },
  });
};
