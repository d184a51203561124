/** All registered models. */
import type { Overview } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { deploymentPath, Link, modelPath, monitorPath, versionPath } from '../ui/link.tsx';
import { Empty, Page, Shown } from '../ui/page.tsx';
import { Table } from '../ui/table.tsx';
import { Ago } from '../ui/time.tsx';

const Row = ({ model: { name, champion, latestVersion, lastTrainedAt } }: { model: Overview['models'][number] }) => (
  <tr>
    <th scope="row">
      <Link to={modelPath(name)}>{name}</Link>
    </th>
    <td>{champion === null ? <span class="muted">none</span> : <Link to={versionPath(name, champion)}>version {champion}</Link>}</td>
    <td>{latestVersion === 0 ? <span class="muted">none</span> : <Link to={versionPath(name, latestVersion)}>version {latestVersion}</Link>}</td>
    <td>
      <Ago at={lastTrainedAt} />
    </td>
    <td>
      <Link to={deploymentPath(name)}>Deployment</Link>
    </td>
    <td>
      <Link to={monitorPath(name)}>Monitoring</Link>
    </td>
  </tr>
);

export const Models = () => (
  <Page title="Models">
    <Shown read={useRead('/api/v1/overview')}>
      {({ models }) =>
        models.length === 0 ? (
          <Empty command="npx --no perennial run start PIPELINE">No model is registered: the first successful run of a pipeline registers one.</Empty>
        ) : (
          <div class="panel">
            <Table label="Models" columns={['Model', 'Champion', 'Newest version', 'Last trained', 'Served', 'Watched']}>
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
