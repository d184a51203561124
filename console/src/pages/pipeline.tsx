/** One pipeline: its runs by steps, what triggers them, its schedules, and its versions. */
import { pathOf } from '../api/client.ts';
import { useRead } from '../state/query.ts';
import { navigate } from '../state/router.ts';
import { ActButton } from '../ui/act.tsx';
import { Link, modelPath, runPath } from '../ui/link.tsx';
import { Empty, Page, Panel, Shown } from '../ui/page.tsx';
import { RunGrid } from '../ui/run-grid.tsx';
import { PipelineVersions } from './pipeline-versions.tsx';
import { Schedules } from './schedules.tsx';
import { Triggers } from './triggers.tsx';

const GRID = 25;

const Grid = ({ name }: { name: string }) => (
  <section class="grid-section" aria-label="Runs">
    <div class="panel-head">
      <h2>Runs</h2>
      <Link to={`/runs?pipeline=${encodeURIComponent(name)}`}>All runs</Link>
    </div>
    <Shown read={useRead('/api/v1/runs', { query: { pipeline: name, steps: 'true', limit: GRID }, pollMs: 2_000 })}>
      {({ runs }) => (runs.length === 0 ? <Empty command={`npx --no perennial run start ${name}`}>It has not run yet.</Empty> : <RunGrid runs={runs} hasPipeline={false} />)}
    </Shown>
  </section>
);

/** A run takes a version and a reason: the rest is in the pipeline. */
const Start = ({ name, version }: { name: string; version: number }) => (
  <ActButton
    label="Start a run"
    title={`Run ${name}`}
    effect={<p>Version {version} of the pipeline runs now. A new version of its model is registered and rolled out, if all gates say yes.</p>}
    permission="runs:write"
    path={pathOf('/api/v1/pipelines/{name}/runs', { name })}
    body={{ pipelineVersion: version }}
    reason={{ field: 'reason', required: false }}
    primary
    onDone={(answer) => navigate(runPath((answer as { runId: string }).runId))}
  />
);

export const PipelinePage = ({ params }: { params: Record<string, string> }) => {
  const name = params['name'] ?? '';
  const read = useRead('/api/v1/pipelines/{name}', { params: { name } });
  const pipeline = read.data;
  const spec = pipeline?.spec;
  const lead =
    spec === undefined ? undefined : (
      <>
        {spec.kind === 'model' ? <Link to={modelPath(spec.model ?? name)}>Its model</Link> : null} <span class="lead-text">{spec.description}</span>
      </>
    );
  return (
    <Page title={name} lead={lead} actions={pipeline === undefined ? undefined : <Start name={name} version={pipeline.version} />}>
      <Shown read={read}>
        {(shown) => (
          <>
            <Grid name={name} />
            <div class="panels">
              <Panel title="Triggers" note="what was to start a run, and what became of it" wide>
                <Triggers pipeline={name} />
              </Panel>
              <Panel title="Schedules" wide>
                <Schedules pipeline={name} />
              </Panel>
              <Panel title="Versions" wide>
                <PipelineVersions name={name} versions={shown.versions} present={shown.version} />
              </Panel>
            </div>
          </>
        )}
      </Shown>
    </Page>
  );
};
