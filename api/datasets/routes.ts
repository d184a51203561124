/** Routes of datasets, their versions, and what changed between two of them. */
import { z } from 'zod';
import { sql } from 'kysely';
import { DatasetManifest } from '../../contracts/dataset.ts';
import { DataCheck } from '../../contracts/data-check.ts';
import { DatasetDiff } from '../../contracts/dataset-diff.ts';
import { diffVersions } from '../../domain/dataset-diff.ts';
import { inferChecks } from '../../domain/inferred-checks.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { Instant, iso, NameParams, problems } from '../http/schemas.ts';
import { findManifest, findVersion, Version, VersionParams, type VersionRow } from './versions.ts';

const VersionSummary = z.object({ name: z.string(), version: z.string(), rows: z.number().int(), bytes: z.number().int(), runId: z.string(), createdAt: Instant });
const DatasetSummary = VersionSummary.extend({ versions: z.number().int() });
const VersionView = VersionSummary.extend({ manifest: DatasetManifest });

const summaryOf = (row: Omit<VersionRow, 'manifest'>): z.infer<typeof VersionSummary> => ({ name: row.name, version: row.version, rows: row.rows, bytes: row.bytes, runId: row.run_id, createdAt: iso(row.created_at) });

/** The newest version of each dataset, with the number of versions. */
const listDatasets = async ({ database }: ApiContext): Promise<z.infer<typeof DatasetSummary>[]> => {
  const { rows } = await sql<Omit<VersionRow, 'manifest'> & { versions: number }>`
    select distinct on (name) name, version, rows, bytes, run_id, created_at, count(*) over (partition by name)::int as versions
    from datasets order by name, created_at desc`.execute(database);
  return rows.map((row) => ({ ...summaryOf(row), versions: row.versions }));
};

const versionsOf = async ({ database }: ApiContext, name: string): Promise<z.infer<typeof VersionSummary>[]> => {
  const rows = await database.selectFrom('datasets').select(['name', 'version', 'rows', 'bytes', 'run_id', 'created_at']).where('name', '=', name).orderBy('created_at', 'desc').limit(500).execute();
  if (rows.length === 0) throw new PerennialFailure('DatasetNotFound', `there is no dataset "${name}"`);
  return rows.map(summaryOf);
};

export const registerDatasetRoutes = (app: App, context: ApiContext): void => {
  const tags = ['datasets'];
  app.route({
    method: 'GET',
    url: '/api/v1/datasets',
    config: { policy: 'read' },
    schema: { tags, summary: 'All datasets with their newest version', response: { 200: z.object({ datasets: z.array(DatasetSummary) }), ...problems() } },
    handler: async () => ({ datasets: await listDatasets(context) }),
  });
  app.route({
    method: 'GET',
    url: '/api/v1/datasets/:name',
    config: { policy: 'read' },
    schema: { tags, summary: 'Versions of a dataset, newest first', params: NameParams, response: { 200: z.object({ name: z.string(), versions: z.array(VersionSummary) }), ...problems(404) } },
    handler: async (request) => ({ name: request.params.name, versions: await versionsOf(context, request.params.name) }),
  });
  app.route({
    method: 'GET',
    url: '/api/v1/datasets/:name/:version',
    config: { policy: 'read' },
    schema: { tags, summary: 'One version with its manifest: tables, files, columns, hashes and the profile of each column', params: VersionParams, response: { 200: VersionView, ...problems(404) } },
    handler: async (request) => {
      const row = await findVersion(context, request.params);
      return { ...summaryOf(row), manifest: row.manifest as DatasetManifest };
    },
  });
  app.route({
    method: 'GET',
    url: '/api/v1/datasets/:name/:version/inferred-checks',
    config: { policy: 'read' },
    schema: { tags, summary: 'A first draft of checks that this version passes, by its profile', params: VersionParams, response: { 200: z.object({ checks: z.array(DataCheck) }), ...problems(404) } },
    handler: async (request) => ({ checks: inferChecks(await findManifest(context, request.params)).map((check) => DataCheck.parse(check)) }),
  });
  app.route({
    method: 'GET',
    url: '/api/v1/datasets/:name/:version/diff',
    config: { policy: 'read' },
    schema: {
      tags,
      summary: 'What changed since another version: files, rows, schema, and how values are distributed',
      params: VersionParams,
      querystring: z.object({ from: Version }),
      response: { 200: DatasetDiff, ...problems(404) },
    },
    handler: async (request) => {
      const { name, version } = request.params;
      return diffVersions(await findManifest(context, { name, version: request.query.from }), await findManifest(context, { name, version }));
    },
  });
};
