/** All pipelines. */
import { useRead } from '../state/query.ts';
import { words } from '../ui/format.ts';
import { Link, pipelinePath } from '../ui/link.tsx';
import { Empty, Page, Scroll, Shown } from '../ui/page.tsx';
import { Ago } from '../ui/time.tsx';

export const Pipelines = () => (
  <Page title="Pipelines">
    <Shown read={useRead('/api/v1/pipelines')}>
      {({ pipelines }) =>
        pipelines.length === 0 ? (
          <Empty command="npx --no perennial init my-model">There is no pipeline yet.</Empty>
        ) : (
          <div class="panel">
            <Scroll label="Pipelines">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Pipeline</th>
                    <th scope="col" class="number">Version</th>
                    <th scope="col">Kind</th>
                    <th scope="col">Description</th>
                    <th scope="col">Owner</th>
                    <th scope="col">Changed</th>
                    <th scope="col">By</th>
                  </tr>
                </thead>
                <tbody>
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
                </tbody>
              </table>
            </Scroll>
          </div>
        )
      }
    </Shown>
  </Page>
);
