/** The drift report and the watch: what is shown, in which order, and that nobody's text becomes code. */
import { describe, expect, it } from 'vitest';
import { driftPage } from '../../../cli/report/drift-page.ts';
import { escape, markup } from '../../../cli/report/markup.ts';
import { driftScale, methodName, moment, percent, significant } from '../../../cli/report/numbers.ts';
import { createOutput } from '../../../cli/output.ts';
import { scoreBar, screenOf } from '../../../cli/watch-monitor.ts';
import type { MonitorReport, ReportColumn, ReportPerformance, ReportWindow } from '../../../contracts/monitor-report.ts';

const EVIL = '<img src=x onerror="alert(1)">\u202e\u0000&\'';

const window = (number: number, changes: Partial<ReportWindow> = {}): ReportWindow => ({
  window: number, version: 1, from: `2013-06-0${number + 1}T00:00:00.000Z`, to: `2013-06-0${number + 2}T00:00:00.000Z`, rows: 1_000, labelled: 500, driftScore: 0.5, drifted: true,
  quality: 0.7, estimatedQuality: null, estimatedRange: null, conceptDrift: null, refusedShare: null, unlikeTraining: null, judgedQuality: 0.76, qualityDropped: true, decision: null, ...changes,
});
const column = (name: string, changes: Partial<ReportColumn> = {}): ReportColumn => ({
  column: name, method: 'psi', score: 0.5, threshold: 0.2, drifted: true, missing: null, newCategories: [], newShare: null,
  histogram: { column: name, type: 'numeric', bins: [{ label: '≤ 1', reference: 10, current: 0 }, { label: '> 1', reference: 10, current: 40 }] }, ...changes,
});
const report = (changes: Partial<MonitorReport> = {}): MonitorReport => ({
  model: 'flight-delays', pipeline: 'flight-delays', version: 1, generatedAt: '2013-06-10T00:00:00.000Z', metric: 'rocAuc', lowerIsBetter: false, prediction: null, performance: null, shareThreshold: 0.3, maximumDrop: 0.05, dropIsShare: false,
  window: window(2), columns: [column('dew_point'), column('hour', { drifted: false, score: 0.01 })], windows: [window(0), window(1), window(2)],
  decisions: [{ at: '2013-06-02T10:00:00.000Z', kind: 'trigger', title: 'quality trigger', detail: 'rocAuc 0.7', outcome: 'ran flight-delays.1', good: null }], ...changes,
});

