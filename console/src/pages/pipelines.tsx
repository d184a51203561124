/** All pipelines. */
import { useRead } from '../state/query.ts';
import { words } from '../ui/format.ts';
import { Link, pipelinePath } from '../ui/link.tsx';
import { Empty, Page, Shown } from '../ui/page.tsx';
import { Table } from '../ui/table.tsx';
import { Ago } from '../ui/time.tsx';

export const Pipelines = () => (
  <Page title="Pipelines">
    <Shown read={useRead('/api/v1/pipelines')}>
      {({ pipelines }) =>
        pipelines.length === 0 ? (
          <Empty command="npx --no perennial init my-model">There is no pipeline yet.</Empty>
        ) : (
          <div class="panel">
            <Table label="Pipelines" columns={['Pipeline', { number: 'Version' }, 'Kind', 'Description', 'Owner', 'Changed', 'By']}>
              {pipelines.map((pipeline) => (
                <tr key={pipeline.name}>
                  <th scope="row">
                    <Link to={pipelinePath(pipeline.name)}>{pipeline.name}</Link>
                  </th>
                  <td class="number">{pipeline.version}</td>
                  <td>{words(pipeline.kind)}</td>
                  <td class="wide-cell">{pipeline.description}</td>
                  <td>{pipeline.owner}</td>
                  <td>
                    <Ago at={pipeline.createdAt} />
                  </td>
                  <td>{pipeline.createdBy}</td>
                </tr>
              ))}
            </Table>
          </div>
        )
      }
    </Shown>
  </Page>
);
