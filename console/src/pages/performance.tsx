/** What the labels say of one window: all metrics, calibration, and the quality of each part of the rows. */
import { Chart } from '../charts/chart.tsx';
import type { MonitorReport } from '../api/types.ts';
import { count, measured, words } from '../ui/format.ts';
import { Facts, Panel, Scroll } from '../ui/page.tsx';

type Details = NonNullable<MonitorReport['performance']>;

const Calibration = ({ bins }: { bins: Details['calibration'] }) => {
  const known = bins.filter(({ meanScore, positiveShare }) => meanScore !== null && positiveShare !== null);
  return (
    <Chart
      title="Calibration"
      height={240}
      table={{ columns: ['from', 'to', 'rows', 'mean score', 'share of positives'], rows: bins.map(({ from, to, rows, meanScore, positiveShare }) => [from, to, rows, meanScore, positiveShare]) }}
      option={(palette) => ({
        xAxis: { type: 'value', min: 0, max: 1, name: 'score', axisLabel: { color: palette.muted }, splitLine: { lineStyle: { color: palette.grid } }, nameTextStyle: { color: palette.muted } },
        yAxis: { type: 'value', min: 0, max: 1, name: 'share of positives', axisLabel: { color: palette.muted }, splitLine: { lineStyle: { color: palette.grid } }, nameTextStyle: { color: palette.muted, align: 'left' } },
        series: [
          { name: 'perfect', type: 'line', symbol: 'none', lineStyle: { type: 'dashed' }, itemStyle: { color: palette.muted }, data: [[0, 0], [1, 1]] },
          { name: 'this window', type: 'line', symbol: 'circle', symbolSize: 7, itemStyle: { color: palette.series[0] }, data: known.map(({ meanScore, positiveShare }) => [meanScore, positiveShare]) },
        ],
      })}
    />
  );
};

const Slices = ({ slices, metric }: { slices: Details['slices']; metric: string }) => (
  <Scroll label="Parts of the rows">
    <table>
      <thead>
        <tr>
          <th scope="col">Rows with</th>
          <th scope="col" class="number">Rows</th>
          <th scope="col" class="number">{words(metric)}</th>
        </tr>
      </thead>
      <tbody>
        {slices.map(({ column, value, rows, quality }) => (
          <tr key={`${column}=${value}`}>
            <th scope="row">
              {column} {value === null ? 'missing' : `= ${value}`}
            </th>
            <td class="number">{count(rows)}</td>
            <td class="number">{measured(quality)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);

export const Performance = ({ report, performance }: { report: MonitorReport; performance: Details }) => (
  <>
    <Panel title="By its labels" note={`version ${performance.version}, window ${performance.window}, ${count(performance.labelled)} labels`}>
      <Facts facts={Object.entries(performance.metrics).map(([name, value]) => [words(name), <span class="number">{measured(value as number | null)}</span>])} />
    </Panel>
    {performance.calibration.length === 0 ? null : (
      <Panel title="Are its scores probabilities?">
        <Calibration bins={performance.calibration} />
      </Panel>
    )}
    {performance.slices.length === 0 ? null : (
      <Panel title="Quality by part" note="the largest parts first">
        <Slices slices={performance.slices} metric={report.metric} />
      </Panel>
    )}
  </>
);
