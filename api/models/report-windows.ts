/** Windows and their columns as a report shows them. Pure. */
import type { ConceptReport } from '../../contracts/concept-drift.ts';
import type { ColumnDrift, MonitorWindow } from '../../contracts/monitor.ts';
import type { ColumnHistogram, ReportColumn, ReportPerformance, ReportWindow } from '../../contracts/monitor-report.ts';
import type { EstimatedMetric, QualityMetric } from '../../contracts/quality.ts';
import { severityOf } from '../../domain/drift/methods.ts';

/** A row of monitor_windows. */
export type WindowRow = { version: number; window_number: number; report: unknown; decision: string | null; concept: unknown };

const reportOf = (row: WindowRow): MonitorWindow => row.report as MonitorWindow;

/** What a detector read lies beside the report. */
export const conceptOf = ({ concept }: Pick<WindowRow, 'concept'>): ConceptReport | null => (concept as { report: ConceptReport } | null)?.report ?? null;

/** What quality was watched by in a window; windows of before this was kept have no other. */
export const metricOf = (row: WindowRow | undefined): QualityMetric => (row?.report as MonitorWindow | undefined)?.metric ?? 'rocAuc';

/** `metric` is the one that is watched: estimates are kept of several. */
export const windowOf = (row: WindowRow, metric: QualityMetric): ReportWindow => {
  const report = reportOf(row);
  const estimate = report.estimate?.[metric as EstimatedMetric] ?? null;
  return {
    window: row.window_number,
    version: row.version,
    from: report.from,
    to: report.to,
    rows: report.rows,
    labelled: report.labelled,
    driftScore: report.driftScore,
    drifted: report.drifted,
    quality: report.quality,
    estimatedQuality: report.estimatedQuality ?? null,
    estimatedRange: estimate === null ? null : { low: estimate.low, high: estimate.high },
    conceptDrift: conceptOf(row)?.detected ?? null,
    refusedShare: report.inputs?.refusedShare ?? null,
    unlikeTraining: report.inputs?.unlikeTraining ?? null,
    judgedQuality: report.judgedQuality,
    qualityDropped: report.qualityDropped,
    decision: row.decision,
  };
};

type Histograms = ReadonlyMap<string, ColumnHistogram>;

/** A column also counts as drifted for its missing values. */
const hasDrifted = ({ drifted, missing }: ColumnDrift): boolean => drifted || missing.drifted;

const columnOf = (column: ColumnDrift, histograms: Histograms): ReportColumn => ({
  column: column.column,
  method: column.method,
  score: column.score,
  threshold: column.threshold,
  drifted: hasDrifted(column),
  missing: column.missing,
  newCategories: column.newCategories,
  newShare: column.newShare,
  histogram: histograms.get(column.column) ?? null,
});

const byTelling = (first: ColumnDrift, second: ColumnDrift): number =>
  Number(hasDrifted(second)) - Number(hasDrifted(first)) || severityOf(second) - severityOf(first) || first.column.localeCompare(second.column);

/** Columns of a window, drifted ones first. */
export const columnsOf = (row: WindowRow, histograms: Histograms = new Map()): ReportColumn[] => [...reportOf(row).columns].sort(byTelling).map((column) => columnOf(column, histograms));

/** Drift of the model's score; null when nothing is known of the reference's. */
export const predictionOf = (row: WindowRow, histograms: Histograms): ReportColumn | null => {
  const { prediction } = reportOf(row);
  return prediction === null ? null : columnOf(prediction, histograms);
};

/** What the labels of the newest window with a quality say in full. `rows` are oldest first. */
export const performanceOf = (rows: readonly WindowRow[], metric: QualityMetric): ReportPerformance | null => {
  const row = rows.findLast((candidate) => reportOf(candidate).quality !== null);
  const performance = row === undefined ? undefined : reportOf(row).performance;
  if (row === undefined || performance === null || performance === undefined) return null;
  const { window, version, labelled, quality } = windowOf(row, metric);
  const slices = performance.slices.map(({ column, value, rows: count, metrics }) => ({ column, value, rows: count, quality: metrics[metric] ?? null }));
  return { window, version, labelled, quality, metrics: performance.metrics, calibration: performance.calibration, slices };
};