describe('the page', () => {
  it('is one file that loads nothing and runs nothing', () => {
    const page = driftPage(report());
    expect(page).not.toMatch(/<script|<link|<iframe|<img|@import|url\(|src=|href=|javascript:/i);
    expect(page).toContain("default-src 'none'");
    expect(page.match(/<svg/g)?.length).toBeGreaterThanOrEqual(4);
  });

  it('shows drifted columns before the others, quality, labels and decisions', () => {
    const page = driftPage(report());
    const order = ['Drift detected', '1 of 2', 'The farthest from their thresholds first', 'dew_point', 'Other columns', 'hour', 'Quality over time', 'limit 0.71', 'Drift over time', 'limit 30 %', 'Decisions', 'ran flight-delays.1'];
    const places = order.map((text) => page.indexOf(text, page.indexOf('<body>')));
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual([...places].sort((first, second) => first - second));
  });

  it('escapes every text that comes from elsewhere', () => {
    const evil = report({
      model: EVIL, pipeline: EVIL, metric: EVIL as 'rocAuc', columns: [column(EVIL, { method: EVIL, histogram: { column: EVIL, type: 'categorical', bins: [{ label: EVIL, reference: 1, current: 2 }] } }), column(EVIL, { drifted: false, histogram: null })],
      windows: [window(0, { from: EVIL, to: EVIL, decision: EVIL })], decisions: [{ at: EVIL, kind: 'alert', title: EVIL, detail: EVIL, outcome: EVIL, good: false }],
    });
    const page = driftPage(evil);
    expect(page).not.toContain('<img');
    expect(page).not.toMatch(/[\u0000\u202e]/);
    expect(page).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;');
    expect(page).not.toContain('NaN');
  });

  it.each([
    ['no window', { window: null, version: null, columns: [], windows: [], decisions: [] }, 'The monitor has closed no window yet.'],
    ['no labels', { windows: [window(0, { quality: null, judgedQuality: null, labelled: 0 })], maximumDrop: null }, 'it comes with the labels'],
    ['no thresholds, no scores, no rows', { shareThreshold: null, columns: [column('x', { score: null, threshold: null, histogram: null })], windows: [window(0, { rows: 0, labelled: 0 })] }, 'No histogram is kept'],
    ['no drift', { window: window(0, { drifted: false, qualityDropped: false }), columns: [], decisions: [] }, 'No drift'],
  ])('with %s is a page all the same', (_name, changes, text) => {
    const page = driftPage(report(changes as Partial<MonitorReport>));
    expect(page).toContain(text);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('shows what the labels say in full, slices with the worst first, and what only some windows tell', () => {
    const performance = {
      window: 1, version: 1, labelled: 900, quality: 0.7, metrics: { rocAuc: 0.7, precision: null, [EVIL]: 0.5 } as unknown as ReportPerformance['metrics'],
      calibration: [{ from: 0, to: 0.5, rows: 600, meanScore: 0.2, positiveShare: 0.25 }, { from: 0.5, to: 1, rows: 0, meanScore: null, positiveShare: null }],
      slices: [{ column: 'origin', value: 'JFK', rows: 400, quality: 0.72 }, { column: 'origin', value: EVIL, rows: 300, quality: 0.6 }, { column: 'origin', value: null, rows: 100, quality: null }],
    };
    const page = driftPage(report({
      performance, prediction: column('score', { drifted: false, score: 0.04 }), window: window(2, { refusedShare: 0.012, unlikeTraining: 0.4 }),
      windows: [window(0), window(1, { quality: null, estimatedQuality: 0.74, estimatedRange: { low: 0.7, high: 0.78 } }), window(2, { conceptDrift: true })],
      columns: [column('carrier', { missing: { reference: 0.1, current: 0.4, drifted: true }, newCategories: ['ZZ', EVIL], newShare: 0.03 })],
    }));
    for (const text of ['What the labels say', 'Reliability curve', 'precision <b>–</b>', 'origin = missing', 'Score of the model', 'Refused requests', 'Rows unlike the training', 'missing 10 % → <b>40 %</b>', 'new values in 3.0 % of the rows: ZZ', 'concept drift, the errors rose', 'triangles mark concept drift']) expect(page).toContain(text);
    expect(page.indexOf('onerror', page.indexOf('the worst first'))).toBeLessThan(page.indexOf('origin = JFK'));
    expect(page).toContain('<td class="n bad-text">−0.1</td>');
    expect(page).not.toMatch(/NaN|undefined|Infinity|<img/);
  });

  it('puts the limit above for a metric of which less is better', () => {
    expect(driftPage(report({ metric: 'logLoss', lowerIsBetter: true }))).toContain('limit 0.81');
  });

  it('stays small with many columns and windows', () => {
    const columns = Array.from({ length: 300 }, (_, index) => column(`c${index}`, { drifted: index < 50, histogram: index < 50 ? column('x').histogram : null }));
    const windows = Array.from({ length: 500 }, (_, index) => window(0, { window: index }));
    expect(driftPage(report({ columns, windows })).length).toBeLessThan(1_000_000);
  });
});

describe('markup', () => {
  it('escapes what is put in, and takes markup as it is', () => {
    expect(markup`<b>${'<'}</b>${[markup`<i>${1}</i>`, markup`${null}`]}`.html).toBe('<b>&lt;</b><i>1</i>');
    expect(escape('"\'')).toBe('&quot;&#39;');
  });
  it('prints numbers, shares and times for people', () => {
    expect([significant(null), significant(0.123456), significant(0.00001), significant(0)]).toEqual(['–', '0.123', '1.0e-5', '0']);
    expect([percent(0.005), percent(0.5), percent(0)]).toEqual(['0.5 %', '50 %', '0 %']);
    expect([moment('2013-06-30T14:05:09Z'), moment('soon')]).toEqual(['2013-06-30 14:05', 'soon']);
    expect([methodName('jensenShannon'), methodName('jensenshannon'), methodName('own')]).toEqual(['Jensen–Shannon', 'Jensen–Shannon', 'own']);
  });
});

describe('the watch', () => {
  const output = createOutput(false, { isTTY: false, write: () => true } as unknown as NodeJS.WriteStream);
  it('shows verdict, columns with their thresholds, windows and decisions', () => {
    const lines = screenOf(output, report());
    expect(lines[0]).toMatch(/^flight-delays version 1 {2}DRIFT {2}score 0.5 of 0.3 {2}rocAuc 0.7 \(judged 0.76\)/);
    expect(lines.find((line) => line.includes('dew_point'))).toMatch(/█{24}|█{12}┃█{11}/);
    expect(lines.filter((line) => line.includes('window ')).length).toBeGreaterThanOrEqual(4);
    expect(lines.at(-1)).toContain('quality trigger: ran flight-delays.1');
  });
  it('cannot be steered by names', () => {
    const lines = screenOf(output, report({ model: '\u001b[2Jx', columns: [column('\u001b]0;t\u0007y')], decisions: [{ at: 'x', kind: 'run', title: '\u001b[31mred', detail: null, outcome: '\u009b1m', good: null }] }));
    expect(lines.join('\n')).not.toMatch(/[\u001b\u0007\u009b]/);
  });
  it('draws p-values the other way round: less is more drift', () => {
    expect(driftScale({ method: 'ks', score: 0.05, threshold: 0.05 })).toBeCloseTo(0.05, 12);
    expect(driftScale({ method: 'z', score: 0.5, threshold: 0.05 })).toBeCloseTo(0.005, 12);
    expect(driftScale({ method: 'chisquare', score: 0, threshold: 0.05 })).toBeCloseTo(50, 9);
    expect(driftScale({ method: 'psi', score: 0.3, threshold: 0.05 })).toBe(0.3);
    expect(driftPage(report({ columns: [column('x', { method: 'ks', score: 0.001, threshold: 0.05 })] }))).toContain('Kolmogorov–Smirnov p <b>0.001</b>, drift below 0.05');
  });
  it('draws the threshold in the middle of the bar', () => {
    expect(scoreBar(0.2, 0.2)).toBe(`${'█'.repeat(12)}│${'·'.repeat(11)}`);
    expect(scoreBar(9, 0.2)).toBe(`${'█'.repeat(12)}┃${'█'.repeat(11)}`);
    expect(scoreBar(null, 0.2).trim()).toBe('');
  });
  it('says so when there is no window', () => expect(screenOf(output, report({ window: null }))).toEqual(['flight-delays: the monitor has closed no window yet']));
});
