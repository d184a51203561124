/** The report of a monitor: the columns of a window with their histograms, quality over time, and what was decided since. */
import { z } from 'zod';
import { MonitorReport, type ColumnHistogram, type ReportColumn } from '../../contracts/monitor-report.ts';
import { MonitorSpec } from '../../contracts/monitor.ts';
import type { Lineage } from '../../contracts/model.ts';
import { PerennialFailure } from '../../domain/failure.ts';
import { isInLabelUnits } from '../../domain/metrics.ts';
import { isLowerBetter } from '../../domain/window-quality.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { ModelParams, problems } from '../http/schemas.ts';
import { readDecisions } from './report-decisions.ts';
import { columnsOf, metricOf, performanceOf, predictionOf, windowOf, type WindowRow } from './report-windows.ts';
import { requireModel } from './routes.ts';

const ReportQuery = z.strictObject({
  windows: z.coerce.number().int().min(1).max(500).default(60).describe('How many windows of the past are shown.'),
  version: z.coerce.number().int().positive().optional().describe('The version of the window whose columns are shown.'),
  window: z.coerce.number().int().nonnegative().optional().describe('The window whose columns are shown; the newest by default.'),
});

type Source = { pipeline: string; spec: MonitorSpec } | undefined;

/** Where the version came from, and how it is monitored; undefined for a version that no pipeline here made. */
const sourceOf = async ({ database, pipelines }: ApiContext, model: string, version: number): Promise<Source> => {
  const row = await database.selectFrom('model_versions').select('lineage').where('model', '=', model).where('version', '=', version).executeTakeFirst();
  const lineage = row?.lineage as Lineage | undefined;
  if (lineage === undefined) return undefined;
  try {
    const { spec } = await pipelines.version(lineage.pipeline, lineage.pipelineVersion);
    return { pipeline: lineage.pipeline, spec: (spec.kind === 'model' ? spec.monitor : undefined) ?? MonitorSpec.parse({}) };
  } catch (error) {
    if (error instanceof PerennialFailure && error.code === 'PipelineNotFound') return undefined;
    throw error;
  }
};

const readWindows = async ({ database }: ApiContext, model: string, limit: number): Promise<WindowRow[]> => {
  const rows = await database
    .selectFrom('monitor_windows')
    .select(['version', 'window_number', 'report', 'decision', 'concept'])
    .where('model', '=', model)
    .orderBy('to_at', 'desc')
    .orderBy('window_number', 'desc')
    .limit(limit)
    .execute();
  return rows.reverse();
};

const readHistograms = async ({ database }: ApiContext, model: string, window: WindowRow): Promise<Map<string, ColumnHistogram>> => {
  const row = await database
    .selectFrom('monitor_histograms')
    .select('histograms')
    .where('model', '=', model)
    .where('version', '=', window.version)
    .where('window_number', '=', window.window_number)
    .executeTakeFirst();
  return new Map(((row?.histograms ?? []) as ColumnHistogram[]).map((histogram) => [histogram.column, histogram]));
};

const chosenRow = (rows: readonly WindowRow[], query: z.infer<typeof ReportQuery>): WindowRow | undefined =>
  rows.findLast((row) => (query.version === undefined || row.version === query.version) && (query.window === undefined || row.window_number === query.window));

type Shown = { columns: ReportColumn[]; prediction: ReportColumn | null };

const shownColumns = async (context: ApiContext, model: string, row: WindowRow | undefined): Promise<Shown> => {
  if (row === undefined) return { columns: [], prediction: null };
  const histograms = await readHistograms(context, model, row);
  return { columns: columnsOf(row, histograms), prediction: predictionOf(row, histograms) };
};

/** @throws PerennialFailure ModelNotFound, InvalidRequest when there is no such window */
export const readReport = async (context: ApiContext, model: string, query: z.infer<typeof ReportQuery>): Promise<MonitorReport> => {
  await requireModel(context, model);
  const rows = await readWindows(context, model, query.windows);
  const row = chosenRow(rows, query);
  if (row === undefined && query.window !== undefined) throw new PerennialFailure('InvalidRequest', `the monitor of "${model}" has no window ${query.window} among its last ${query.windows}`);
  const source = row === undefined ? undefined : await sourceOf(context, model, row.version);
  const metric = metricOf(row);
  const windows = rows.map((shown) => windowOf(shown, metric));
  return {
    model,
    pipeline: source?.pipeline ?? null,
    version: row?.version ?? null,
    generatedAt: new Date().toISOString(),
    metric,
    lowerIsBetter: isLowerBetter(metric),
    shareThreshold: source?.spec.drift.shareThreshold ?? null,
    maximumDrop: source?.spec.quality.maximumDrop ?? null,
    dropIsShare: isInLabelUnits(metric),
    window: row === undefined ? null : windowOf(row, metric),
    ...(await shownColumns(context, model, row)),
    performance: performanceOf(rows, metric),
    windows,
    decisions: await readDecisions(context, { model, pipeline: source?.pipeline ?? null, from: windows[0]?.from ?? null }),
  };
};

export const registerReportRoutes = (app: App, context: ApiContext): void => {
  app.route({
    method: 'GET',
    url: '/api/v1/models/:model/monitor/report',
    config: { policy: 'read' },
    schema: {
      tags: ['monitoring'],
      summary: 'Drift, quality and decisions of a model as one document',
      description: 'The data of `perennial drift report`.',
      params: ModelParams,
      querystring: ReportQuery,
      response: { 200: MonitorReport, ...problems(404) },
    },
    handler: (request) => readReport(context, request.params.model, request.query),
  });
};
