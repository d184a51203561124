/** The drift report as one HTML page: the verdict first, then the drifted columns, quality over time, and what was decided. */
import type { MonitorReport, ReportColumn, ReportDecision, ReportWindow } from '../../contracts/monitor-report.ts';
import { histogramChart } from './histogram-chart.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { performanceSection } from './quality-details.ts';
import { driftScale, grouped, isPValue, methodName, moment, percent, significant } from './numbers.ts';
import { STYLE } from './style.ts';
import { axisOf, decisionLanes, driftChart, qualityChart } from './time-charts.ts';

const badge = ({ window }: MonitorReport): Markup => {
  if (window === null) return markup`<span class="badge none">No window yet</span>`;
  if (window.drifted) return markup`<span class="badge bad">Drift detected</span>`;
  return window.qualityDropped ? markup`<span class="badge bad">Quality dropped</span>` : markup`<span class="badge good">No drift</span>`;
};

const qualityFact = ({ windows, metric, window }: MonitorReport): Markup => {
  const known = windows.findLast((candidate) => candidate.quality !== null);
  const judged = (known ?? window)?.judgedQuality ?? null;
  const style = known?.qualityDropped === true ? 'bad-text' : '';
  const where = known === undefined ? 'no labels enough yet' : `window ${known.window}`;
  return markup`<div><dt>${metric}</dt><dd class="${style}">${significant(known?.quality ?? null)}<small>${where}; judged with ${significant(judged)}</small></dd></div>`;
};

/** Facts that only some windows tell. */
const liveFacts = ({ prediction }: MonitorReport, { refusedShare, unlikeTraining }: ReportWindow): Markup[] => [
  prediction === null ? nothing : markup`<div><dt>Score of the model</dt><dd class="${prediction.drifted ? 'bad-text' : ''}">${significant(prediction.score)}<small>${methodName(prediction.method)}, threshold ${significant(prediction.threshold)}</small></dd></div>`,
  unlikeTraining === null ? nothing : markup`<div><dt>Rows unlike the training</dt><dd>${percent(unlikeTraining)}<small>out of range, or a category that training never saw</small></dd></div>`,
  refusedShare === null ? nothing : markup`<div><dt>Refused requests</dt><dd>${percent(refusedShare)}<small>against the signature of the model</small></dd></div>`,
];

const facts = (report: MonitorReport, window: ReportWindow): Markup => {
  const drifted = report.columns.filter((column) => column.drifted).length;
  const all = report.windows.reduce((sum, { rows, labelled }) => ({ rows: sum.rows + rows, labelled: sum.labelled + labelled }), { rows: 0, labelled: 0 });
  const threshold = report.shareThreshold === null ? '' : `drift from ${percent(report.shareThreshold)} on`;
  return markup`<dl class="facts">
<div><dt>Drifted columns</dt><dd class="${window.drifted ? 'bad-text' : ''}">${drifted} of ${report.columns.length}<small>${threshold}</small></dd></div>
<div><dt>Rows in the window</dt><dd>${grouped(window.rows)}<small>${moment(window.from)} to ${moment(window.to)}</small></dd></div>
${qualityFact(report)}
<div><dt>Label coverage</dt><dd>${percent(all.rows === 0 ? 0 : all.labelled / all.rows)}<small>${grouped(all.labelled)} of ${grouped(all.rows)} rows, ${report.windows.length} ${report.windows.length === 1 ? 'window' : 'windows'}</small></dd></div>
${liveFacts(report, window)}</dl>`;
};

const scoreText = ({ method, score, threshold }: ReportColumn): Markup =>
  markup`${methodName(method)} ${isPValue(method) ? 'p ' : ''}<b>${significant(score)}</b>${threshold === null ? nothing : markup`, ${isPValue(method) ? 'drift below' : 'threshold'} ${significant(threshold)}`}`;

/** What the score alone does not say: missing values that moved, and values that are new. */
const remarks = ({ missing, newCategories, newShare }: ReportColumn): Markup => {
  const moved = missing === null || Math.abs(missing.current - missing.reference) < 0.005 ? nothing : markup`<p>missing ${percent(missing.reference)} → ${missing.drifted ? markup`<b>${percent(missing.current)}</b>` : percent(missing.current)}</p>`;
  const names = newCategories.slice(0, 5).join(', ');
  const unseen = (newShare ?? 0) === 0 ? nothing : markup`<p>new values in ${percent(newShare ?? 0)} of the rows${names === '' ? '' : `: ${names}${newCategories.length > 5 ? ', …' : ''}`}</p>`;
  return markup`${moved}${unseen}`;
};

