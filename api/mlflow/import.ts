/** Routes that an import uses beside the others: they make what another server made, under the id it has there. Sent again, they change nothing. */
import { z } from 'zod';
import * as runs from '../../adapters/postgres/tracking/runs.ts';
import * as loggedModels from '../../adapters/postgres/tracking/logged-models.ts';
import { importVersion } from '../../adapters/postgres/tracking/model-versions.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { Description, ModelName, VersionNumber } from './registered-models.ts';
import { mlflowRoute } from './route.ts';
import { Int64, lastOfEach, optional, Param, RegistryTag, Required, Tag, Text } from './wire.ts';

const RunImport = z.object({
  run_id: z.string().regex(/^[0-9a-zA-Z-]{1,64}$/, 'the id of a run'),
  experiment_id: Required,
  run_name: z.string().min(1).max(8_000),
  user_id: optional(Text),
  start_time: Int64,
});

const LoggedModelImport = z.object({
  model_id: z.string().regex(/^m-[0-9a-zA-Z]{1,60}$/, 'the id of a logged model'),
  experiment_id: Required,
  name: Required,
  model_type: optional(Text),
  source_run_id: optional(Text),
  params: optional(z.array(Param)),
  tags: optional(z.array(Tag)),
});

const VersionImport = z.object({
  name: ModelName,
  version: VersionNumber,
  source: z.string().min(1).max(2_000),
  run_id: optional(Text),
  run_link: optional(Text),
  description: Description,
  user_id: optional(Text),
  stage: optional(Text),
  creation_timestamp: Int64,
  tags: optional(z.array(RegistryTag)),
});

export const registerImportRoutes = (app: App, { pool, database }: ApiContext): void => {
  const post = mlflowRoute(app, 'import', 'POST', 'tracking:write');
  post('import/runs', { body: RunImport, summary: 'Makes a run under a given id' }, async ({ body }) => {
    const run = { runId: body.run_id, experimentId: body.experiment_id, name: body.run_name, userId: body.user_id ?? '', startMs: body.start_time, tags: [], heartbeatSeconds: null };
    return { artifact_uri: (await runs.createRun(pool, run)).artifactUri };
  });
  post('import/logged-models', { body: LoggedModelImport, summary: 'Makes a logged model under a given id' }, async ({ body }) => {
    const model = { modelId: body.model_id, experimentId: body.experiment_id, name: body.name, modelType: body.model_type, sourceRunId: body.source_run_id };
    await loggedModels.createLoggedModel(database, { ...model, params: lastOfEach(body.params ?? []), tags: lastOfEach(body.tags ?? []) });
    return { artifact_uri: await loggedModels.loggedModelUri(database, body.model_id) };
  });
  post('import/model-versions', { body: VersionImport, summary: 'Makes a version with a given number; one that is there stays' }, async ({ body }) => {
    const version = { name: body.name, version: body.version, source: body.source, runId: body.run_id, runLink: body.run_link, description: body.description, userId: body.user_id ?? '' };
    return { made: await importVersion(database, { ...version, stage: body.stage ?? 'None', createdMs: body.creation_timestamp, tags: lastOfEach(body.tags ?? []) }) };
  });
};
