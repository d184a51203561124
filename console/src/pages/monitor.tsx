/** What the monitor of a model sees: what drifted, how good the model is as far as labels say, and what followed. */
import type { MonitorReport } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { place, setQuery } from '../state/router.ts';
import { counted, dayTime, measured, percent, words } from '../ui/format.ts';
import { deploymentPath, Link, modelPath } from '../ui/link.tsx';
import { Empty, Page, Panel, Shown } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { AlertLines } from './alert-lines.tsx';
import { DriftHeat } from './drift-heat.tsx';
import { DriftTable } from './drift-table.tsx';
import { MonitorDecisions } from './monitor-decisions.tsx';
import { Performance } from './performance.tsx';
import { QualityOverTime, WindowShares } from './quality-plots.tsx';

const WINDOWS = 60;

const keyOf = ({ version, window }: { version: number; window: number }): string => `${version}.${window}`;

const chosenOf = (): { version: number; window: number } | undefined => {
  const found = /^(\d+)\.(\d+)$/.exec(place.value.query.get('window') ?? '');
  return found === null ? undefined : { version: Number(found[1]), window: Number(found[2]) };
};

const WindowChoice = ({ report }: { report: MonitorReport }) => (
  <form class="filters" onSubmit={(event) => event.preventDefault()}>
    <label>
      Window
      <select value={report.window === null ? '' : keyOf(report.window)} onChange={(event) => setQuery({ window: event.currentTarget.value })}>
        {report.windows.toReversed().map((one) => (
          <option key={keyOf(one)} value={keyOf(one)}>
            {`${dayTime(one.to)}, version ${one.version}, window ${one.window}${one.drifted ? ', drifted' : ''}${one.qualityDropped ? ', quality dropped' : ''}`}
          </option>
        ))}
      </select>
    </label>
    {chosenOf() === undefined ? <span class="muted">the newest</span> : <button type="button" onClick={() => setQuery({ window: undefined })}>Newest</button>}
  </form>
);

const qualityText = ({ window, metric }: MonitorReport): string => {
  if (window === null) return '';
  const judged = window.judgedQuality === null ? '' : `, ${measured(window.judgedQuality)} when it was judged`;
  if (window.quality !== null) return `${words(metric)} ${measured(window.quality)} by ${counted(window.labelled, 'label')} for ${counted(window.rows, 'row')}${judged}`;
  if (window.estimatedQuality !== null) return `${words(metric)} about ${measured(window.estimatedQuality)} as its scores promise, until labels come${judged}`;
  return `no labels yet for ${counted(window.rows, 'row')}`;
};

const Summary = ({ report }: { report: MonitorReport }) => {
  const { window, columns } = report;
  if (window === null) return null;
  const drifted = columns.filter((column) => column.drifted).length;
  const limit = report.shareThreshold === null ? '' : `; the window has drifted from ${percent(report.shareThreshold)} on`;
  return (
    <ul class="lines panel">
      <li>
        <StateMark state={window.drifted ? 'drifted' : 'holds'} label={window.drifted ? 'drifted' : 'no drift'} />
        {drifted} of {columns.length} columns drifted ({percent(window.driftScore)}
        {limit})
      </li>
      <li>
        <StateMark state={window.qualityDropped ? 'dropped' : window.quality === null ? 'unknown' : 'holds'} label={window.qualityDropped ? 'quality dropped' : window.quality === null ? 'quality not known' : 'quality holds'} />
        {qualityText(report)}
      </li>
      {window.unlikeTraining === null ? null : (
        <li>
          <StateMark state="observed" label="inputs" />
          {percent(window.unlikeTraining)} of the rows have a value that no training row comes near
          {window.refusedShare === null || window.refusedShare === 0 ? '' : `; ${percent(window.refusedShare, 1)} of the requests were refused`}
        </li>
      )}
    </ul>
  );
};

const Body = ({ report }: { report: MonitorReport }) => (
  <>
    <WindowChoice report={report} />
    <Summary report={report} />
    <div class="panels">
      <Panel title="Drift by column" note={`version ${report.version ?? '?'}, drifted first`} wide>
        <DriftTable columns={report.columns} prediction={report.prediction} />
      </Panel>
      <Panel title="Over time" wide>
        <QualityOverTime report={report} />
        <WindowShares report={report} />
      </Panel>
      <Panel title="Columns over time" note="how far each score was beyond its threshold" wide>
        <DriftHeat model={report.model} />
      </Panel>
      {report.performance === null ? null : <Performance report={report} performance={report.performance} />}
      <Panel title="Alerts" note={<Link to={`/alerts?model=${encodeURIComponent(report.model)}`}>All</Link>} wide>
        <AlertLines model={report.model} />
      </Panel>
      <Panel title="What it led to" wide>
        <MonitorDecisions decisions={report.decisions} />
      </Panel>
    </div>
  </>
);

export const MonitorPage = ({ params }: { params: Record<string, string> }) => {
  const model = params['model'] ?? '';
  const chosen = chosenOf();
  const lead = (
    <>
      <Link to={modelPath(model)}>Versions</Link> · <Link to={deploymentPath(model)}>Deployment</Link>
    </>
  );
  return (
    <Page title={`Monitoring of ${model}`} lead={lead}>
      <Shown read={useRead('/api/v1/models/{model}/monitor/report', { params: { model }, query: { windows: WINDOWS, ...chosen } })}>
        {(report) => (report.window === null ? <Empty>No window is closed yet: a window closes when enough rows were served.</Empty> : <Body report={report} />)}
      </Shown>
    </Page>
  );
};
