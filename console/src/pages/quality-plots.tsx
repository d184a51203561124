/** Quality over the windows with what it was judged at and how many rows have labels, and the share of drifted columns. */
import { Chart } from '../charts/chart.tsx';
import type { Palette } from '../charts/palette.ts';
import type { MonitorReport } from '../api/types.ts';
import { measured, percent, words } from '../ui/format.ts';

type Window = MonitorReport['windows'][number];

const nameOf = ({ version, window }: Window): string => `${version}.${window}`;

const categories = (windows: Window[], palette: Palette) => ({
  type: 'category',
  name: 'version.window',
  nameLocation: 'middle',
  nameGap: 26,
  data: windows.map(nameOf),
  axisLabel: { color: palette.muted },
  axisLine: { lineStyle: { color: palette.grid } },
  nameTextStyle: { color: palette.muted },
});

const coverageOf = ({ labelled, rows }: Window): number => (rows === 0 ? 0 : labelled / rows);

export const QualityOverTime = ({ report: { windows, metric } }: { report: MonitorReport }) => (
  <Chart
    title={`${words(metric)} by window, with label coverage`}
    height={280}
    table={{
      columns: ['window', 'closed', `${metric} by labels`, 'estimated', 'estimated low', 'estimated high', 'judged', 'rows', 'labelled'],
      rows: windows.map((one) => [nameOf(one), one.to, one.quality, one.estimatedQuality, one.estimatedRange?.low ?? null, one.estimatedRange?.high ?? null, one.judgedQuality, one.rows, one.labelled]),
    }}
    option={(palette) => ({
      legend: { top: 0, textStyle: { color: palette.ink } },
      grid: { left: 56, right: 56, top: 36, bottom: 46 },
      xAxis: categories(windows, palette),
      yAxis: [
        { type: 'value', scale: true, axisLabel: { color: palette.muted, formatter: (value: number) => measured(value) }, splitLine: { lineStyle: { color: palette.grid } } },
        { type: 'value', min: 0, max: 1, axisLabel: { color: palette.muted, formatter: (value: number) => percent(value) }, splitLine: { show: false } },
      ],
      series: [
        { name: 'rows with labels', type: 'bar', yAxisIndex: 1, barMaxWidth: 26, itemStyle: { color: palette.grid }, data: windows.map(coverageOf) },
        { name: 'by labels', type: 'line', symbol: 'circle', symbolSize: 7, lineStyle: { width: 2.5 }, itemStyle: { color: palette.series[0] }, data: windows.map(({ quality }) => quality) },
        { name: 'estimated', type: 'line', symbol: 'circle', symbolSize: 5, lineStyle: { type: 'dotted' }, itemStyle: { color: palette.series[1] }, data: windows.map(({ estimatedQuality }) => estimatedQuality) },
        { name: 'when it was judged', type: 'line', symbol: 'none', lineStyle: { type: 'dashed' }, itemStyle: { color: palette.series[2] }, data: windows.map(({ judgedQuality }) => judgedQuality) },
      ],
    })}
  />
);

export const WindowShares = ({ report: { windows, shareThreshold } }: { report: MonitorReport }) => (
  <Chart
    title="Share of drifted columns by window"
    height={200}
    table={{ columns: ['window', 'closed', 'share of drifted columns', 'drifted'], rows: windows.map((one) => [nameOf(one), one.to, one.driftScore, one.drifted ? 'yes' : 'no']) }}
    option={(palette) => ({
      grid: { left: 56, right: 56, top: 20, bottom: 46 },
      xAxis: categories(windows, palette),
      yAxis: { type: 'value', min: 0, axisLabel: { color: palette.muted, formatter: (value: number) => percent(value) }, splitLine: { lineStyle: { color: palette.grid } } },
      series: [
        {
          name: 'drifted columns',
          type: 'bar',
          barMaxWidth: 26,
          data: windows.map(({ driftScore, drifted }) => ({ value: driftScore, itemStyle: { color: drifted ? palette.bad : palette.series[0] } })),
          ...(shareThreshold === null ? {} : { markLine: { symbol: 'none', silent: true, lineStyle: { color: palette.bad, type: 'dashed' }, label: { color: palette.ink, formatter: 'limit' }, data: [{ yAxis: shareThreshold }] } }),
        },
      ],
    })}
  />
);
