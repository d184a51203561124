/** Rows whose key is in no row of another table. The keys of that table are held, each once; the rows stream by. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { CheckExample } from '../../../contracts/check-report.ts';
import { numberedRows, rowsOfTable, type CheckedColumn, type CheckedTable } from './checked-table.ts';
import { countsOf, EXAMPLES, exampleOf, firstRowsSql, jsonRowOf, shownColumns, type FoundRow } from './examples.ts';
import { passedWith, quoted, type Outcome } from './outcome.ts';

const KEYS = 'referenced_keys';

type ForeignKey = { columns: CheckedColumn[]; references: { table: CheckedTable; columns: CheckedColumn[] } };

const orphans = (rows: string, columns: readonly CheckedColumn[]): string => {
  const present = columns.map(({ sql }) => `l.${sql} IS NOT NULL`).join(' AND ');
  return `(SELECT * FROM ${rows} l ANTI JOIN ${KEYS} r ON ${columns.map(({ sql }, index) => `l.${sql} = r.k${index}`).join(' AND ')} WHERE ${present})`;
};

export const foreignKeyOutcome = async (connection: DuckDBConnection, table: CheckedTable, { columns, references }: ForeignKey): Promise<Outcome> => {
  const keys = references.columns.map(({ sql }, index) => `${sql} AS k${index}`).join(', ');
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${KEYS} AS SELECT DISTINCT ${keys} FROM ${rowsOfTable(references.table)}`);
  const { failing = 0 } = await countsOf(connection, `SELECT count(*) AS failing FROM ${orphans(rowsOfTable(table), columns)}`);
  const there = `${quoted(references.columns)} of ${references.table.name}`;
  if (failing === 0) return passedWith(`every row has its like in ${there}`);
  const shown = shownColumns(table, columns.map(({ name }) => name));
  const found: CheckExample[] = [];
  for (const file of table.source.files) {
    if (found.length >= Math.min(EXAMPLES, failing)) break;
    const row = await jsonRowOf(connection, `SELECT ${firstRowsSql(shown, 'true')} AS e FROM ${orphans(numberedRows(table, file), columns)}`);
    found.push(...((row['e'] as FoundRow[] | null) ?? []).slice(0, EXAMPLES - found.length).map((one) => exampleOf(table, file.path, { row: one, columns: shown })));
  }
  return { passed: false, failingRows: failing, message: `${failing} rows where ${quoted(columns)} is not in ${there}`, examples: found };
};
