/** Windows over time: quality with its limits and the coverage of labels, the drift score, and the lanes of decisions, one above the other on one axis. */
import type { MonitorReport, ReportDecision, ReportWindow } from '../../contracts/monitor-report.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { moment, percent, significant } from './numbers.ts';

const WIDTH = 1_040;
const LEFT = 74;
const RIGHT = 96;
const PLOT_WIDTH = WIDTH - LEFT - RIGHT;

/** Maps instants to the axis. One instant alone stands in the middle, what is no time at the left end. */
type Axis = { x: (iso: string) => number; from: number; to: number };

export const axisOf = ({ windows, decisions }: Pick<MonitorReport, 'windows' | 'decisions'>): Axis => {
  const times = [...windows.flatMap(({ from, to }) => [from, to]), ...decisions.map(({ at }) => at)].map((iso) => Date.parse(iso)).filter((time) => !Number.isNaN(time));
  const [from, to] = times.length === 0 ? [0, 1] : [Math.min(...times), Math.max(...times)];
  const shareOf = (time: number): number => (Number.isNaN(time) ? 0 : to === from ? 0.5 : Math.min(1, Math.max(0, (time - from) / (to - from))));
  return { from, to, x: (iso) => LEFT + PLOT_WIDTH * shareOf(Date.parse(iso)) };
};

const MINUTE = 60_000;
const DAY = 86_400_000;

const tickLabel = (time: number, span: number): string => {
  const text = new Date(time).toISOString();
  if (span > 3 * DAY) return text.slice(0, 10);
  return span > 10 * MINUTE ? text.slice(5, 16).replace('T', ' ') : text.slice(11, 19);
};

const TICKS = 6;

const timeTicks = ({ from, to }: Axis, y: number): Markup[] =>
  to === from
    ? []
    : Array.from({ length: TICKS }, (_, index) => {
        const time = from + ((to - from) * index) / (TICKS - 1);
        const x = LEFT + (PLOT_WIDTH * index) / (TICKS - 1);
        return markup`<text class="axis" x="${x.toFixed(1)}" y="${y}" text-anchor="${index === 0 ? 'start' : index === TICKS - 1 ? 'end' : 'middle'}">${tickLabel(time, to - from)}</text>`;
      });

const middleOf = (axis: Axis, window: ReportWindow): number => (axis.x(window.from) + axis.x(window.to)) / 2;

const line = (points: readonly { x: number; y: number }[], style: string): Markup =>
  points.length < 2 ? nothing : markup`<polyline class="${style}" points="${points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}"/>`;

/** A line of its own for each stretch of one version. */
const byVersion = <Point extends { x: number; y: number; window: ReportWindow }>(points: readonly Point[]): Point[][] =>
  points.reduce<Point[][]>((stretches, point) => {
    const last = stretches.at(-1);
    if (last?.at(-1)?.window.version === point.window.version) last.push(point);
    else stretches.push([point]);
    return stretches;
  }, []);

const limitLine = (y: number, style: string, label: string): Markup =>
  markup`<line class="${style}" x1="${LEFT}" x2="${LEFT + PLOT_WIDTH}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/><text class="limit-label ${style}" x="${LEFT + PLOT_WIDTH + 6}" y="${(y + 4).toFixed(1)}">${label}</text>`;

/** Where the watched version changes, so that what follows is not read as one series. */
const versionMarks = (axis: Axis, windows: readonly ReportWindow[], { top, height }: { top: number; height: number }): Markup[] =>
  windows.flatMap((window, index) => {
    const before = windows[index - 1];
    if (before === undefined || before.version === window.version) return [];
    const x = ((axis.x(before.to) + axis.x(window.from)) / 2).toFixed(1);
    return [markup`<line class="version" x1="${x}" x2="${x}" y1="${top - 6}" y2="${top + height}"/><text class="axis" x="${x}" dx="4" y="${top}">version ${window.version}</text>`];
  });

const QUALITY = { top: 14, height: 150 };
const COVERAGE = { top: 182, height: 34 };

/** The values that the quality chart must show, with some room. */
const rangeOf = (values: readonly number[]): { low: number; high: number } => {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = Math.max((high - low) * 0.15, 0.01);
  return { low: low - room, high: high + room };
};

