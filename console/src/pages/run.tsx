/** One run: why it is where it is, its steps as a graph and in time, and what can be done. */
import type { Run, Step } from '../api/types.ts';
import { useLiveRun } from '../state/live-run.ts';
import { useRead } from '../state/query.ts';
import { place } from '../state/router.ts';
import { counted, duration, shortId, words } from '../ui/format.ts';
import { Link, modelPath, OutLink, pipelinePath, runPath, versionPath } from '../ui/link.tsx';
import { Facts, Page, Panel, Shown } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { Ago } from '../ui/time.tsx';
import { FailureFirst } from './run-failure.tsx';
import { RunActions } from './run-actions.tsx';
import { StepDetail } from './step-detail.tsx';
import { StepGantt } from './step-gantt.tsx';
import { StepGraph } from './step-graph.tsx';

type Outcome = { kind: string; reasons?: string[]; reason?: string; version?: number };

const outcomeOf = (run: Run): Outcome | null => run.outcome as Outcome | null;

const OutcomeNote = ({ run }: { run: Run }) => {
  const outcome = outcomeOf(run);
  const reasons = outcome?.reasons ?? (outcome?.reason === undefined ? [] : [outcome.reason]);
  if (run.state === 'failed' || reasons.length === 0) return null;
  return (
    <div class="callout tone-warn">
      <strong>{run.state === 'rejected' ? 'Rejected: a gate said no' : 'Rolled back: traffic is where it was before'}</strong>
      <ul>
        {reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </div>
  );
};

const WaitNote = ({ run }: { run: Run }) =>
  run.waitingFor === null ? null : (
    <div class="callout tone-wait">
      <strong>Waiting</strong> for {run.waitingFor}
    </div>
  );

const Reasons = ({ run }: { run: Run }) => {
  const known = run.reasons.length > 0 ? run.reasons.map(({ kind, reason, events }) => ({ kind, reason, events })) : run.trigger === null ? [] : [{ kind: run.trigger.kind, reason: run.trigger.reason, events: 1 }];
  if (known.length === 0) return <span class="muted">–</span>;
  return (
    <ul class="plain">
      {known.map(({ kind, reason, events }) => (
        <li key={`${kind}${reason}`}>
          {kind}: {reason}
          {events > 1 ? <span class="muted"> ({counted(events, 'event')})</span> : null}
        </li>
      ))}
    </ul>
  );
};

const Result = ({ run }: { run: Run }) => {
  const version = outcomeOf(run)?.version;
  if (run.model === null) return <span class="muted">none: built-in steps</span>;
  return version === undefined ? <Link to={modelPath(run.model)}>{run.model}</Link> : <Link to={versionPath(run.model, version)}>{`${run.model}, version ${version}`}</Link>;
};

const About = ({ run }: { run: Run }) => (
  <Panel title="About this run">
    <Facts
      facts={[
        ['Pipeline', <Link to={pipelinePath(run.pipeline)}>{`${run.pipeline}, version ${run.pipelineVersion ?? '?'}`}</Link>],
        ['Model', <Result run={run} />],
        ['Because', <Reasons run={run} />],
        ['Started', <Ago at={run.startedAt} />],
        [run.finishedAt === null ? 'Running for' : 'Took', duration(run.durationMs)],
        ...(run.resources === null ? [] : [['Used', `${run.resources.cpuSeconds.toFixed(1)} s CPU${run.resources.gpuSeconds > 0 ? `, ${run.resources.gpuSeconds.toFixed(1)} s GPU` : ''}`] as [string, string]]),
        ...(run.retryOf === null ? [] : [['Retry of', <Link to={runPath(run.retryOf)}>{shortId(run.retryOf)}</Link>] as [string, preact.JSX.Element]]),
        ['Run id', <code>{run.runId}</code>],
        ['Raw truth', <OutLink to={run.links.temporal}>Temporal Web UI</OutLink>],
      ]}
    />
  </Panel>
);

/** The step that the address names, else the one that matters: failed, then at work, then the last that was done. */
const shownStep = (run: Run, wanted: string | null): Step | undefined =>
  run.steps.find(({ name }) => name === wanted) ??
  run.steps.find(({ state }) => state === 'failed') ??
  run.steps.find(({ name }) => name === run.step) ??
  run.steps.findLast(({ state }) => state !== 'notStarted' && state !== 'skipped') ??
  run.steps[0];

const Body = ({ run }: { run: Run }) => {
  useLiveRun(run.runId, run.state === 'running');
  const step = shownStep(run, place.value.query.get('step'));
  return (
    <>
      {run.degraded === null ? null : <div class="callout tone-warn">{run.degraded}</div>}
      <FailureFirst run={run} />
      <OutcomeNote run={run} />
      <WaitNote run={run} />
      <div class="panels">
        <Panel title="Steps" wide>
          <StepGraph run={run} chosen={step?.name} />
          <StepGantt run={run} chosen={step?.name} />
        </Panel>
        {step === undefined ? null : <StepDetail run={run} step={step} />}
        <About run={run} />
      </div>
    </>
  );
};

export const RunPage = ({ runId }: { runId: string }) => {
  const read = useRead('/api/v1/runs/{id}', { params: { id: runId }, pollMs: 4_000 });
  const run = read.data;
  const lead = run === undefined ? undefined : <StateMark state={run.waitingFor !== null ? 'waiting' : run.state} label={words(run.waitingFor !== null ? 'waiting' : run.state)} />;
  return (
    <Page title={`${run?.pipeline ?? 'Run'} ${shortId(runId)}`} lead={lead} actions={run === undefined ? undefined : <RunActions run={run} />}>
      <Shown read={read}>{(data) => <Body run={data} />}</Shown>
    </Page>
  );
};
