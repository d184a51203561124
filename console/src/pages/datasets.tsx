/** All datasets with their newest version. */
import { useRead } from '../state/query.ts';
import { count, shortId } from '../ui/format.ts';
import { datasetPath, datasetVersionPath, Link, runPath } from '../ui/link.tsx';
import { Empty, Page, Shown } from '../ui/page.tsx';
import { Table } from '../ui/table.tsx';
import { Ago } from '../ui/time.tsx';

export const Datasets = () => (
  <Page title="Data">
    <Shown read={useRead('/api/v1/datasets')}>
      {({ datasets }) =>
        datasets.length === 0 ? (
          <Empty command="npx --no perennial run start PIPELINE">There is no dataset: the first step of a pipeline makes one of its source.</Empty>
        ) : (
          <div class="panel">
            <Table label="Datasets" columns={['Dataset', { number: 'Versions' }, 'Newest', { number: 'Rows' }, { number: 'Size' }, 'Made by', 'Made']}>
              {datasets.map(({ name, versions, version, rows, bytes, runId, createdAt }) => (
                <tr key={name}>
                  <th scope="row">
                    <Link to={datasetPath(name)}>{name}</Link>
                  </th>
                  <td class="number">{versions}</td>
                  <td>
                    <Link to={datasetVersionPath(name, version)}>{version.slice(0, 12)}</Link>
                  </td>
                  <td class="number">{count(rows)}</td>
                  <td class="number">{count(bytes / 1_024)} KiB</td>
                  <td>
                    <Link to={runPath(runId)}>run {shortId(runId)}</Link>
                  </td>
                  <td>
                    <Ago at={createdAt} />
                  </td>
                </tr>
              ))}
            </Table>
          </div>
        )
      }
    </Shown>
  </Page>
);
