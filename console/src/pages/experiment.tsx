/** The runs of one experiment as a table: filter, order and columns are in the address, and chosen runs can be compared. */
import { useState } from 'preact/hooks';
import { metricNames, paramNames, SEARCH_RUNS, type TrackedRun, type TrackedRuns } from '../api/tracking.ts';
import { useSearch } from '../state/query.ts';
import { navigate, place, setQuery } from '../state/router.ts';
import { Link } from '../ui/link.tsx';
import { Empty, Page, Shown } from '../ui/page.tsx';
import { TrackedTable } from './tracked-table.tsx';

const PAGE = 100;
const MOST_COMPARED = 500;
const DEFAULT_ORDER = 'attributes.start_time DESC';
/** More columns than these begin hidden: the chooser has all. */
const SHOWN_AT_FIRST = 6;

const FilterForm = ({ filter }: { filter: string }) => {
  const [text, setText] = useState(filter);
  return (
    <form
      class="filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        setQuery({ filter: text, token: undefined });
      }}
    >
      <label class="grow">
        Filter
        <input value={text} placeholder="metrics.auc > 0.9 and params.lr = '0.1'" list="filter-words" autocomplete="off" onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <button type="submit">Search</button>
    </form>
  );
};

/** Words of the search grammar for what these runs have. */
const FilterWords = ({ runs }: { runs: TrackedRun[] }) => (
  <datalist id="filter-words">
    {metricNames(runs).map((name) => (
      <option key={`m${name}`} value={`metrics.\`${name}\` > `} />
    ))}
    {paramNames(runs).map((name) => (
      <option key={`p${name}`} value={`params.\`${name}\` = ''`} />
    ))}
    <option value="attributes.status = 'FINISHED'" />
    <option value="attributes.run_name LIKE '%'" />
  </datalist>
);

const ColumnChooser = ({ all, shown }: { all: string[]; shown: string[] }) => (
  <details class="chooser">
    <summary>
      Columns ({shown.length} of {all.length})
    </summary>
    <div class="choices">
      {all.map((name) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={shown.includes(name)}
            onChange={(event) => {
              const next = event.currentTarget.checked ? all.filter((one) => one === name || shown.includes(one)) : shown.filter((one) => one !== name);
              setQuery({ columns: next.join('|') || 'none' });
            }}
          />
          {name}
        </label>
      ))}
    </div>
  </details>
);

const columnsOf = (runs: TrackedRun[]): { all: string[]; shown: string[] } => {
  const [metrics, params] = [metricNames(runs).map((name) => `metrics.${name}`), paramNames(runs).map((name) => `params.${name}`)];
  const all = [...metrics, ...params];
  const given = place.value.query.get('columns');
  if (given !== null) return { all, shown: all.filter((name) => given.split('|').includes(name)) };
  return { all, shown: [...metrics.slice(0, SHOWN_AT_FIRST), ...params.slice(0, SHOWN_AT_FIRST)] };
};

const Body = ({ id, found, order }: { id: string; found: TrackedRuns; order: string }) => {
  const runs = found.runs ?? [];
  const [chosen, setChosen] = useState<string[]>([]);
  const { all, shown } = columnsOf(runs);
  const compared = chosen.length > 0 ? chosen : runs.map(({ info }) => info.run_id);
  if (runs.length === 0) return <Empty>No run matches.</Empty>;
  return (
    <>
      <FilterWords runs={runs} />
      <div class="filters">
        <ColumnChooser all={all} shown={shown} />
        <button type="button" class="primary" disabled={compared.length < 2} onClick={() => navigate(`/experiments/${encodeURIComponent(id)}/compare?runs=${compared.slice(0, MOST_COMPARED).join(',')}`)}>
          Compare {chosen.length > 0 ? `${chosen.length} chosen` : `all ${runs.length}`}
        </button>
      </div>
      <TrackedTable runs={runs} columns={shown} order={order} chosen={chosen} onChoose={setChosen} />
      <div class="pages">
        {place.value.query.get('token') === null ? null : (
          <button type="button" onClick={() => setQuery({ token: undefined })}>
            First page
          </button>
        )}
        {(found.next_page_token ?? '') === '' ? null : (
          <button type="button" onClick={() => setQuery({ token: found.next_page_token })}>
            Next page
          </button>
        )}
      </div>
    </>
  );
};

export const ExperimentPage = ({ params }: { params: Record<string, string> }) => {
  const id = params['id'] ?? '';
  const { query } = place.value;
  const [filter, order, token] = [query.get('filter') ?? '', query.get('order') ?? DEFAULT_ORDER, query.get('token')];
  const body = { experiment_ids: [id], max_results: PAGE, order_by: [order], ...(filter === '' ? {} : { filter }), ...(token === null ? {} : { page_token: token }) };
  const read = useSearch<TrackedRuns>(SEARCH_RUNS, { body });
  return (
    <Page title={`Experiment ${id}`} lead={<Link to="/experiments">All experiments</Link>}>
      <FilterForm key={filter} filter={filter} />
      <Shown read={read.problem !== undefined && read.problem.status === 400 ? { data: undefined, problem: read.problem } : read}>{(found) => <Body id={id} found={found} order={order} />}</Shown>
    </Page>
  );
};
