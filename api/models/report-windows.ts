/** Windows and their columns as a report shows them. Reports outlive the code that wrote them: what a window does not say is null. Pure. */
import { CalibrationPoint, type ColumnHistogram, type ReportColumn, type ReportPerformance, type ReportSlice, type ReportWindow } from '../../contracts/monitor-report.ts';
import type { MonitorSpec } from '../../contracts/monitor.ts';

/** `concept` is what a detector of concept drift said, where windows keep that apart. */
export type WindowRow = { version: number; window_number: number; report: unknown; decision: string | null; concept?: unknown };

type Fields = Record<string, unknown>;

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});
const numberOf = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);
const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const rangeOf = (estimate: Fields): ReportWindow['estimatedRange'] => {
  const [low, high] = [numberOf(estimate['low']), numberOf(estimate['high'])];
  return low === null || high === null ? null : { low, high };
};

const flagOf = (value: unknown): boolean | null => (typeof value === 'boolean' ? value : null);

/** `metric` is the one that the pipeline watches: estimates are kept of several. */
export const windowOf = ({ version, window_number: window, report: value, decision, concept }: WindowRow, metric = 'rocAuc'): ReportWindow => {
  const report = fieldsOf(value);
  const estimate = fieldsOf(fieldsOf(report['estimate'])[metric]);
  const detector = fieldsOf(fieldsOf(concept)['report'] ?? report['concept']);
  const inputs = fieldsOf(report['inputs']);
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
    estimatedQuality: numberOf(report['estimatedQuality']) ?? numberOf(estimate['value']),
    estimatedRange: rangeOf(estimate),
    conceptDrift: flagOf(detector['detected']),
    refusedShare: numberOf(inputs['refusedShare']),
    unlikeTraining: numberOf(inputs['unlikeTraining']),
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

type ColumnParts = { histograms: ReadonlyMap<string, ColumnHistogram>; spec: MonitorSpec | undefined };

const missingOf = (value: unknown): ReportColumn['missing'] => {
  const missing = fieldsOf(value);
  const [reference, current] = [numberOf(missing['reference']), numberOf(missing['current'])];
  return reference === null || current === null ? null : { reference, current, drifted: missing['drifted'] === true };
};

const columnOf = (value: unknown, { histograms, spec }: ColumnParts): ReportColumn => {
  const column = fieldsOf(value);
  const name = textOf(column['column']) ?? '';
  const categories = column['newCategories'];
  return {
    column: name,
    method: textOf(column['method']) ?? 'psi',
    score: numberOf(column['score']) ?? numberOf(column['psi']),
    threshold: numberOf(column['threshold']) ?? numberOf(spec?.drift.columnThreshold),
    drifted: column['drifted'] === true || missingOf(column['missing'])?.drifted === true,
    missing: missingOf(column['missing']),
    newCategories: Array.isArray(categories) ? categories.filter((category) => typeof category === 'string') : [],
    newShare: numberOf(column['newShare']),
    histogram: histograms.get(name) ?? null,
  };
};

/** Columns of a window, drifted ones first. */
export const columnsOf = (row: WindowRow, parts: ColumnParts): ReportColumn[] => {
  const columns = fieldsOf(row.report)['columns'];
  return Array.isArray(columns) ? columns.map((column) => columnOf(column, parts)).sort(byTelling) : [];
};

/** Drift of the model's score, in a window that tells it. */
export const predictionOf = (row: WindowRow, parts: ColumnParts): ReportColumn | null => {
  const prediction = fieldsOf(row.report)['prediction'];
  return typeof prediction === 'object' && prediction !== null ? columnOf(prediction, parts) : null;
};

const slicesOf = (value: unknown, metric: string): ReportSlice[] =>
  (Array.isArray(value) ? value : []).map((entry): ReportSlice => {
    const slice = fieldsOf(entry);
    return { column: textOf(slice['column']) ?? '', value: textOf(slice['value']), rows: numberOf(slice['rows']) ?? 0, quality: numberOf(fieldsOf(slice['metrics'])[metric]) };
  });

const calibrationOf = (value: unknown): CalibrationPoint[] =>
  (Array.isArray(value) ? value : []).flatMap((entry) => {
    const point = CalibrationPoint.safeParse(entry);
    return point.success ? [point.data] : [];
  });

/** What the labels of the newest window with a quality say in full. `rows` are oldest first. */
export const performanceOf = (rows: readonly WindowRow[], metric: string): ReportPerformance | null => {
  const row = rows.findLast(({ report }) => numberOf(fieldsOf(report)['quality']) !== null && 'metrics' in fieldsOf(fieldsOf(report)['performance']));
  if (row === undefined) return null;
  const performance = fieldsOf(fieldsOf(row.report)['performance']);
  const { window, version, labelled, quality } = windowOf(row, metric);
  const metrics = Object.fromEntries(Object.entries(fieldsOf(performance['metrics'])).map(([name, value]) => [name, numberOf(value)]));
  return { window, version, labelled, quality, metrics, calibration: calibrationOf(performance['calibration']), slices: slicesOf(performance['slices'], metric) };
};
