/** What can be done to a deployment. Each asks for a reason and says where the traffic will be. */
import { pathOf } from '../api/client.ts';
import type { Deployment } from '../api/types.ts';
import { ActButton } from '../ui/act.tsx';

const REASON = { field: 'reason', required: true } as const;

const steer = (model: string, act: string): string => pathOf(`/api/v1/models/{model}/rollout/${act}`, { model });

const stableText = (stable: number | null): string => (stable === null ? 'nothing is served, as before' : `version ${stable} serves all requests`);

const Steering = ({ deployment: { model, split, rollout } }: { deployment: Deployment }) => {
  const version = rollout?.version ?? split.canary ?? 0;
  const weight = split.canaryWeight;
  const isPaused = rollout?.status?.state === 'paused';
  return (
    <>
      <ActButton
        label="Promote"
        title={`Promote version ${version}`}
        effect={<p>{`Traffic of version ${version}: ${weight} % to 100 %, without the remaining steps. It becomes champion.`}</p>}
        permission="rollouts:write"
        path={steer(model, 'promote')}
        reason={REASON}
        primary
      />
      <ActButton
        label={isPaused ? 'Resume' : 'Pause'}
        title={isPaused ? 'Resume the rollout' : 'Pause the rollout'}
        effect={<p>{isPaused ? `The present step is judged again; traffic stays at ${weight} % until then.` : `Traffic stays at ${weight} % until somebody resumes, promotes or aborts. A failing canary is still taken back.`}</p>}
        permission="rollouts:write"
        path={steer(model, isPaused ? 'resume' : 'pause')}
        reason={REASON}
      />
      <ActButton
        label="Abort"
        title={`Abort the rollout of version ${version}`}
        effect={<p>{`Traffic of version ${version}: ${weight} % to 0 %; ${stableText(split.stable)}. Version ${version} stays registered.`}</p>}
        permission="rollouts:write"
        path={steer(model, 'abort')}
        reason={REASON}
        danger
      />
    </>
  );
};

const rollbackEffect = ({ split, orphaned }: Deployment): string =>
  orphaned
    ? `The traffic goes back to what was served before the lost rollout: ${stableText(split.stable)}.`
    : `Traffic of version ${split.stable}: 100 % to 0 %; the champion before it serves all requests again. Version ${split.stable} stays registered.`;

export const DeploymentActions = ({ deployment }: { deployment: Deployment }) => {
  if (deployment.rollout?.state === 'running') return <Steering deployment={deployment} />;
  if (deployment.split.stable === null && !deployment.orphaned) return null;
  return (
    <ActButton
      label="Roll back"
      title={`Roll back ${deployment.model}`}
      effect={<p>{rollbackEffect(deployment)}</p>}
      permission="rollouts:write"
      path={pathOf('/api/v1/models/{model}/rollback', { model: deployment.model })}
      reason={REASON}
      danger
    />
  );
};
