/** Home: what runs, what waits for a person, what is wrong, and how each model does. */
import type { Overview } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { counted, measured, percent, words } from '../ui/format.ts';
import { deploymentPath, Link, modelPath, monitorPath, runPath } from '../ui/link.tsx';
import { Empty, Page, Panel, Shown } from '../ui/page.tsx';
import { Sparkline } from '../ui/sparkline.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { Table } from '../ui/table.tsx';
import { Ago } from '../ui/time.tsx';

type OpenRun = Overview['runs'][number];
type Model = Overview['models'][number];

const RunLine = ({ run }: { run: OpenRun }) => (
  <li>
    <StateMark state={run.waitingFor === null ? 'running' : 'waiting'} label={run.pipeline} />
    <Link to={runPath(run.runId)}>{run.step === null ? 'about to begin' : `step ${run.step}, ${run.stepsDone} of ${run.stepsTotal} done`}</Link>
    <span class="muted">{run.waitingFor === null ? null : `waits for ${run.waitingFor}`}</span>
    <span class="end">
      <Ago at={run.startedAt} />
    </span>
  </li>
);

const Running = ({ runs }: { runs: OpenRun[] }) => (
  <Panel title="Running now" note={runs.length === 0 ? undefined : counted(runs.length, 'run')}>
    {runs.length === 0 ? <Empty command="npx --no perennial run start PIPELINE">Nothing runs.</Empty> : <ul class="lines">{runs.map((run) => <RunLine key={run.runId} run={run} />)}</ul>}
  </Panel>
);

const Waiting = ({ runs, models }: { runs: OpenRun[]; models: Model[] }) => {
  const approvals = runs.filter((run) => run.needsApproval);
  const rollouts = models.filter((model) => model.rollout !== null);
  return (
    <Panel title="Needs a person">
      {approvals.length + rollouts.length === 0 ? <Empty>Nothing waits for an approval, and no rollout is under way.</Empty> : null}
      <ul class="lines">
        {approvals.map((run) => (
          <li key={run.runId}>
            <StateMark state="waiting" label="approval" />
            <Link to={runPath(run.runId)}>{run.pipeline} asks for an approval</Link>
          </li>
        ))}
        {rollouts.map(({ name, rollout, split }) => (
          <li key={name}>
            <StateMark state="running" label="rollout" />
            <Link to={deploymentPath(name)}>
              {name}: version {rollout?.version} has {split?.canaryWeight ?? 0} % ({words(rollout?.strategy ?? '')})
            </Link>
            <span class="end">
              <Ago at={rollout?.startedAt ?? null} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
};

const Alerts = ({ alerts }: { alerts: Overview['alerts'] }) => (
  <Panel title="Alerts" note={alerts.length === 0 ? undefined : `${alerts.length} open`}>
    {alerts.length === 0 ? <Empty>No alert is open.</Empty> : null}
    <ul class="lines">
      {alerts.map((alert) => (
        <li key={alert.alertId}>
          <StateMark state={alert.state} />
          <Link to={`/alerts?id=${alert.alertId}`}>{`${alert.model}: ${words(alert.kind)}`}</Link>
          <span class="end">
            <Ago at={alert.openedAt} />
          </span>
          <span class="reason clip-2" title={alert.reason}>
            {alert.reason}
          </span>
        </li>
      ))}
    </ul>
  </Panel>
);

const Ended = ({ runs }: { runs: Overview['ended'] }) => (
  <Panel title="Ended lately">
    {runs.length === 0 ? <Empty>No run has ended yet.</Empty> : null}
    <ul class="lines">
      {runs.map((run) => (
        <li key={run.runId}>
          <StateMark state={run.state} />
          <Link to={runPath(run.runId)}>{run.version === null ? run.pipeline : `${run.pipeline}, version ${run.version}`}</Link>
          <span class="end">
            <Ago at={run.finishedAt} />
          </span>
          {run.reason === null ? null : (
            <span class="reason clip-2" title={run.reason}>
              {run.reason}
            </span>
          )}
        </li>
      ))}
    </ul>
  </Panel>
);

const Serving = ({ model: { name, split } }: { model: Model }) => {
  if (split === null || (split.stable === null && split.canary === null)) return <span class="muted">not deployed</span>;
  return (
    <Link to={deploymentPath(name)}>
      {split.stable === null ? null : `version ${split.stable}`}
      {split.canary === null ? null : ` + ${split.canary} at ${split.canaryWeight} %`}
    </Link>
  );
};

const LastRollout = ({ model: { name, lastRollout } }: { model: Model }) => {
  if (lastRollout === null) return <span class="muted">none yet</span>;
  const { version, outcome, reason } = lastRollout;
  return (
    <>
      <StateMark state={outcome} label={`version ${version} ${words(outcome)}`} />
      {reason === null ? null : (
        <Link to={deploymentPath(name)} class="reason">
          {reason}
        </Link>
      )}
    </>
  );
};

const ModelRow = ({ model }: { model: Model }) => {
  const last = model.windows.at(-1);
  return (
    <tr>
      <th scope="row">
        <Link to={modelPath(model.name)}>{model.name}</Link>
      </th>
      <td>
        <Serving model={model} />
      </td>
      <td class="wide-cell">
        <LastRollout model={model} />
      </td>
      <td>
        <Sparkline label="Rows per window" values={model.windows.map(({ rows }) => rows)} format={measured} />
      </td>
      <td>
        <Sparkline label="Quality" values={model.windows.map(({ quality }) => quality)} format={measured} />
        {last?.qualityDropped === true ? <div class="under"><StateMark state="dropped" /></div> : null}
      </td>
      <td>
        <Link to={monitorPath(model.name)}>
          <Sparkline label="Share of drifted columns" values={model.windows.map(({ driftScore }) => driftScore)} format={(share) => percent(share)} />
        </Link>
        {last?.drifted === true ? <div class="under"><StateMark state="drifted" /></div> : null}
      </td>
      <td>
        <Ago at={model.lastTrainedAt} />
      </td>
    </tr>
  );
};

const Models = ({ models }: { models: Model[] }) => (
  <Panel title="Models" wide>
    {models.length === 0 ? (
      <Empty command="npx --no perennial init my-model">No model is registered. A first pipeline:</Empty>
    ) : (
      <Table label="Models" columns={['Model', 'Serves now', 'Last rollout', 'Traffic (rows)', 'Quality', 'Drift (columns)', 'Last trained']}>
        {models.map((model) => (
          <ModelRow key={model.name} model={model} />
        ))}
      </Table>
    )}
  </Panel>
);

export const Home = () => (
  <Page title="Home">
    <Shown read={useRead('/api/v1/overview', { pollMs: 2_000 })}>
      {({ runs, ended, alerts, models }) => (
        <div class="panels">
          <Models models={models} />
          <Running runs={runs} />
          <Waiting runs={runs} models={models} />
          <Alerts alerts={alerts} />
          <Ended runs={ended} />
        </div>
      )}
    </Shown>
  </Page>
);
