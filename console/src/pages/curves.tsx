/** One metric of several runs over steps or time, live while they run, with smoothing and a logarithmic axis. All of it is in the address. */
import { useEffect, useState } from 'preact/hooks';
import { Chart } from '../charts/chart.tsx';
import { runColour } from '../charts/run-colour.ts';
import { send } from '../api/client.ts';
import { historyPath, nameOf, pointsOf, type History, type Point, type TrackedRun } from '../api/tracking.ts';
import { place, setQuery } from '../state/router.ts';
import { theme } from '../state/theme.ts';
import { smoothed } from '../ui/smoothing.ts';
import { words } from '../ui/format.ts';

/** More lines than these cannot be told apart. */
const MOST_LINES = 20;
const LIVE_MS = 3_000;
const QUIET_MS = 60_000;

type Curve = { run: TrackedRun; points: Point[] };

const readAll = (runs: TrackedRun[], metric: string): Promise<Curve[]> =>
  Promise.all(runs.map(async (run) => ({ run, points: await send<History>(historyPath(run.info.run_id, metric)).then(pointsOf, () => []) })));

const useCurves = (runs: TrackedRun[], metric: string): Curve[] => {
  const [curves, setCurves] = useState<Curve[]>([]);
  const key = `${metric}\n${runs.map(({ info }) => `${info.run_id}${info.status}`).join()}`;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const read = async (): Promise<void> => {
      const found = await readAll(runs, metric);
      if (isOver) return;
      setCurves(found);
      timer = setTimeout(() => void read(), runs.some(({ info }) => info.status === 'RUNNING') ? LIVE_MS : QUIET_MS);
    };
    void read();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [key]);
  return curves;
};

type View = { metric: string; over: 'step' | 'time'; isLog: boolean; smoothing: number };

const viewOf = (metrics: string[]): View => {
  const { query } = place.value;
  const [metric, smoothing] = [query.get('metric'), Number(query.get('smooth') ?? 0)];
  return { metric: metric !== null && metrics.includes(metric) ? metric : (metrics[0] ?? ''), over: query.get('over') === 'time' ? 'time' : 'step', isLog: query.get('log') === 'yes', smoothing: smoothing >= 0 && smoothing < 1 ? smoothing : 0 };
};

const Controls = ({ metrics, view }: { metrics: string[]; view: View }) => (
  <form class="filters" onSubmit={(event) => event.preventDefault()}>
    <label>
      Metric
      <select value={view.metric} onChange={(event) => setQuery({ metric: event.currentTarget.value })}>
        {metrics.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
    <label>
      Over
      <select value={view.over} onChange={(event) => setQuery({ over: event.currentTarget.value })}>
        <option value="step">step</option>
        <option value="time">time</option>
      </select>
    </label>
    <label>
      Smoothing
      <input type="range" min="0" max="0.99" step="0.01" value={String(view.smoothing)} onInput={(event) => setQuery({ smooth: event.currentTarget.value === '0' ? undefined : event.currentTarget.value })} />
    </label>
    <label>
      <input type="checkbox" checked={view.isLog} onChange={(event) => setQuery({ log: event.currentTarget.checked ? 'yes' : undefined })} />
      logarithmic
    </label>
  </form>
);

export const Curves = ({ runs, metrics }: { runs: TrackedRun[]; metrics: string[] }) => {
  const view = viewOf(metrics);
  const curves = useCurves(runs.slice(0, MOST_LINES), view.metric);
  const isDark = theme.value === 'dark';
  const across = ({ step, at }: Point): number => (view.over === 'step' ? step : at);
  const seriesOf = ({ run, points }: Curve) => {
    const values = smoothed(points.map(({ value }) => value), view.smoothing);
    return {
      name: nameOf(run),
      type: 'line',
      symbol: points.length === 1 ? 'circle' : 'none',
      itemStyle: { color: runColour(run.info.run_id, isDark) },
      data: points.map((point, index) => [across(point), view.isLog && (values[index] ?? 0) <= 0 ? null : (values[index] ?? null)]),
    };
  };
  return (
    <>
      <Controls metrics={metrics} view={view} />
      <Chart
        title={words(view.metric)}
        height={320}
        table={{ columns: ['run', 'step', 'at', 'value'], rows: curves.flatMap(({ run, points }) => points.map(({ step, at, value }) => [nameOf(run), step, new Date(at).toISOString(), value])) }}
        option={(palette) => ({
          legend: { type: 'scroll', top: 0, textStyle: { color: palette.ink } },
          xAxis: { type: view.over === 'step' ? 'value' : 'time', name: view.over, axisLabel: { color: palette.muted }, nameTextStyle: { color: palette.muted }, splitLine: { show: false } },
          yAxis: { type: view.isLog ? 'log' : 'value', scale: true, axisLabel: { color: palette.muted }, splitLine: { lineStyle: { color: palette.grid } } },
          series: curves.map(seriesOf),
        })}
      />
    </>
  );
};
