/** Routes of the files of a dataset version: which they are, and their bytes. */
import { Readable } from 'node:stream';
import { sql } from 'kysely';
import { z } from 'zod';
import { ArtifactRef, Sha256 } from '../../contracts/artifact.ts';
import { Name } from '../../contracts/pipeline.ts';
import { treeOf } from '../../domain/dataset-tree.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { problems } from '../http/schemas.ts';
import { findManifest, Version, VersionParams } from './versions.ts';

const TreeFile = z.object({ path: z.string(), table: z.string(), sha256: Sha256, md5: z.string(), bytes: z.number().int(), rows: z.number().int() });

const FileParams = z.object({ name: Name, version: Version, hash: Sha256 });

/** Looked for in the database: the manifest of a version of many files is large, and each of them is asked for. */
const findFile = async ({ database }: ApiContext, { name, version, hash: sha256 }: z.infer<typeof FileParams>): Promise<ArtifactRef> => {
  const { rows } = await sql<{ artifact: unknown }>`
    select jsonb_path_query_first(manifest, '$.tables[*].files[*].artifact ? (@.sha256 == $sha256)', ${JSON.stringify({ sha256 })}::jsonb) as artifact
    from datasets where name = ${name} and starts_with(version, ${version}) limit 1`.execute(database);
  const artifact = ArtifactRef.safeParse(rows[0]?.artifact);
  if (artifact.success) return artifact.data;
  throw new PerennialFailure('DatasetNotFound', `the version "${version}" of "${name}" has no file ${sha256}`);
};

export const registerDatasetFileRoutes = (app: App, context: ApiContext): void => {
  const tags = ['datasets'];
  app.route({
    method: 'GET',
    url: '/api/v1/datasets/:name/:version/files',
    config: { policy: 'read' },
    schema: { tags, summary: 'The files of a version as a folder: one folder per table', params: VersionParams, response: { 200: z.object({ dataset: z.string(), version: z.string(), files: z.array(TreeFile) }), ...problems(404) } },
    handler: async (request) => {
      const manifest = await findManifest(context, request.params);
      return { dataset: manifest.dataset, version: manifest.version, files: treeOf(manifest) };
    },
  });
  app.route({
    method: 'GET',
    url: '/api/v1/datasets/:name/:version/files/:hash',
    config: { policy: 'read' },
    schema: { tags, summary: 'The bytes of a file; the connection breaks when they turn out not to match their hash', params: FileParams, produces: ['application/octet-stream'], response: { 200: z.unknown().describe('the bytes'), ...problems(404) } },
    handler: async (request, reply) => {
      const artifact = await findFile(context, request.params);
      const bytes = await context.artifacts.stream(artifact);
      return reply
        .header('content-type', 'application/octet-stream')
        .header('content-length', artifact.bytes)
        .header('content-disposition', 'attachment')
        .header('x-content-type-options', 'nosniff')
        .send(Readable.from(bytes, { objectMode: false }));
    },
  });
};
