/** Windows and their columns as a report shows them. Reports outlive the code that wrote them: what a window does not say is null. Pure. */
import type { ColumnHistogram, ReportColumn, ReportWindow } from '../../contracts/monitor-report.ts';
import type { MonitorSpec } from '../../contracts/monitor.ts';

export type WindowRow = { version: number; window_number: number; report: unknown; decision: string | null };

type Fields = Record<string, unknown>;

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
const numberOf = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);
const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

export const windowOf = ({ version, window_number: window, report: value, decision }: WindowRow): ReportWindow => {
  const report = fieldsOf(value);
  return {
    window,
    version,
    from: textOf(report['from']) ?? '',
    to: textOf(report['to']) ?? '',
    rows: numberOf(report['rows']) ?? 0,
    labelled: numberOf(report['labelled']) ?? 0,
    driftScore: numberOf(report['driftScore']) ?? 0,
    drifted: report['drifted'] === true,
    quality: numberOf(report['quality']),
    estimatedQuality: numberOf(report['estimatedQuality']),
    judgedQuality: numberOf(report['judgedQuality']),
    qualityDropped: report['qualityDropped'] === true,
    decision,
  };
};

/** Tests whose score is a p value: the lower, the more drifted. The others are distances. */
const isPValue = (method: string): boolean => /^(ks|chi|z|fisher|anderson|t_?test|mann|g_?test|cramer|es|epps)/i.test(method) || method.toLowerCase().includes('p value');

/** How far beyond its threshold a score is: 1 is at it, more is drift. Without a threshold the score itself, or for p values its inverse. */
const excessOf = ({ method, score, threshold }: ReportColumn): number => {
  if (score === null) return 0;
  const limit = threshold === null || threshold === 0 ? 1 : threshold;
  return isPValue(method) ? limit / Math.max(score, 1e-12) : score / limit;
};

const byTelling = (first: ReportColumn, second: ReportColumn): number => Number(second.drifted) - Number(first.drifted) || excessOf(second) - excessOf(first) || first.column.localeCompare(second.column);

/** Columns of a window, drifted ones first. */
export const columnsOf = (row: WindowRow, { histograms, spec }: { histograms: ReadonlyMap<string, ColumnHistogram>; spec: MonitorSpec | undefined }): ReportColumn[] => {
  const columns = fieldsOf(row.report)['columns'];
  if (!Array.isArray(columns)) return [];
  return columns
    .map((value): ReportColumn => {
      const column = fieldsOf(value);
      const name = textOf(column['column']) ?? '';
      return {
        column: name,
        method: textOf(column['method']) ?? 'unknown',
        score: numberOf(column['score']),
        threshold: numberOf(column['threshold']) ?? numberOf(spec?.drift.columnThreshold),
        drifted: column['drifted'] === true,
        histogram: histograms.get(name) ?? null,
      };
    })
    .sort(byTelling);
};
