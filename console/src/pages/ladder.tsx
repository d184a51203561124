/** The ladder of a rollout: its steps with the present one, what the analysis measures against which limit, and every verdict. */
import type { Deployment } from '../api/types.ts';
import { counted, duration, words } from '../ui/format.ts';
import { Link, runPath } from '../ui/link.tsx';
import { Empty, Panel } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { Ago } from '../ui/time.tsx';
import { Analysis } from './analysis.tsx';
import { Verdicts } from './verdicts.tsx';

type Rollout = NonNullable<Deployment['rollout']>;
export type Plan = NonNullable<Rollout['plan']>;
type Rung = { label: string; note: string };

const limits = (seconds: number, minimumRequests: number): string => `at least ${duration(seconds * 1_000)} and ${counted(minimumRequests, 'request')}`;

/** The steps of a plan, whatever its strategy calls them. */
export const rungsOf = (plan: Plan): Rung[] => {
  switch (plan.strategy) {
    case undefined:
    case 'canary':
      return plan.steps.map(({ weight, seconds, minimumRequests }) => ({ label: `${weight} %`, note: limits(seconds, minimumRequests) }));
    case 'blueGreen':
      return [
        { label: 'preview', note: limits(plan.preview.seconds, plan.preview.minimumRequests) },
        { label: '100 %', note: `the version before stays warm for ${duration(plan.keepWarmSeconds * 1_000)}` },
      ];
    case 'shadow':
      return [{ label: `copies of ${plan.percent} %`, note: limits(plan.seconds, plan.minimumRequests) }];
    case 'ab':
      return [{ label: `${plan.weight} %`, note: limits(plan.seconds, plan.minimumRequests) }];
    case 'allAtOnce':
      return [{ label: '100 %', note: 'as soon as every gateway has loaded it' }];
  }
};

const outcomeKind = (outcome: unknown): string | undefined => (outcome as { kind?: string } | null)?.kind;

/** What each rung is: passed, at work, or not reached; where it ended badly, the one at which it did. */
const rungStates = (rollout: Rollout, rungs: Rung[]): string[] => {
  const kind = outcomeKind(rollout.outcome);
  const reached = rollout.status?.step ?? Math.max(-1, ...rollout.decisions.map(({ step }) => step));
  return rungs.map((_, index) => {
    if (kind === 'promoted') return 'passed';
    if (index < reached) return 'passed';
    if (index > reached) return 'notStarted';
    if (rollout.state === 'running') return rollout.status?.state === 'paused' ? 'paused' : 'running';
    return kind ?? 'orphaned';
  });
};

const Rungs = ({ rollout }: { rollout: Rollout }) => {
  if (rollout.plan === null) return null;
  const rungs = rungsOf(rollout.plan);
  const states = rungStates(rollout, rungs);
  return (
    <ol class="ladder" aria-label="Steps of the rollout">
      {rungs.map((rung, index) => {
        const state = states[index] ?? 'notStarted';
        const isPresent = state === 'running' || state === 'paused';
        return (
          <li key={index} class={isPresent ? 'present' : undefined} aria-current={isPresent ? 'step' : undefined}>
            <span class="rung-label">{rung.label}</span>
            <StateMark state={state} />
            <span class="muted">{rung.note}</span>
          </li>
        );
      })}
    </ol>
  );
};

const RolloutHead = ({ rollout }: { rollout: Rollout }) => {
  const kind = outcomeKind(rollout.outcome);
  const reason = (rollout.outcome as { reason?: string } | null)?.reason;
  return (
    <>
      <p>
        <StateMark state={kind ?? (rollout.status?.state === 'paused' ? 'paused' : rollout.state)} /> version {rollout.version ?? '?'}, {words(rollout.plan?.strategy ?? 'canary')}, asked for by{' '}
        {rollout.runId === null ? (rollout.requestedBy ?? 'somebody') : <Link to={runPath(rollout.runId)}>a run</Link>}, began <Ago at={rollout.startedAt} />
      </p>
      {reason === undefined ? null : <div class="callout tone-warn">{reason}</div>}
      {typeof rollout.status?.waitingFor !== 'string' ? null : (
        <div class="callout tone-wait">
          <strong>Waits</strong> for {rollout.status.waitingFor}
        </div>
      )}
    </>
  );
};

export const Ladder = ({ deployment: { rollout } }: { deployment: Deployment }) => {
  if (rollout === null) {
    return (
      <Panel title="Rollout" wide>
        <Empty command="npx --no perennial rollout start MODEL VERSION">There was no rollout yet.</Empty>
      </Panel>
    );
  }
  return (
    <Panel title={rollout.state === 'running' ? 'Rollout under way' : 'Last rollout'} wide>
      <RolloutHead rollout={rollout} />
      <Rungs rollout={rollout} />
      {rollout.plan === null ? null : <Analysis plan={rollout.plan} rollout={rollout} />}
      <Verdicts decisions={rollout.decisions} />
    </Panel>
  );
};
