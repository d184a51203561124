/** What changed from one version of a dataset to another: files, schema, and how values are distributed, the farthest columns first. */
import type { Answer } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { count, counted, dayTime, measured, percent, words } from '../ui/format.ts';
import { Empty, Scroll, Shown } from '../ui/page.tsx';
import { StateMark } from '../ui/state-mark.tsx';

type Table = Answer<'/api/v1/datasets/{name}/{version}/diff'>['tables'][number];
type Column = Table['columns'][number];

const STATES: Record<Table['state'], string> = { added: 'running', removed: 'failed', changed: 'drifted', same: 'holds' };

const schemaText = ({ added, removed, retyped }: Table['schema']): string =>
  [
    ...added.map(({ column, type }) => `${column} (${type}) was added`),
    ...removed.map(({ column, type }) => `${column} (${type}) was removed`),
    ...retyped.map(({ column, from, to }) => `${column} was ${from} and is ${to}`),
  ].join(', ');

const filesText = ({ added, removed, changed, same }: Table['files']): string =>
  [added.length === 0 ? '' : `${counted(added.length, 'file')} added`, removed.length === 0 ? '' : `${counted(removed.length, 'file')} removed`, changed.length === 0 ? '' : `${counted(changed.length, 'file')} changed`, same === 0 ? '' : `${count(same)} the same`]
    .filter((part) => part !== '')
    .join(', ');

/** Times are counted in milliseconds since 1970: no other column has a mean of that size by chance. */
const meanText = (mean: number | null): string => (mean !== null && mean > 1e11 && mean < 1e14 ? dayTime(mean) : measured(mean));

const ColumnRow = ({ column }: { column: Column }) => (
  <tr>
    <th scope="row">{column.column}</th>
    <td class="number" title={column.measure === null ? undefined : words(column.measure)}>
      {measured(column.distance)}
    </td>
    <td>
      {percent(column.nullShare.from, 1)} → {percent(column.nullShare.to, 1)}
    </td>
    <td>
      {count(column.distinct.from)} → {count(column.distinct.to)}
    </td>
    <td>{column.mean === null ? '–' : `${meanText(column.mean.from)} → ${meanText(column.mean.to)}`}</td>
    <td class="wide-cell">{column.reasons.join('; ')}</td>
  </tr>
);

const TableChanges = ({ table }: { table: Table }) => {
  const schema = schemaText(table.schema);
  const columns = table.columns.toSorted((one, other) => (other.distance ?? 0) - (one.distance ?? 0));
  return (
    <article class="schedule">
      <h3>
        {table.table} <StateMark state={STATES[table.state]} label={table.state} />{' '}
        <span class="muted">
          {count(table.rows.from)} → {counted(table.rows.to, 'row')}; {filesText(table.files)}
        </span>
      </h3>
      {schema === '' ? null : <p>{schema}</p>}
      {columns.length === 0 || table.state === 'same' ? null : (
        <Scroll label={`Columns of ${table.table}`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Column</th>
                <th scope="col" class="number">Distance</th>
                <th scope="col">Missing</th>
                <th scope="col">Different values</th>
                <th scope="col">Mean</th>
                <th scope="col">Worth a look</th>
              </tr>
            </thead>
            <tbody>
              {columns.map((column) => (
                <ColumnRow key={column.column} column={column} />
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </article>
  );
};

export const DatasetDifference = ({ name, from, to }: { name: string; from: string; to: string }) => (
  <Shown read={useRead('/api/v1/datasets/{name}/{version}/diff', { params: { name, version: to }, query: { from }, pollMs: 60_000 })}>
    {({ same, tables }) =>
      same ? (
        <Empty>They are the same.</Empty>
      ) : (
        <>
          {tables.map((table) => (
            <TableChanges key={table.table} table={table} />
          ))}
        </>
      )
    }
  </Shown>
);
