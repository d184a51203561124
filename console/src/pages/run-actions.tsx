/** What can be done to a run, with what will happen said first. */
import type { Run } from '../api/types.ts';
import { pathOf } from '../api/client.ts';
import { navigate } from '../state/router.ts';
import { ActButton } from '../ui/act.tsx';
import { shortId } from '../ui/format.ts';
import { runPath } from '../ui/link.tsx';

const pathTo = (run: Run, act: string): string => pathOf(`/api/v1/runs/{id}/${act}`, { id: run.runId });

/** Where the work begins again: the steps before keep their proven outputs. */
export const RetryButton = ({ run, from }: { run: Run; from: string }) => {
  const isModel = run.model !== null;
  const before = run.steps.slice(0, run.steps.findIndex(({ name }) => name === from)).map(({ name }) => name);
  const kept = !isModel || before.length === 0 ? 'All steps are done again.' : `The outputs of ${before.join(', ')} are taken over, the rest is done again.`;
  return (
    <ActButton
      label={isModel ? `Retry from ${from}` : 'Run again'}
      title={`Retry run ${shortId(run.runId)}`}
      effect={<p>A new run of {run.pipeline} starts with the same pipeline version. {kept} This run stays as it is.</p>}
      permission="runs:write"
      path={pathTo(run, 'retry')}
      body={isModel ? { from } : {}}
      primary
      onDone={(answer) => navigate(runPath((answer as { runId: string }).runId))}
    />
  );
};

const Decision = ({ run }: { run: Run }) => (
  <>
    <ActButton
      label="Approve"
      title={`Approve ${run.pipeline}`}
      effect={<p>The gate is held to be passed; the run goes on: the version is registered and its rollout begins.</p>}
      permission="runs:approve"
      path={pathTo(run, 'approve')}
      reason={{ field: 'comment', required: false }}
      primary
    />
    <ActButton
      label="Reject"
      title={`Reject ${run.pipeline}`}
      effect={<p>The run ends as rejected. What is served does not change.</p>}
      permission="runs:approve"
      path={pathTo(run, 'reject')}
      reason={{ field: 'comment', required: false }}
      danger
    />
  </>
);

/** Where it broke off; what was rolled back may be tried as it is; a rejected one needs other data or code, so all of it. */
const stepToRetry = (run: Run): Run['steps'][number] | undefined =>
  run.steps.find(({ state }) => state === 'failed' || state === 'cancelled') ?? (run.state === 'rolledBack' ? run.steps.find(({ name }) => name === 'rollout') : undefined) ?? run.steps[0];

export const RunActions = ({ run }: { run: Run }) => {
  const again = stepToRetry(run);
  if (run.state !== 'running') return again === undefined || run.state === 'failed' ? null : <RetryButton run={run} from={again.name} />;
  return (
    <>
      {run.waitingFor?.startsWith('an approval') === true ? <Decision run={run} /> : null}
      <ActButton
        label="Cancel the run"
        title={`Cancel run ${shortId(run.runId)}`}
        effect={<p>The step at work is stopped. A canary that this run started is taken back: traffic ends on the version that was served before.</p>}
        permission="runs:write"
        path={pathTo(run, 'cancel')}
        danger
      />
    </>
  );
};
