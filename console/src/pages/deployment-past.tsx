/** What was served when: the share of each version over time, and the rollouts that led there. */
import { Chart } from '../charts/chart.tsx';
import type { DeploymentHistory } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { dayTime, duration, words } from '../ui/format.ts';
import { Link, runPath, versionPath } from '../ui/link.tsx';
import { Empty, Panel, Scroll, Shown } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { Ago } from '../ui/time.tsx';

type Generation = DeploymentHistory['generations'][number];

const shareOf = ({ split }: Generation, version: number): number => {
  if (split.canary === version) return split.canaryWeight;
  return split.stable === version ? 100 - split.canaryWeight : 0;
};

const versionsIn = (generations: Generation[]): number[] =>
  [...new Set(generations.flatMap(({ split }) => [split.stable, split.canary]))].filter((version): version is number => version !== null).sort((one, other) => one - other);

/** A little beyond the last change: a long quiet time after it would squeeze the rollouts into a line. */
const endOf = (generations: Generation[]): string => {
  const times = generations.map(({ at }) => Date.parse(at));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  return new Date(last + Math.max(10_000, (last - first) * 0.08)).toISOString();
};

const SharesOverTime = ({ generations }: { generations: Generation[] }) => {
  const versions = versionsIn(generations);
  const table = { columns: ['at', 'reason', ...versions.map((version) => `version ${version} (%)`)], rows: generations.map((one) => [one.at, one.reason, ...versions.map((version) => shareOf(one, version))]) };
  const pointsOf = (version: number): [string, number][] => {
    const points = generations.map((one): [string, number] => [one.at, shareOf(one, version)]);
    const last = points.at(-1);
    return last === undefined ? points : [...points, [endOf(generations), last[1]]];
  };
  return (
    <Chart
      title="Share of the requests by version"
      table={table}
      option={(palette) => ({
        legend: { top: 4, textStyle: { color: palette.ink } },
        xAxis: { type: 'time', axisLabel: { color: palette.muted }, axisLine: { lineStyle: { color: palette.grid } } },
        yAxis: { type: 'value', min: 0, max: 100, axisLabel: { color: palette.muted, formatter: '{value} %' }, splitLine: { lineStyle: { color: palette.grid } } },
        series: versions.map((version) => ({ name: `version ${version}`, type: 'line', step: 'end', symbol: 'none', lineStyle: { width: 2 }, data: pointsOf(version) })),
      })}
    />
  );
};

const PastRollouts = ({ history: { model, rollouts } }: { history: DeploymentHistory }) => (
  <Scroll label="Rollouts">
    <table>
      <caption>Rollouts, newest first</caption>
      <thead>
        <tr>
          <th scope="col">Version</th>
          <th scope="col">End</th>
          <th scope="col">Why</th>
          <th scope="col">Strategy</th>
          <th scope="col">Asked for by</th>
          <th scope="col">Began</th>
          <th scope="col" class="number">Took</th>
        </tr>
      </thead>
      <tbody>
        {rollouts.map((rollout) => (
          <tr key={rollout.rolloutId}>
            <th scope="row">
              <Link to={versionPath(model, rollout.version)}>version {rollout.version}</Link>
            </th>
            <td>
              <StateMark state={rollout.outcome?.kind ?? 'running'} />
            </td>
            <td class="wide-cell">{rollout.outcome?.reason ?? ''}</td>
            <td>{words(rollout.strategy)}</td>
            <td>{rollout.runId === null ? rollout.requestedBy : <Link to={runPath(rollout.runId)}>a run</Link>}</td>
            <td title={dayTime(rollout.startedAt)}>
              <Ago at={rollout.startedAt} />
            </td>
            <td class="number">{rollout.finishedAt === null ? '–' : duration(Date.parse(rollout.finishedAt) - Date.parse(rollout.startedAt))}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Scroll>
);

export const DeploymentPast = ({ model }: { model: string }) => (
  <Panel title="History" wide>
    <Shown read={useRead('/api/v1/models/{model}/deployment/history', { params: { model }, query: { limit: 200 }, pollMs: 3_000 })}>
      {(history) =>
        history.generations.length === 0 ? (
          <Empty>Nothing was served yet.</Empty>
        ) : (
          <>
            <SharesOverTime generations={history.generations} />
            <PastRollouts history={history} />
          </>
        )
      }
    </Shown>
  </Panel>
);
