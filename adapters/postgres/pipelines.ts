/** Pipelines as the control plane reads them. Writing them is the API's. */
import type { Kysely } from 'kysely';
import type { PipelineSpec } from '../../contracts/pipeline.ts';
import type { Pipelines } from '../../domain/ports/monitoring.ts';
import { askDatabase } from './client.ts';
import type { Database } from './schema.ts';

/** Pipelines on PostgreSQL. Every method throws PostgresUnavailable in an outage. */
export const createPipelines = (database: Kysely<Database>): Pipelines => ({
  current: async (pipeline) => {
    const row = await askDatabase(() =>
      database
        .selectFrom('pipelines')
        .innerJoin('pipeline_versions', (join) =>
          join.onRef('pipeline_versions.pipeline', '=', 'pipelines.name').onRef('pipeline_versions.version', '=', 'pipelines.current_version'),
        )
        .select(['version', 'spec'])
        .where('name', '=', pipeline)
        .executeTakeFirst(),
    );
    return row === undefined ? undefined : { version: row.version, spec: row.spec as PipelineSpec };
  },
  version: async (pipeline, version) => {
    const row = await askDatabase(() =>
      database.selectFrom('pipeline_versions').select('spec').where('pipeline', '=', pipeline).where('version', '=', version).executeTakeFirst(),
    );
    return row?.spec as PipelineSpec | undefined;
  },
});
