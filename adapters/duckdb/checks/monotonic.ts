/** Rows whose value is below an earlier one, in the order of the files and of the rows in them; a stream that remembers the highest value. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { CheckExample } from '../../../contracts/check-report.ts';
import { literal } from '../database.ts';
import { numberedRows, type CheckedColumn, type CheckedTable } from './checked-table.ts';
import { EXAMPLES, exampleOf, firstRowsSql, jsonRowOf, shownColumns, type FoundRow } from './examples.ts';
import { passedWith, type Outcome } from './outcome.ts';

const HIGHEST = 'highest';

export const monotonicOutcome = async (connection: DuckDBConnection, table: CheckedTable, column: CheckedColumn): Promise<Outcome> => {
  const shown = shownColumns(table, [column.name]);
  const found: CheckExample[] = [];
  let failingRows = 0;
  let before: string | null = null;
  for (const file of table.source.files) {
    const running = `max(${column.sql}) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)`;
    const start: string = before === null ? running : `greatest(${running}, CAST(${literal(before)} AS ${column.type}))`;
    const rows = `(SELECT *, ${start} AS ${HIGHEST} FROM ${numberedRows(table, file)})`;
    const behind = `${column.sql} < ${HIGHEST}`;
    const row = await jsonRowOf(connection, `SELECT count_if(${behind}) AS failing, max(${HIGHEST})::VARCHAR AS last, ${firstRowsSql(shown, behind)} AS e FROM ${rows}`);
    failingRows += Number(row['failing']);
    before = (row['last'] as string | null) ?? before;
    found.push(...((row['e'] as FoundRow[] | null) ?? []).slice(0, EXAMPLES - found.length).map((one) => exampleOf(table, file.path, { row: one, columns: shown })));
  }
  if (failingRows === 0) return passedWith(`"${column.name}" never falls`);
  return { passed: false, failingRows, message: `${failingRows} rows where "${column.name}" is below an earlier row, in the order of the files`, examples: found };
};
