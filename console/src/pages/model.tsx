/** One model: its versions side by side, with the metrics by which they were judged. */
import { Chart } from '../charts/chart.tsx';
import type { Answer } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { measured, shortId, words } from '../ui/format.ts';
import { deploymentPath, Link, monitorPath, runPath, versionPath } from '../ui/link.tsx';
import { Empty, Page, Panel, Scroll, Shown } from '../ui/page.tsx';
import { Ago } from '../ui/time.tsx';

type Model = Answer<'/api/v1/models/{model}'>;
type Version = Model['versions'][number];

const metricNames = (versions: Version[]): string[] => [...new Set(versions.flatMap(({ metrics }) => Object.keys(metrics)))];
const metricOf = ({ metrics }: Version, name: string): number | null => (metrics as Record<string, number | null>)[name] ?? null;

export const Aliases = ({ aliases }: { aliases: string[] }) => (
  <>
    {aliases.map((alias) => (
      <span key={alias} class={alias === 'champion' ? 'tag champion' : 'tag'}>
        {alias}
      </span>
    ))}
  </>
);

const Versions = ({ model }: { model: Model }) => {
  const names = metricNames(model.versions);
  return (
    <Scroll label="Versions">
      <table>
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col">Aliases</th>
            {names.map((name) => (
              <th scope="col" class="number" key={name}>
                {words(name)}
              </th>
            ))}
            <th scope="col">Run</th>
            <th scope="col">Registered</th>
          </tr>
        </thead>
        <tbody>
          {model.versions.map((version) => (
            <tr key={version.version}>
              <th scope="row">
                <Link to={versionPath(model.name, version.version)}>version {version.version}</Link>
              </th>
              <td>
                <Aliases aliases={version.aliases} />
              </td>
              {names.map((name) => (
                <td key={name} class="number">
                  {measured(metricOf(version, name))}
                </td>
              ))}
              <td>
                <Link to={runPath(version.runId)}>{shortId(version.runId)}</Link>
              </td>
              <td>
                <Ago at={version.createdAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
};

const OverVersions = ({ versions, name }: { versions: Version[]; name: string }) => {
  const ordered = versions.toReversed();
  return (
    <Chart
      title={`${words(name)} by version`}
      height={200}
      table={{ columns: ['version', name], rows: ordered.map((version) => [version.version, metricOf(version, name)]) }}
      option={(palette) => ({
        xAxis: { type: 'category', data: ordered.map(({ version }) => `version ${version}`), axisLabel: { color: palette.muted }, axisLine: { lineStyle: { color: palette.grid } } },
        yAxis: { type: 'value', scale: true, axisLabel: { color: palette.muted, formatter: (value: number) => measured(value) }, splitLine: { lineStyle: { color: palette.grid } } },
        series: [{ name: words(name), type: 'line', symbol: 'circle', symbolSize: 8, data: ordered.map((version) => metricOf(version, name)) }],
      })}
    />
  );
};

export const ModelPage = ({ params }: { params: Record<string, string> }) => {
  const model = params['model'] ?? '';
  const lead = (
    <>
      <Link to={deploymentPath(model)}>Deployment</Link> · <Link to={monitorPath(model)}>Monitoring</Link>
    </>
  );
  return (
    <Page title={model} lead={lead}>
      <Shown read={useRead('/api/v1/models/{model}', { params: { model } })}>
        {(shown) =>
          shown.versions.length === 0 ? (
            <Empty command={`npx --no perennial run start ${model}`}>No version is registered yet.</Empty>
          ) : (
            <div class="panels">
              <Panel title="Versions" note="metrics on the rows that were held out for each" wide>
                <Versions model={shown} />
              </Panel>
              {metricNames(shown.versions).map((name) => (
                <section key={name} class="panel" aria-label={words(name)}>
                  <OverVersions versions={shown.versions} name={name} />
                </section>
              ))}
            </div>
          )
        }
      </Shown>
    </Page>
  );
};
