/** The list of runs, filtered by what the address says. */
import { place, setQuery } from '../state/router.ts';
import { useRead } from '../state/query.ts';
import { words } from '../ui/format.ts';
import { Empty, Page, Shown } from '../ui/page.tsx';
import { Pages } from '../ui/pages.tsx';
import { RunGrid } from '../ui/run-grid.tsx';

const STATES = ['running', 'succeeded', 'rejected', 'rolledBack', 'failed', 'cancelled', 'terminated'] as const;
type State = (typeof STATES)[number];

const PAGE = 50;

const isState = (text: string | null): text is State => (STATES as readonly (string | null)[]).includes(text);

const Filters = ({ pipeline, state }: { pipeline: string | undefined; state: State | undefined }) => {
  const pipelines = useRead('/api/v1/pipelines', { pollMs: 30_000 }).data?.pipelines ?? [];
  return (
    <form class="filters" onSubmit={(event) => event.preventDefault()}>
      <label>
        Pipeline
        <select value={pipeline ?? ''} onChange={(event) => setQuery({ pipeline: event.currentTarget.value, before: undefined })}>
          <option value="">all</option>
          {pipelines.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        State
        <select value={state ?? ''} onChange={(event) => setQuery({ state: event.currentTarget.value, before: undefined })}>
          <option value="">all</option>
          {STATES.map((one) => (
            <option key={one} value={one}>
              {words(one)}
            </option>
          ))}
        </select>
      </label>
    </form>
  );
};

export const Runs = () => {
  const { query } = place.value;
  const [pipeline, before] = [query.get('pipeline') ?? undefined, query.get('before') ?? undefined];
  const given = query.get('state');
  const state = isState(given) ? given : undefined;
  const asked = { ...(pipeline === undefined ? {} : { pipeline }), ...(state === undefined ? {} : { state }), ...(before === undefined ? {} : { before }), steps: 'true' as const, limit: PAGE };
  const read = useRead('/api/v1/runs', { query: asked, pollMs: before === undefined ? 2_000 : 30_000 });
  return (
    <Page title="Runs">
      <Filters pipeline={pipeline} state={state} />
      <Shown read={read}>
        {({ runs, next }) => (
          <>
            {runs.length === 0 ? <Empty command="npx --no perennial run start PIPELINE">No run matches.</Empty> : <RunGrid runs={runs} hasPipeline={pipeline === undefined} />}
            <Pages next={next} before={before} />
          </>
        )}
      </Shown>
    </Page>
  );
};
