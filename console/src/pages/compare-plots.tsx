/** Parallel coordinates over params and metrics, and any one of them against another. */
import { Chart } from '../charts/chart.tsx';
import { runColour } from '../charts/run-colour.ts';
import { metricNames, metricOf, nameOf, paramNames, paramOf, type TrackedRun } from '../api/tracking.ts';
import { place, setQuery } from '../state/router.ts';
import { theme } from '../state/theme.ts';

const MOST_AXES = 14;

type Axis = { name: string; label: string; valueOf: (run: TrackedRun) => number | string | null };

const isNumeric = (values: (string | null)[]): boolean => values.every((value) => value === null || (value !== '' && Number.isFinite(Number(value))));

const axesOf = (runs: TrackedRun[]): Axis[] => {
  const params = paramNames(runs)
    .filter((name) => new Set(runs.map((run) => paramOf(run, name))).size > 1)
    .map((name): Axis => {
      const asNumber = isNumeric(runs.map((run) => paramOf(run, name)));
      const valueOf = (run: TrackedRun) => {
        const value = paramOf(run, name);
        return value === null || !asNumber ? value : Number(value);
      };
      return { name: `params.${name}`, label: name, valueOf };
    });
  return [...params, ...metricNames(runs).map((name): Axis => ({ name: `metrics.${name}`, label: name, valueOf: (run) => metricOf(run, name) }))];
};

const isCategory = (runs: TrackedRun[], { valueOf }: Axis): boolean => runs.some((run) => typeof valueOf(run) === 'string');
const categoriesOf = (runs: TrackedRun[], { valueOf }: Axis): string[] => [...new Set(runs.map((run) => String(valueOf(run) ?? 'none')))].sort();

export const Parallel = ({ runs }: { runs: TrackedRun[] }) => {
  const axes = axesOf(runs).slice(-MOST_AXES);
  const isDark = theme.value === 'dark';
  return (
    <Chart
      title="Params and metrics of each run"
      height={360}
      table={{ columns: ['run', ...axes.map(({ name }) => name)], rows: runs.map((run) => [nameOf(run), ...axes.map(({ valueOf }) => valueOf(run))]) }}
      option={(palette) => ({
        tooltip: { trigger: 'item', formatter: '{b}' },
        parallel: { left: 60, right: 90, top: 40, bottom: 24, parallelAxisDefault: { nameTextStyle: { color: palette.ink }, axisLabel: { color: palette.muted }, axisLine: { lineStyle: { color: palette.muted } } } },
        parallelAxis: axes.map((axis, dim) => ({ dim, name: axis.label, scale: true, ...(isCategory(runs, axis) ? { type: 'category', data: categoriesOf(runs, axis) } : {}) })),
        series: [
          {
            type: 'parallel',
            lineStyle: { width: 1.5, opacity: runs.length > 40 ? 0.35 : 0.8 },
            data: runs.map((run) => ({ name: nameOf(run), value: axes.map((axis) => axis.valueOf(run) ?? '-'), lineStyle: { color: runColour(run.info.run_id, isDark) } })),
          },
        ],
      })}
    />
  );
};

const AxisChoice = ({ label, parameter, axes, chosen }: { label: string; parameter: string; axes: Axis[]; chosen: Axis }) => (
  <label>
    {label}
    <select value={chosen.name} onChange={(event) => setQuery({ [parameter]: event.currentTarget.value })}>
      {axes.map(({ name }) => (
        <option key={name} value={name}>
          {name}
        </option>
      ))}
    </select>
  </label>
);

export const Scatter = ({ runs }: { runs: TrackedRun[] }) => {
  const axes = axesOf(runs);
  const { query } = place.value;
  const chosenOf = (parameter: string, fallback: Axis | undefined): Axis | undefined => axes.find(({ name }) => name === query.get(parameter)) ?? fallback;
  const [x, y] = [chosenOf('x', axes.find((axis) => !isCategory(runs, axis)) ?? axes[0]), chosenOf('y', axes.at(-1))];
  if (x === undefined || y === undefined) return null;
  const isDark = theme.value === 'dark';
  const typeOf = (axis: Axis): object => (isCategory(runs, axis) ? { type: 'category', data: categoriesOf(runs, axis) } : { type: 'value', scale: true });
  return (
    <>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <AxisChoice label="Across" parameter="x" axes={axes} chosen={x} />
        <AxisChoice label="Up" parameter="y" axes={axes} chosen={y} />
      </form>
      <Chart
        title={`${y.label} against ${x.label}`}
        table={{ columns: ['run', x.name, y.name], rows: runs.map((run) => [nameOf(run), x.valueOf(run), y.valueOf(run)]) }}
        option={(palette) => ({
          tooltip: { trigger: 'item' },
          xAxis: { ...typeOf(x), name: x.label, axisLabel: { color: palette.muted }, nameTextStyle: { color: palette.muted }, splitLine: { lineStyle: { color: palette.grid } } },
          yAxis: { ...typeOf(y), name: y.label, axisLabel: { color: palette.muted }, nameTextStyle: { color: palette.muted }, splitLine: { lineStyle: { color: palette.grid } } },
          series: [{ type: 'scatter', symbolSize: 10, data: runs.map((run) => ({ name: nameOf(run), value: [x.valueOf(run), y.valueOf(run)], itemStyle: { color: runColour(run.info.run_id, isDark) } })) }],
        })}
      />
    </>
  );
};
