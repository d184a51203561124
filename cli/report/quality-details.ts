/** What the labels say beyond one number: all metrics, the reliability curve, and quality by slice. */
import type { MonitorReport, ReportPerformance, ReportSlice } from '../../contracts/monitor-report.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { grouped, percent, significant } from './numbers.ts';

const SIZE = 260;
const PLOT = 220;
const EDGE = 30;

/** Mean score against the share of positives in each bin of the score: on the diagonal, scores are probabilities. The larger the dot, the more rows. */
const reliabilityCurve = ({ calibration, labelled }: ReportPerformance): Markup => {
  if (calibration.length === 0) return nothing;
  const points = calibration.flatMap(({ rows, meanScore, positiveShare }) => (meanScore === null || positiveShare === null ? [] : [{ rows, meanScore, positiveShare }]));
  if (points.length === 0) return nothing;
  const [x, y] = [(value: number): number => EDGE + value * PLOT, (value: number): number => SIZE - EDGE - value * PLOT];
  const line = points.map(({ meanScore, positiveShare }) => `${x(meanScore).toFixed(1)},${y(positiveShare).toFixed(1)}`).join(' ');
  const dots = points.map(({ rows, meanScore, positiveShare }) => {
    const radius = 2.5 + 6 * Math.sqrt(rows / Math.max(1, labelled));
    return markup`<circle class="point" cx="${x(meanScore).toFixed(1)}" cy="${y(positiveShare).toFixed(1)}" r="${radius.toFixed(1)}"><title>mean score ${significant(meanScore)}, positive ${percent(positiveShare)}, ${grouped(rows)} rows</title></circle>`;
  });
  const ticks = [0, 0.5, 1].map((value) => markup`<text class="axis" x="${x(value)}" y="${SIZE - EDGE + 14}" text-anchor="middle">${value}</text><text class="axis" x="${EDGE - 6}" y="${y(value) + 4}" text-anchor="end">${value}</text>`);
  return markup`<figure><svg viewBox="0 0 ${SIZE} ${SIZE}" role="img" aria-label="Reliability curve"><rect class="frame" x="${EDGE}" y="${y(1)}" width="${PLOT}" height="${PLOT}"/><line class="judged" x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}"/><polyline class="series thin" points="${line}"/>${dots}${ticks}</svg><figcaption>Share of positives by mean score; on the dashed line scores are probabilities.</figcaption></figure>`;
};

const MOST_SLICES = 30;

/** How much worse than the whole window a slice is; negative where it is better. */
const shortfall = ({ quality }: ReportSlice, whole: number | null, lowerIsBetter: boolean): number | null => {
  if (quality === null || whole === null) return null;
  return lowerIsBetter ? quality - whole : whole - quality;
};

const sliceTable = (performance: ReportPerformance, { metric, lowerIsBetter, maximumDrop, dropIsShare }: MonitorReport): Markup => {
  const mostWorse = maximumDrop === null ? Infinity : maximumDrop * (dropIsShare ? (performance.quality ?? Infinity) : 1);
  const rows = performance.slices
    .map((slice) => ({ slice, worse: shortfall(slice, performance.quality, lowerIsBetter) }))
    .sort((first, second) => (second.worse ?? -Infinity) - (first.worse ?? -Infinity))
    .slice(0, MOST_SLICES);
  if (rows.length === 0) return nothing;
  const body = rows.map(({ slice, worse }) => {
    const isBad = worse !== null && worse > mostWorse;
    const against = worse === null ? '–' : `${worse > 0 === lowerIsBetter ? '+' : '−'}${significant(Math.abs(worse))}`;
    return markup`<tr><td>${slice.column} = ${slice.value ?? 'missing'}</td><td class="n">${grouped(slice.rows)}</td><td class="n ${isBad ? 'bad-text' : ''}">${significant(slice.quality)}</td><td class="n ${isBad ? 'bad-text' : ''}">${against}</td></tr>`;
  });
  return markup`<div><table><thead><tr><th>Slice, the worst first</th><th>Labelled rows</th><th>${metric}</th><th>against the window</th></tr></thead><tbody>${body}</tbody></table></div>`;
};

const metricChips = ({ metrics }: ReportPerformance): Markup => {
  const chips = Object.entries(metrics).map(([name, value]) => markup`<span class="chip">${name} <b>${significant(value)}</b></span>`);
  return chips.length === 0 ? nothing : markup`<p class="chips">${chips}</p>`;
};

/** Nothing for a report whose windows tell only one number. */
export const performanceSection = (report: MonitorReport): Markup => {
  const { performance } = report;
  if (performance === null) return nothing;
  return markup`<section><h2>What the labels say</h2><p class="note">Window ${performance.window} of version ${performance.version}: ${grouped(performance.labelled)} labelled rows.</p>${metricChips(performance)}<div class="split">${reliabilityCurve(performance)}${sliceTable(performance, report)}</div></section>`;
};
