/** Tracked runs side by side: parallel coordinates, scatter, what their params differ in, and metric curves. A run has one colour everywhere. */
import { metricNames, nameOf, paramNames, paramOf, SEARCH_RUNS, type TrackedRun, type TrackedRuns } from '../api/tracking.ts';
import { useSearch } from '../state/query.ts';
import { place } from '../state/router.ts';
import { counted } from '../ui/format.ts';
import { Link } from '../ui/link.tsx';
import { Empty, Page, Panel, Scroll, Shown } from '../ui/page.tsx';
import { Curves } from './curves.tsx';
import { Parallel, Scatter } from './compare-plots.tsx';

const MOST = 500;
/** A table with more columns than these is no comparison. */
const MOST_IN_TABLE = 12;

const idsOf = (): string[] => [...new Set((place.value.query.get('runs') ?? '').split(',').filter((id) => /^[A-Za-z0-9_-]{1,64}$/.test(id)))].slice(0, MOST);

const Differences = ({ runs }: { runs: TrackedRun[] }) => {
  const names = paramNames(runs).filter((name) => new Set(runs.map((run) => paramOf(run, name))).size > 1);
  if (names.length === 0) return <Empty>Their params are the same.</Empty>;
  const shown = runs.slice(0, MOST_IN_TABLE);
  return (
    <Scroll label="Params that differ">
      <table>
        <thead>
          <tr>
            <th scope="col">Param</th>
            {shown.map((run) => (
              <th scope="col" key={run.info.run_id} title={run.info.run_id}>
                {nameOf(run)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {names.map((name) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {shown.map((run) => (
                <td key={run.info.run_id} class="clip narrow">
                  {paramOf(run, name) ?? '–'}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
};

const Body = ({ runs }: { runs: TrackedRun[] }) => {
  if (runs.length < 2) return <Empty>Two runs or more can be compared: choose them in the table.</Empty>;
  return (
    <div class="panels">
      <Panel title="All at once" note="each line is a run" wide>
        <Parallel runs={runs} />
      </Panel>
      <Panel title="Metric curves" wide>
        <Curves runs={runs} metrics={metricNames(runs)} />
      </Panel>
      <Panel title="One against another" wide>
        <Scatter runs={runs} />
      </Panel>
      <Panel title="Params that differ" note={runs.length > MOST_IN_TABLE ? `of the first ${MOST_IN_TABLE} runs` : undefined} wide>
        <Differences runs={runs} />
      </Panel>
    </div>
  );
};

export const Compare = ({ params }: { params: Record<string, string> }) => {
  const id = params['id'] ?? '';
  const ids = idsOf();
  const read = useSearch<TrackedRuns>(SEARCH_RUNS, { body: { experiment_ids: [id], max_results: MOST, filter: `attributes.run_id IN (${ids.map((one) => `'${one}'`).join(', ')})` }, pollMs: 10_000 });
  return (
    <Page title={`Compare ${counted(ids.length, 'run')}`} lead={<Link to={`/experiments/${encodeURIComponent(id)}`}>The experiment</Link>}>
      {ids.length < 2 ? <Empty>Two runs or more can be compared: choose them in the table.</Empty> : <Shown read={read}>{({ runs = [] }) => <Body runs={runs} />}</Shown>}
    </Page>
  );
};