const coverageBars = (axis: Axis, windows: readonly ReportWindow[]): Markup[] =>
  windows.map((window) => {
    const share = window.rows === 0 ? 0 : window.labelled / window.rows;
    const width = Math.max(3, Math.min(26, Math.abs(axis.x(window.to) - axis.x(window.from)) - 2));
    const height = share * COVERAGE.height;
    const x = (middleOf(axis, window) - width / 2).toFixed(1);
    return markup`<g><title>window ${window.window}: ${window.labelled} of ${window.rows} rows have a label (${percent(share)})</title><rect class="coverage-all" x="${x}" y="${COVERAGE.top}" width="${width.toFixed(1)}" height="${COVERAGE.height}"/><rect class="coverage" x="${x}" y="${(COVERAGE.top + COVERAGE.height - height).toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}"/></g>`;
  });

/** A limit that each version has of its own: level over the windows of a version, with its newest value at the end. */
const stepLine = (axis: Axis, windows: readonly ReportWindow[], { read, y, style, label }: { read: (window: ReportWindow) => number | null; y: (value: number) => number; style: string; label: string }): Markup => {
  const points = windows.flatMap((window) => {
    const value = read(window);
    return value === null ? [] : [window.from, window.to].map((at) => ({ x: axis.x(at), y: y(value), value, window }));
  });
  const last = points.at(-1);
  if (last === undefined) return nothing;
  return markup`${byVersion(points).map((stretch) => line(stretch, style))}<text class="limit-label ${style}" x="${LEFT + PLOT_WIDTH + 6}" y="${(last.y + 4).toFixed(1)}">${label} ${significant(last.value)}</text>`;
};

/** Quality of each window as far as labels came, the estimate elsewhere, what it was judged with and how far it may fall; below, the coverage of labels. */
export const qualityChart = (report: MonitorReport, axis: Axis): Markup => {
  const { windows, maximumDrop, metric, lowerIsBetter, dropIsShare } = report;
  const judgedOf = (window: ReportWindow): number | null => window.judgedQuality;
  const limitOf = ({ judgedQuality }: ReportWindow): number | null => {
    if (judgedQuality === null || maximumDrop === null) return null;
    const drop = maximumDrop * (dropIsShare ? judgedQuality : 1);
    return judgedQuality + (lowerIsBetter ? drop : -drop);
  };
  const values = windows.flatMap((window) => [window.quality, window.estimatedQuality, window.estimatedRange?.low ?? null, window.estimatedRange?.high ?? null, judgedOf(window), limitOf(window)]).filter((value) => value !== null);
  if (values.length === 0) return markup`<p class="empty">No window has a quality yet: it comes with the labels.</p>`;
  const { low, high } = rangeOf(values);
  const y = (value: number): number => QUALITY.top + QUALITY.height * (1 - (value - low) / (high - low));
  const pointsOf = (read: (window: ReportWindow) => number | null) => windows.flatMap((window) => {
    const value = read(window);
    return value === null ? [] : [{ x: middleOf(axis, window), y: y(value), window, value }];
  });
  const [known, estimated] = [pointsOf((window) => window.quality), pointsOf((window) => window.estimatedQuality)];
  const dots = known.map((point) => markup`<circle class="${point.window.qualityDropped ? 'bad' : 'point'}" cx="${point.x.toFixed(1)}" cy="${point.y.toFixed(1)}" r="4"><title>window ${point.window.window} (version ${point.window.version}): ${metric} ${significant(point.value, 4)}, ${point.window.labelled} labels</title></circle>`);
  const concept = windows.filter((window) => window.conceptDrift === true).map((window) => {
    const x = middleOf(axis, window);
    return markup`<path class="bad" d="M${(x - 6).toFixed(1)} ${QUALITY.top - 9}h12l-6 9z"><title>window ${window.window}: concept drift, the errors rose</title></path>`;
  });
  const ranges = windows.flatMap((window) => {
    if (window.estimatedRange === null) return [];
    const x = middleOf(axis, window).toFixed(1);
    return [markup`<line class="range" x1="${x}" x2="${x}" y1="${y(window.estimatedRange.high).toFixed(1)}" y2="${y(window.estimatedRange.low).toFixed(1)}"/>`];
  });
  const rings = estimated.map((point) => markup`<circle class="estimate-point" cx="${point.x.toFixed(1)}" cy="${point.y.toFixed(1)}" r="3"><title>window ${point.window.window}: estimated ${metric} ${significant(point.value, 4)}</title></circle>`);
  const scale = [low, (low + high) / 2, high].map((value) => markup`<text class="axis" x="${LEFT - 8}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${significant(value)}</text><line class="grid" x1="${LEFT}" x2="${LEFT + PLOT_WIDTH}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/>`);
  return markup`<svg class="wide" viewBox="0 0 ${WIDTH} 244" role="img" aria-label="Quality over time">${scale}
${stepLine(axis, windows, { read: judgedOf, y, style: 'judged', label: 'judged' })}${stepLine(axis, windows, { read: limitOf, y, style: 'limit', label: 'limit' })}${versionMarks(axis, windows, QUALITY)}
${byVersion(estimated).map((points) => line(points, 'estimate'))}${byVersion(known).map((points) => line(points, 'series'))}${ranges}${rings}${dots}${concept}
<text class="axis" x="${LEFT - 8}" y="${COVERAGE.top + COVERAGE.height / 2 + 4}" text-anchor="end">labels</text>${coverageBars(axis, windows)}${timeTicks(axis, 238)}</svg>`;
};