const card = (column: ReportColumn): Markup =>
  markup`<article class="card ${column.drifted ? 'drifted' : ''}"><h3>${column.column}</h3><p>${scoreText(column)}</p>${remarks(column)}${column.histogram === null ? markup`<p>No histogram is kept of this window.</p>` : histogramChart(column.histogram)}</article>`;

const scoreBar = (column: ReportColumn): Markup => {
  const { threshold } = column;
  const score = driftScale(column);
  if (score === null || threshold === null) return nothing;
  const top = Math.max(score, threshold) * 1.25 || 1;
  return markup`<span class="bar"><i style="width:${((100 * score) / top).toFixed(1)}%"></i><u style="left:${((100 * threshold) / top).toFixed(1)}%"></u></span>`;
};

const calmTable = (columns: readonly ReportColumn[]): Markup =>
  markup`<table><thead><tr><th>Column</th><th>Method</th><th>Score</th><th>Threshold</th><th></th></tr></thead><tbody>${columns.map(
    (column) => markup`<tr><td>${column.column}</td><td>${methodName(column.method)}</td><td class="n">${significant(column.score)}</td><td class="n">${significant(column.threshold)}</td><td>${scoreBar(column)}</td></tr>`,
  )}</tbody></table>`;

const columnSections = ({ columns }: MonitorReport): Markup => {
  const [drifted, calm] = [columns.filter((column) => column.drifted), columns.filter((column) => !column.drifted)];
  const legend = (style: string): Markup => markup`<p class="legend"><span class="r">training rows</span><span class="${style}">this window</span></p>`;
  return markup`<section><h2>Drifted columns</h2>${
    drifted.length === 0 ? markup`<p class="empty">No column drifted in this window.</p>` : markup`<p class="note">The farthest from their thresholds first. Bars are shares of the rows.</p>${legend('d')}<div class="cards">${drifted.map(card)}</div>`
  }</section>${
    calm.length === 0 ? nothing : markup`<section><h2>Other columns</h2>${calmTable(calm)}<details><summary>Their histograms</summary>${legend('c')}<div class="cards">${calm.map(card)}</div></details></section>`
  }`;
};

const decisionRow = (decision: ReportDecision): Markup =>
  markup`<tr><td class="n">${moment(decision.at)}</td><td><span class="kind">${decision.kind}</span></td><td>${decision.title}${decision.detail === null ? nothing : markup`<br><span class="note">${decision.detail}</span>`}</td><td class="${decision.good === null ? '' : decision.good ? 'good-text' : 'bad-text'}">${decision.outcome}</td></tr>`;

const decisionSection = (report: MonitorReport, lanes: Markup): Markup =>
  markup`<section><h2>Decisions</h2>${
    report.decisions.length === 0
      ? markup`<p class="empty">Nothing was decided since the first of these windows.</p>`
      : markup`<p class="note">What the findings led to: triggers with what became of them, runs, rollouts, changes of champion.</p>${lanes}<table><thead><tr><th>When (UTC)</th><th>What</th><th></th><th>Outcome</th></tr></thead><tbody>${[...report.decisions].reverse().map(decisionRow)}</tbody></table>`
  }</section>`;

const timeSections = (report: MonitorReport): Markup => {
  const axis = axisOf(report);
  return markup`<section><h2>Quality over time</h2><p class="note">${report.metric} of each window as labels come${report.windows.some((window) => window.estimatedQuality !== null) ? '; hollow points are estimates without labels' : ''}${report.windows.some((window) => window.conceptDrift === true) ? '; triangles mark concept drift: the errors rose' : ''}. Below: the share of rows that have their label.</p>${qualityChart(report, axis)}</section>${performanceSection(report)}
<section><h2>Drift over time</h2><p class="note">Share of drifted columns in each window.</p>${driftChart(report, axis)}</section>${decisionSection(report, decisionLanes(report, axis))}`;
};

/** The page. It needs nothing from elsewhere and runs no script: it can be sent and kept as it is. */
export const driftPage = (report: MonitorReport): string => {
  const { model, window, version } = report;
  const subtitle = window === null ? 'The monitor has closed no window yet.' : `Version ${version ?? '–'}, window ${window.window}: ${moment(window.from)} to ${moment(window.to)} UTC`;
  const body = window === null ? markup`<p class="empty">A window closes when enough predictions of the champion are in the prediction log.</p>` : markup`${facts(report, window)}${columnSections(report)}${timeSections(report)}`;
  const page = markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>Drift report: ${model}</title><style>${{ html: STYLE }}</style></head>
<body><main><header><div><h1>${model}</h1><p class="note">${subtitle}</p></div>${badge(report)}</header>${body}
<footer>Perennial drift report of ${model}${report.pipeline === null ? '' : `, pipeline ${report.pipeline}`}, made ${moment(report.generatedAt)} UTC.</footer></main></body></html>
`;
  return page.html;
};
