/** One dataset: its versions, and what changed between two of them. Both are in the address. */
import type { Answer } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { place, setQuery } from '../state/router.ts';
import { count, shortId } from '../ui/format.ts';
import { datasetVersionPath, Link, runPath } from '../ui/link.tsx';
import { Empty, Page, Panel, Shown } from '../ui/page.tsx';
import { Table } from '../ui/table.tsx';
import { Ago } from '../ui/time.tsx';
import { DatasetDifference } from './dataset-difference.tsx';

type Version = Answer<'/api/v1/datasets/{name}'>['versions'][number];

const Versions = ({ versions }: { versions: Version[] }) => (
  <Table label="Versions" columns={['Version', { number: 'Rows' }, { number: 'Size' }, 'Made by', 'Made']}>
    {versions.map(({ name, version, rows, bytes, runId, createdAt }) => (
      <tr key={version}>
        <th scope="row">
          <Link to={datasetVersionPath(name, version)}>{version.slice(0, 12)}</Link>
        </th>
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
);

const Choice = ({ label, parameter, versions, chosen }: { label: string; parameter: string; versions: Version[]; chosen: string }) => (
  <label>
    {label}
    <select value={chosen} onChange={(event) => setQuery({ [parameter]: event.currentTarget.value })}>
      {versions.map(({ version, rows }) => (
        <option key={version} value={version}>
          {version.slice(0, 12)} ({count(rows)} rows)
        </option>
      ))}
    </select>
  </label>
);

const Changes = ({ name, versions }: { name: string; versions: Version[] }) => {
  const { query } = place.value;
  const chosenOf = (parameter: string, fallback: Version | undefined): string => versions.find(({ version }) => version === query.get(parameter))?.version ?? fallback?.version ?? '';
  const [from, to] = [chosenOf('from', versions[1]), chosenOf('to', versions[0])];
  if (versions.length < 2) return <Empty>There is one version: other data makes another.</Empty>;
  return (
    <>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <Choice label="From" parameter="from" versions={versions} chosen={from} />
        <Choice label="to" parameter="to" versions={versions} chosen={to} />
      </form>
      <DatasetDifference name={name} from={from} to={to} />
    </>
  );
};

export const DatasetPage = ({ params }: { params: Record<string, string> }) => {
  const name = params['name'] ?? '';
  return (
    <Page title={name} lead={<Link to="/data">All datasets</Link>}>
      <Shown read={useRead('/api/v1/datasets/{name}', { params: { name }, pollMs: 10_000 })}>
        {({ versions }) => (
          <div class="panels">
            <Panel title="Versions" note="named by what is in them: the same data is the same version" wide>
              <Versions versions={versions} />
            </Panel>
            <Panel title="What changed" wide>
              <Changes name={name} versions={versions} />
            </Panel>
          </div>
        )}
      </Shown>
    </Page>
  );
};
