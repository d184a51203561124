/** Experiments that clients of MLflow's protocol track here. */
import { instantOf, SEARCH_EXPERIMENTS, type Experiments as Found } from '../api/tracking.ts';
import { useSearch } from '../state/query.ts';
import { Link } from '../ui/link.tsx';
import { Empty, Page, Shown } from '../ui/page.tsx';
import { Table } from '../ui/table.tsx';
import { Ago } from '../ui/time.tsx';

const MOST = 500;

export const Experiments = () => (
  <Page title="Experiments">
    <Shown read={useSearch<Found>(SEARCH_EXPERIMENTS, { body: { max_results: MOST } })}>
      {({ experiments = [] }) =>
        experiments.length === 0 ? (
          <Empty command={`mlflow.set_tracking_uri("${location.origin}")`}>Nothing is tracked yet. In Python, with a key in MLFLOW_TRACKING_TOKEN:</Empty>
        ) : (
          <div class="panel">
            <Table label="Experiments" columns={['Experiment', 'Id', 'Made', 'Changed']}>
              {experiments.map((experiment) => (
                <tr key={experiment.experiment_id}>
                  <th scope="row">
                    <Link to={`/experiments/${encodeURIComponent(experiment.experiment_id)}`}>{experiment.name}</Link>
                  </th>
                  <td>{experiment.experiment_id}</td>
                  <td>
                    <Ago at={instantOf(experiment.creation_time)} />
                  </td>
                  <td>
                    <Ago at={instantOf(experiment.last_update_time)} />
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
