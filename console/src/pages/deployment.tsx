/** One deployment: who is served, the ladder of the rollout with its verdicts, and what was served before. */
import { useRead } from '../state/query.ts';
import type { Deployment } from '../api/types.ts';
import { count } from '../ui/format.ts';
import { Link, modelPath, monitorPath, versionPath } from '../ui/link.tsx';
import { Empty, Page, Panel, Shown } from '../ui/page.tsx';
import { SplitBar } from '../ui/split-bar.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { DeploymentActions } from './deployment-actions.tsx';
import { DeploymentPast } from './deployment-past.tsx';
import { Ladder } from './ladder.tsx';
import { Shadow } from './shadow.tsx';
import { Table } from '../ui/table.tsx';

const Serving = ({ deployment }: { deployment: Deployment }) => (
  <Panel title="Serving now" note={`generation ${deployment.generation}`} wide>
    <SplitBar split={deployment.split} />
    {deployment.versions.length === 0 ? null : (
      <Table label="Served versions" columns={['Version', 'Role', { number: 'Requests' }, { number: 'Failed' }, { number: 'Answered by stable instead' }, { number: 'Not logged' }]}>
        {deployment.versions.map(({ version, requests, failures, fallbacks, unlogged }) => (
          <tr key={version}>
            <th scope="row">
              <Link to={versionPath(deployment.model, version)}>version {version}</Link>
            </th>
            <td>{version === deployment.split.stable ? 'stable' : 'canary'}</td>
            <td class="number">{count(requests)}</td>
            <td class="number">{count(failures)}</td>
            <td class="number">{count(fallbacks)}</td>
            <td class="number">{count(unlogged)}</td>
          </tr>
        ))}
      </Table>
    )}
  </Panel>
);

const Gateways = ({ deployment: { gateways, generation } }: { deployment: Deployment }) => (
  <Panel title="Gateways">
    {gateways.length === 0 ? <Empty command="npx --no perennial up">No gateway has registered.</Empty> : null}
    <ul class="lines">
      {gateways.map((gateway) => {
        const isBehind = gateway.live && generation > 0 && gateway.acknowledgedGeneration !== generation;
        return (
          <li key={gateway.gateway}>
            <StateMark state={gateway.live ? (isBehind ? 'waiting' : 'live') : 'cancelled'} label={gateway.live ? (isBehind ? 'behind' : 'live') : 'gone'} />
            <span>{gateway.gateway}</span>
            <span class="muted">{gateway.url}</span>
            <span class="end muted">generation {gateway.acknowledgedGeneration ?? 'none'}</span>
            {gateway.error === null ? null : <span class="problem-text">{gateway.error}</span>}
          </li>
        );
      })}
    </ul>
  </Panel>
);

const Body = ({ deployment }: { deployment: Deployment }) => (
  <>
    {deployment.orphaned ? (
      <div class="callout tone-bad">
        <strong>Orphaned</strong>: the rollout's workflow was ended by hand, so nobody moves the traffic any more. Roll back mends it.
      </div>
    ) : null}
    <div class="panels">
      <Serving deployment={deployment} />
      <Ladder deployment={deployment} />
      <Gateways deployment={deployment} />
      {deployment.shadow === null ? null : <Shadow shadow={deployment.shadow} />}
      <DeploymentPast model={deployment.model} />
    </div>
  </>
);

export const DeploymentPage = ({ params }: { params: Record<string, string> }) => {
  const model = params['model'] ?? '';
  const read = useRead('/api/v1/models/{model}/deployment', { params: { model }, pollMs: 1_000 });
  const lead = (
    <>
      <Link to={modelPath(model)}>Versions</Link> · <Link to={monitorPath(model)}>Monitoring</Link>
    </>
  );
  return (
    <Page title={`Deployment of ${model}`} lead={lead} actions={read.data === undefined ? undefined : <DeploymentActions deployment={read.data} />}>
      <Shown read={read}>{(deployment) => <Body deployment={deployment} />}</Shown>
    </Page>
  );
};
