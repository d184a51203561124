/** One version of a model: how it was judged beside the champion, which gates said what, and where it came from. */
import type { ModelVersion } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { count, measured, percent, shortId, words } from '../ui/format.ts';
import { Link, modelPath, pipelinePath, runPath } from '../ui/link.tsx';
import { Facts, Page, Panel, Scroll, Shown } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { Table } from '../ui/table.tsx';
import { Ago } from '../ui/time.tsx';
import { Aliases } from './model.tsx';
import { LineageGraph } from './lineage-graph.tsx';
import { ModelCard } from './model-card.tsx';

const valueOf = (metrics: object, name: string): number | null => (metrics as Record<string, number | null>)[name] ?? null;

const Judged = ({ version: { evaluation } }: { version: ModelVersion }) => {
  const { candidate, champion, comparisons } = evaluation;
  return (
    <Scroll label="Metrics">
      <table>
        <thead>
          <tr>
            <th scope="col">Metric</th>
            <th scope="col" class="number">This version</th>
            <th scope="col" class="number">{champion === null ? 'Champion' : `Champion then (version ${champion.version})`}</th>
            <th scope="col">Better by</th>
          </tr>
        </thead>
        <tbody>
          {Object.keys(candidate).map((name) => {
            const comparison = comparisons.find(({ metric }) => metric === name);
            return (
              <tr key={name}>
                <th scope="row">{words(name)}</th>
                <td class="number">{measured(valueOf(candidate, name))}</td>
                <td class="number">{champion === null ? '–' : measured(valueOf(champion.metrics, name))}</td>
                <td>
                  {comparison === undefined ? (
                    <span class="muted">not compared</span>
                  ) : (
                    `${measured(comparison.difference)}, ${percent(comparison.confidence)} interval ${measured(comparison.low)} to ${measured(comparison.high)}`
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
};

const Gates = ({ gates }: { gates: ModelVersion['gates'] }) => (
  <ul class="lines">
    {gates.map(({ gate, passed, reason }) => (
      <li key={gate}>
        <StateMark state={passed ? 'passed' : 'failed'} label={gate} />
        <span>{reason}</span>
      </li>
    ))}
  </ul>
);

const Inputs = ({ signature }: { signature: ModelVersion['signature'] }) => (
  <Table label="Inputs" columns={['Input', 'Type', 'May be missing']}>
    {signature.inputs.map(({ name, datatype, missing }) => (
      <tr key={name}>
        <th scope="row">{name}</th>
        <td>{datatype}</td>
        <td>{missing === 'allowed' ? 'yes' : 'no'}</td>
      </tr>
    ))}
  </Table>
);

const Body = ({ version }: { version: ModelVersion }) => {
  const { lineage, evaluation, artifact } = version;
  return (
    <div class="panels">
      <Panel title="How it was judged" note={`on ${count(evaluation.rows)} rows that it had not seen`} wide>
        <Judged version={version} />
      </Panel>
      <Panel title="Gates" wide>
        <Gates gates={version.gates} />
      </Panel>
      <Panel title="Where it came from, and what came of it" wide>
        <LineageGraph of={`model:${version.model}@${version.version}`} />
      </Panel>
      <Panel title="Facts">
        <Facts
          facts={[
            ['Aliases', version.aliases.length === 0 ? 'none' : <Aliases aliases={version.aliases} />],
            ['Registered', <Ago at={version.createdAt} />],
            ['Run', <Link to={runPath(version.runId)}>{shortId(version.runId)}</Link>],
            ['Pipeline', <Link to={pipelinePath(lineage.pipeline)}>{`${lineage.pipeline}, version ${lineage.pipelineVersion}`}</Link>],
            ['Trainer', `${lineage.trainer}, seed ${lineage.seed}`],
            ['Model file', `${count(artifact.bytes / 1_024)} KiB ONNX`],
            ['sha256', <code>{artifact.sha256}</code>],
            ...(evaluation.parity === null ? [] : ([['Parity', `predictions of the trainer and of ONNX Runtime differ by at most ${measured(evaluation.parity.largestDifference)} on ${count(evaluation.parity.rows)} rows`]] as [string, string][])),
          ]}
        />
      </Panel>
      <Panel title="Inputs" note={words(version.signature.task ?? '')}>
        <Inputs signature={version.signature} />
      </Panel>
      <Panel title="Model card" wide>
        <ModelCard model={version.model} version={version.version} />
      </Panel>
    </div>
  );
};

export const VersionPage = ({ params }: { params: Record<string, string> }) => {
  const [model, number] = [params['model'] ?? '', Number(params['version'])];
  return (
    <Page title={`${model}, version ${params['version'] ?? ''}`} lead={<Link to={modelPath(model)}>All versions</Link>}>
      <Shown read={useRead('/api/v1/models/{model}/versions/{version}', { params: { model, version: number }, pollMs: 10_000 })}>{(version) => <Body version={version} />}</Shown>
    </Page>
  );
};