const DRIFT = { top: 12, height: 74 };

export const driftChart = ({ windows, shareThreshold }: MonitorReport, axis: Axis): Markup => {
  const top = Math.max(...windows.map((window) => window.driftScore), (shareThreshold ?? 0) * 1.3, 0.05);
  const y = (score: number): number => DRIFT.top + DRIFT.height * (1 - score / top);
  const bars = windows.map((window) => {
    const width = Math.max(3, Math.min(26, Math.abs(axis.x(window.to) - axis.x(window.from)) - 2));
    return markup`<rect class="${window.drifted ? 'drifted' : 'calm'}" x="${(middleOf(axis, window) - width / 2).toFixed(1)}" y="${y(window.driftScore).toFixed(1)}" width="${width.toFixed(1)}" height="${Math.max(1, DRIFT.top + DRIFT.height - y(window.driftScore)).toFixed(1)}" rx="1"><title>window ${window.window} (version ${window.version}), ${moment(window.from)}: ${percent(window.driftScore)} of the columns drifted</title></rect>`;
  });
  return markup`<svg class="wide" viewBox="0 0 ${WIDTH} ${DRIFT.top + DRIFT.height + 22}" role="img" aria-label="Drift score over time"><text class="axis" x="${LEFT - 8}" y="${DRIFT.top + 8}" text-anchor="end">${percent(top)}</text><text class="axis" x="${LEFT - 8}" y="${DRIFT.top + DRIFT.height}" text-anchor="end">0</text><line class="base" x1="${LEFT}" x2="${LEFT + PLOT_WIDTH}" y1="${DRIFT.top + DRIFT.height}" y2="${DRIFT.top + DRIFT.height}"/>${bars}${versionMarks(axis, windows, DRIFT)}${shareThreshold === null ? null : limitLine(y(shareThreshold), 'limit', `limit ${percent(shareThreshold)}`)}${timeTicks(axis, DRIFT.top + DRIFT.height + 18)}</svg>`;
};

const LANES: readonly ReportDecision['kind'][] = ['alert', 'trigger', 'run', 'rollout', 'promotion'];
const LANE = 24;

const dotStyle = ({ good, outcome }: ReportDecision): string => {
  if (good !== null) return good ? 'good' : 'bad';
  return outcome?.startsWith('ran ') === true ? 'point' : 'neutral';
};

/** A lane for each kind of decision on the axis of the charts above. */
export const decisionLanes = ({ decisions }: MonitorReport, axis: Axis): Markup => {
  const lanes = LANES.filter((kind) => decisions.some((decision) => decision.kind === kind));
  const rows = lanes.map((kind, index) => {
    const y = 14 + index * LANE;
    const dots = decisions.filter((decision) => decision.kind === kind).map((decision) => markup`<circle class="${dotStyle(decision)}" cx="${axis.x(decision.at).toFixed(1)}" cy="${y}" r="5"><title>${moment(decision.at)}: ${decision.title}${decision.outcome === null ? '' : `, ${decision.outcome}`}</title></circle>`);
    return markup`<text class="axis" x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${kind}</text><line class="grid" x1="${LEFT}" x2="${LEFT + PLOT_WIDTH}" y1="${y}" y2="${y}"/>${dots}`;
  });
  return markup`<svg class="wide" viewBox="0 0 ${WIDTH} ${14 + lanes.length * LANE + 12}" role="img" aria-label="Decisions over time">${rows}${timeTicks(axis, 14 + lanes.length * LANE + 6)}</svg>`;
};
