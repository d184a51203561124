/** What the monitor of a model saw, window by window. */
import { z } from 'zod';
import { monitorWorkflowId } from '../../contracts/ids.ts';
import { ConceptReport } from '../../contracts/concept-drift.ts';
import { LiveInputs } from '../../contracts/live-inputs.ts';
import { monitorStatusQuery } from '../../contracts/messages.ts';
import { ColumnDrift, type MonitorStatus, type MonitorWindow } from '../../contracts/monitor.ts';
import { ReportWindow } from '../../contracts/monitor-report.ts';
import { EstimatedQuality, WindowQuality } from '../../contracts/quality.ts';
import { WORKFLOWS_POOL } from '../../contracts/queues.ts';
import { AlertSummary, listAlerts } from '../alerts/alert-rows.ts';
import type { ApiContext, App } from '../http/app-types.ts';
import { Instant, iso, Limit, ModelParams, problems } from '../http/schemas.ts';
import { conceptOf } from './report-windows.ts';
import { requireModel } from './routes.ts';

const WindowView = ReportWindow.pick({
  window: true,
  version: true,
  from: true,
  to: true,
  rows: true,
  labelled: true,
  driftScore: true,
  drifted: true,
  quality: true,
  judgedQuality: true,
  qualityDropped: true,
  decision: true,
}).extend({
  columns: z.array(ColumnDrift),
  prediction: ColumnDrift.nullable().describe("Drift of the model's score."),
  judgedBy: z.enum(['labels', 'estimate']).nullish().describe('What said whether quality dropped; null while nothing could.'),
  estimatedQuality: z.number().nullish().describe('The watched metric as the scores promise it; null for one that cannot be estimated.'),
  performance: WindowQuality.nullish().describe('What the labels say, so far.'),
  estimate: EstimatedQuality.nullish().describe('What the scores promise, before any label (CBPE).'),
  concept: ConceptReport.nullish().describe('What the detector of concept drift read; null until the labels have come.'),
  inputs: LiveInputs.nullish().describe('Refused requests, and rows unlike the training rows.'),
  updatedAt: Instant,
});

const MonitorView = z.object({
  model: z.string(),
  running: z.boolean().nullable().describe('Whether the monitor answers; null when nobody could be asked.'),
  version: z.number().int().nullable().describe('The version that is watched now.'),
  windows: z.array(WindowView).describe('Newest first.'),
  alerts: z.array(AlertSummary).describe('Incidents of the model that are not resolved, newest first.'),
});

const QUERY_MS = 1_000;

/** The monitor's own words; undefined when it does not run, null when nobody could answer. */
const askMonitor = async ({ pools, temporalCalls }: ApiContext, model: string): Promise<MonitorStatus | undefined | null> => {
  if (!(await pools.live()).has(WORKFLOWS_POOL)) return null;
  try {
    return await temporalCalls.call(
      async (client) => {
        const handle = client.workflow.getHandle(monitorWorkflowId(model));
        const { status } = await handle.describe();
        return status.name === 'RUNNING' ? await handle.query(monitorStatusQuery) : undefined;
      },
      { boundMs: QUERY_MS, impatient: true, ofWorkflow: true },
    );
  } catch (error) {
    return error instanceof Error && error.name === 'WorkflowNotFoundError' ? undefined : null;
  }
};

const windowsOf = async ({ database }: ApiContext, model: string, limit: number): Promise<z.infer<typeof WindowView>[]> => {
  const query = database.selectFrom('monitor_windows').select(['report', 'concept', 'decision', 'updated_at']).where('model', '=', model);
  const rows = await query.orderBy('to_at', 'desc').orderBy('window_number', 'desc').limit(limit).execute();
  return rows.map((row) => ({ ...(row.report as MonitorWindow), concept: conceptOf(row), decision: row.decision, updatedAt: iso(row.updated_at) }));
};

export const registerMonitorRoutes = (app: App, context: ApiContext): void => {
  app.route({
    method: 'GET',
    url: '/api/v1/models/:model/monitor',
    config: { policy: 'read' },
    schema: {
      tags: ['monitoring'],
      summary: 'Drift and quality of a deployed model, window by window',
      params: ModelParams,
      querystring: z.strictObject({ limit: Limit }),
      response: { 200: MonitorView, ...problems(404) },
    },
    handler: async (request) => {
      const { model } = request.params;
      await requireModel(context, model);
      const { limit } = request.query;
      const open = listAlerts(context, { state: 'unresolved', model, limit });
      const [status, windows, { alerts }] = await Promise.all([askMonitor(context, model), windowsOf(context, model, limit), open]);
      return { model, running: status === null ? null : status !== undefined, version: status?.version ?? windows[0]?.version ?? null, windows, alerts };
    },
  });
};
