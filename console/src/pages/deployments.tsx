/** All models with what is served for each. */
import type { Overview } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { words } from '../ui/format.ts';
import { deploymentPath, Link } from '../ui/link.tsx';
import { Empty, Page, Shown } from '../ui/page.tsx';
import { SplitBar } from '../ui/split-bar.tsx';
import { StateMark } from '../ui/state-mark.tsx';
import { Table } from '../ui/table.tsx';
import { Ago } from '../ui/time.tsx';

const Row = ({ model: { name, split, rollout, lastRollout } }: { model: Overview['models'][number] }) => (
  <tr>
    <th scope="row">
      <Link to={deploymentPath(name)}>{name}</Link>
    </th>
    <td class="wide-cell">{split === null ? <span class="muted">not deployed</span> : <SplitBar split={split} />}</td>
    <td>{rollout === null ? <span class="muted">none</span> : <StateMark state="running" label={`version ${rollout.version}, ${words(rollout.strategy)}`} />}</td>
    <td>{lastRollout === null ? <span class="muted">none yet</span> : <StateMark state={lastRollout.outcome} label={`version ${lastRollout.version} ${words(lastRollout.outcome)}`} />}</td>
    <td class="muted wide-cell">{lastRollout?.reason ?? ''}</td>
    <td>
      <Ago at={rollout?.startedAt ?? lastRollout?.finishedAt ?? null} />
    </td>
  </tr>
);

export const Deployments = () => (
  <Page title="Deployments">
    <Shown read={useRead('/api/v1/overview', { pollMs: 2_000 })}>
      {({ models }) =>
        models.length === 0 ? (
          <Empty command="npx --no perennial run start PIPELINE">No model is registered: the first successful run of a pipeline registers one and rolls it out.</Empty>
        ) : (
          <div class="panel">
            <Table label="Deployments" columns={['Model', 'Traffic', 'Rollout now', 'Last rollout', 'Why', 'When']}>
              {models.map((model) => (
                <Row key={model.name} model={model} />
              ))}
            </Table>
          </div>
        )
      }
    </Shown>
  </Page>
);
