/**
 * Rows that repeat an earlier one. Keys are first compared by hashes of 8 bytes, which takes little memory (and goes to disk beyond it); only what shares a
 * hash is then compared for real. As in SQL, rows with a null in one of the columns repeat nothing.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { CheckExample } from '../../../contracts/check-report.ts';
import { numberedRows, ROW_NUMBER, rowsOfTable, type CheckedColumn, type CheckedTable } from './checked-table.ts';
import { countsOf, EXAMPLES, exampleOf, firstRowsSql, shownColumns, type FoundRow } from './examples.ts';
import { passedWith, quoted, type Outcome } from './outcome.ts';

const HASHES = 'repeated_hashes';
const KEYS = 'repeated_keys';

const keyOf = (columns: readonly CheckedColumn[]): string => columns.map(({ sql }) => sql).join(', ');
const isPresent = (columns: readonly CheckedColumn[]): string => columns.map(({ sql }) => `${sql} IS NOT NULL`).join(' AND ');

/** All rows of a few repeated keys but the first, in the order of the files. */
const findRepeated = async (connection: DuckDBConnection, table: CheckedTable, columns: CheckedColumn[]): Promise<CheckExample[]> => {
  const shown = shownColumns(table, columns.map(({ name }) => name));
  const [seen, found]: [Set<string>, CheckExample[]] = [new Set(), []];
  for (const file of table.source.files) {
    if (found.length >= EXAMPLES) break;
    const groups = (await connection.runAndReadAll(`SELECT ${firstRowsSql(shown, 'true', EXAMPLES + 1)} AS e FROM ${numberedRows(table, file)} SEMI JOIN ${KEYS} USING (${keyOf(columns)}) GROUP BY ${keyOf(columns)}`)).getRowObjectsJson();
    const rows = groups.flatMap(({ e }) => e as FoundRow[]).sort((left, right) => Number(left[ROW_NUMBER]) - Number(right[ROW_NUMBER]));
    for (const row of rows) {
      const key = JSON.stringify(columns.map(({ sql }) => row[sql]));
      if (seen.has(key) && found.length < EXAMPLES) found.push(exampleOf(table, file.path, { row, columns: shown }));
      seen.add(key);
    }
  }
  return found;
};

export const uniqueOutcome = async (connection: DuckDBConnection, table: CheckedTable, columns: CheckedColumn[]): Promise<Outcome> => {
  const [key, present, rows] = [keyOf(columns), isPresent(columns), rowsOfTable(table)];
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${HASHES} AS SELECT h FROM (SELECT hash(${key}) AS h FROM ${rows} WHERE ${present}) GROUP BY h HAVING count(*) > 1`);
  const suspects = `(SELECT ${key} FROM ${rows} WHERE ${present} AND hash(${key}) IN (SELECT h FROM ${HASHES}))`;
  const { shared = 0 } = await countsOf(connection, `SELECT count(*) AS shared FROM ${HASHES}`);
  const groups = `(SELECT count(*) AS times FROM ${suspects} GROUP BY ${key} HAVING count(*) > 1)`;
  const failingRows = shared === 0 ? 0 : ((await countsOf(connection, `SELECT sum(times - 1) AS repeated FROM ${groups}`))['repeated'] ?? 0);
  if (failingRows === 0) return passedWith('no row repeats another');
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${KEYS} AS SELECT ${key} FROM ${suspects} GROUP BY ${key} HAVING count(*) > 1 ORDER BY ${key} LIMIT ${EXAMPLES}`);
  return { passed: false, failingRows, message: `${failingRows} rows repeat an earlier one in ${quoted(columns)}`, examples: await findRepeated(connection, table, columns) };
};
