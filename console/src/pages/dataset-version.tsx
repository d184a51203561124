/** One version of a dataset: its tables, and the profile of each column. */
import type { Answer } from '../api/types.ts';
import { useRead } from '../state/query.ts';
import { count, counted, measured, percent } from '../ui/format.ts';
import { datasetPath, Link } from '../ui/link.tsx';
import { Empty, Page, Panel, Scroll, Shown } from '../ui/page.tsx';
import { LineageGraph } from './lineage-graph.tsx';

type Manifest = Answer<'/api/v1/datasets/{name}/{version}'>['manifest'];
type Table = Manifest['tables'][number];
type Column = Table['profile'][number];

const WIDTH = 160;
const HEIGHT = 34;

/** Bins hold about equally many values, so the height of each is its count by its width: the density. */
const Density = ({ column }: { column: Column }) => {
  const { numbers } = column;
  if (numbers === null || numbers.maximum <= numbers.minimum) return <span class="muted">–</span>;
  const { edges, counts } = numbers.histogram;
  const span = numbers.maximum - numbers.minimum;
  const bars = counts.map((amount, index) => {
    const [from, to] = [index === 0 ? numbers.minimum : (edges[index - 1] ?? numbers.minimum), edges[index] ?? numbers.maximum];
    return { from, to, amount, density: amount / Math.max(to - from, span / 400) };
  });
  const most = Math.max(...bars.map(({ density }) => density), Number.MIN_VALUE);
  const at = (value: number): number => ((value - numbers.minimum) / span) * WIDTH;
  return (
    <svg class="histogram" width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`Distribution of ${column.column}, from ${measured(numbers.minimum)} to ${measured(numbers.maximum)}`}>
      {bars.map(({ from, to, amount, density }, index) => (
        <rect key={index} class="histogram-current" x={at(from)} width={Math.max(0.8, at(to) - at(from) - 0.4)} y={HEIGHT - (density / most) * HEIGHT} height={(density / most) * HEIGHT}>
          <title>{`${measured(from)} to ${measured(to)}: ${counted(amount, 'value')}`}</title>
        </rect>
      ))}
    </svg>
  );
};

const ColumnRow = ({ table, column }: { table: Table; column: Column }) => (
  <tr>
    <th scope="row">{column.column}</th>
    <td>{table.columns.find(({ name }) => name === column.column)?.type.toLowerCase() ?? column.kind}</td>
    <td>
      <Density column={column} />
    </td>
    <td class="number">{table.rows === 0 ? '–' : percent(column.nulls / table.rows, 1)}</td>
    <td class="number">about {count(column.distinct)}</td>
    <td class="number">{column.kind === 'number' ? `${measured(column.numbers?.minimum)} / ${measured(column.numbers?.mean)} / ${measured(column.numbers?.maximum)}` : '–'}</td>
    <td class="clip">{column.top.slice(0, 3).map(({ value, count: amount }) => `${value} (${count(amount)})`).join(', ')}</td>
  </tr>
);

const TablePanel = ({ table }: { table: Table }) => (
  <Panel title={table.name} note={`${counted(table.rows, 'row')} in ${counted(table.files.length, 'file')}`} wide>
    {(table.profile ?? []).length === 0 ? (
      <Empty>This version was made before versions had profiles.</Empty>
    ) : (
      <Scroll label={`Columns of ${table.name}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">Column</th>
              <th scope="col">Type</th>
              <th scope="col">Distribution</th>
              <th scope="col" class="number">Missing</th>
              <th scope="col" class="number">Different values</th>
              <th scope="col" class="number">Least / mean / most</th>
              <th scope="col">Most frequent</th>
            </tr>
          </thead>
          <tbody>
            {table.profile.map((column) => (
              <ColumnRow key={column.column} table={table} column={column} />
            ))}
          </tbody>
        </table>
      </Scroll>
    )}
  </Panel>
);

export const DatasetVersionPage = ({ params }: { params: Record<string, string> }) => {
  const [name, version] = [params['name'] ?? '', params['version'] ?? ''];
  return (
    <Page title={`${name} ${version.slice(0, 12)}`} lead={<Link to={datasetPath(name)}>All versions</Link>}>
      <Shown read={useRead('/api/v1/datasets/{name}/{version}', { params: { name, version }, pollMs: 60_000 })}>
        {({ manifest }) => (
          <div class="panels">
            {manifest.tables.map((table) => (
              <TablePanel key={table.name} table={table} />
            ))}
            <Panel title="What it was made of, and what was made of it" wide>
              <LineageGraph of={`dataset:${name}@${version}`} />
            </Panel>
          </div>
        )}
      </Shown>
    </Page>
  );
};
